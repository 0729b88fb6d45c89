import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import type { Game } from '../games/game.ts'
import type { Platform } from '../games/game-platform.ts'
import { findGamePlatform } from '../games/game-platform-store.ts'
import { findGame, holdGame } from '../games/game-store.ts'
import { findPlayer, findPlayerIn } from '../players/player-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type PutConditions, requirePutNew, requirePutOver } from '../writing/put.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import {
  type Entitlement,
  type EntitlementKey,
  type EntitlementPatch,
  type EntitlementState,
  type Grant,
  granted,
  grantedAgain,
  patched,
  type RevokeReason,
  requireGrantable,
  revoked,
} from './entitlement.ts'
import {
  findEntitlement,
  insertEntitlement,
  listEverybodys,
  listGamePlayers,
  listLibrary,
  lockEntitlement,
  updateEntitlement,
} from './entitlement-store.ts'

/** A line of a library as an address names it. */
export interface EntitlementRef {
  readonly playerId: string
  readonly game: IdOrSlug
  readonly platform: Platform
}

/** What was there, what it shall be, and how the trail calls it. */
interface Change {
  readonly action: 'player_game.grant' | 'player_game.update' | 'player_game.revoke'
  readonly expected: ExpectedVersion | undefined
  readonly state: Partial<EntitlementState>
}

/** What players own. A grant holds the game, so its state and platforms stay while it is judged. Locks go game first. */
export class EntitlementService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The library of one player. @throws AppError `not-found` */
  async list(playerId: string, request: ListRequest, _context: Context): Promise<Page<Entitlement>> {
    if ((await findPlayer(this.#database, playerId)) === undefined) throw noSuchPlayer()
    return listLibrary(this.#database.prisma, playerId, request)
  }

  /** Lines of everybody's libraries. */
  listAll(request: ListRequest, _context: Context): Promise<Page<Entitlement>> {
    return listEverybodys(this.#database.prisma, request)
  }

  /** Who owns one game, and who did. @throws AppError `not-found` */
  async listOfGame(ref: IdOrSlug, request: ListRequest, _context: Context): Promise<Page<Entitlement>> {
    const game = foundGame(await findGame(this.#database.prisma, ref))
    return listGamePlayers(this.#database.prisma, game.id, request)
  }

  /** @throws AppError `not-found` */
  async get(ref: EntitlementRef, _context: Context): Promise<Entitlement> {
    const game = foundGame(await findGame(this.#database.prisma, ref.game))
    return found(await findEntitlement(this.#database.prisma, keyOf(ref, game)))
  }

  /**
   * Puts a game into a library. Idempotent: said again, it changes nothing; two at the same moment make one line. It takes nothing
   * away: a grant of less than the player has changes play time at most, unless `If-Match` says what it replaces.
   *
   * @throws AppError `not-found`, `version-mismatch`, `validation`, `conflict` by the state of the game or an old revocation
   */
  grant(
    ref: EntitlementRef,
    grant: Grant,
    conditions: PutConditions,
    context: Context,
  ): Promise<{ readonly created: boolean; readonly entitlement: Entitlement }> {
    return write(this.#database, async (tx) => {
      await requirePlayer(tx, ref.playerId)
      const game = foundGame(await holdGame(tx, ref.game))
      if ((await findGamePlatform(tx, game.id, ref.platform)) === undefined) throw noSuchPlatform()
      const key = keyOf(ref, game)
      const now = new Date()
      let before = await lockEntitlement(tx, key)
      if (before === undefined) {
        requirePutNew(conditions)
        requireGrantable(grant.source, game.status)
        const added = await insertEntitlement(tx, newId(), key, granted(grant, now))
        if (added !== undefined) {
          const changes = changesOf('player_game', undefined, added)
          await appendAudit(tx, context, { action: 'player_game.grant', ...about(added, game), changes })
          return { created: true, entitlement: added }
        }
        // Another request was faster, and is done: now there is a line to lock.
        before = found(await lockEntitlement(tx, key))
      }
      requirePutOver(before, conditions)
      const state = changedFields(before, grantedAgain(before, grant, now, conditions.expected !== undefined))
      if (isNewGrant(state)) requireGrantable(grant.source, game.status)
      const change = { action: 'player_game.grant', expected: conditions.expected, state } as const
      return { created: false, entitlement: await save(tx, before, change, game, context) }
    })
  }

  /** @throws AppError `not-found`, `version-mismatch`, `validation`, `conflict` by the state of the game */
  update(
    ref: EntitlementRef,
    patch: EntitlementPatch,
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Entitlement> {
    return write(this.#database, async (tx) => {
      const game = foundGame(await holdGame(tx, ref.game))
      const before = found(await lockEntitlement(tx, keyOf(ref, game)))
      requireVersion(before.version, expected)
      const state = changedFields(before, patched(before, patch))
      if (state.source !== undefined) requireGrantable(state.source, game.status)
      return save(tx, before, { action: 'player_game.update', expected, state }, game, context)
    })
  }

  /** Takes a game away; the line and its play time stay. @throws AppError `not-found`, `version-mismatch` */
  revoke(ref: EntitlementRef, reason: RevokeReason, expected: ExpectedVersion, context: Context): Promise<Entitlement> {
    return write(this.#database, async (tx) => {
      const game = foundGame(await findGame(tx, ref.game))
      const before = found(await lockEntitlement(tx, keyOf(ref, game)))
      requireVersion(before.version, expected)
      const state = changedFields(before, revoked(before, reason, new Date()))
      return save(tx, before, { action: 'player_game.revoke', expected, state }, game, context)
    })
  }
}

async function save(
  tx: Transaction,
  before: Entitlement,
  { action, expected, state }: Change,
  game: Game,
  context: Context,
): Promise<Entitlement> {
  if (Object.keys(state).length === 0) return before
  const after = await updateEntitlement(tx, before.id, state)
  const changes = forced(changesOf('player_game', before, after), expected)
  await appendAudit(tx, context, { action, ...about(before, game), changes })
  return after
}

/** Does the change give something, rather than correct a reference or report play time? */
function isNewGrant(state: Partial<EntitlementState>): boolean {
  return (['source', 'acquiredAt', 'expiresAt', 'revokedAt'] as const).some((field) => state[field] !== undefined)
}

async function requirePlayer(tx: Transaction, playerId: string): Promise<void> {
  const player = await findPlayerIn(tx, playerId)
  if (player === undefined) throw noSuchPlayer()
  if (player.status === 'erased') throw new AppError('conflict', 'The player was erased and can own nothing')
}

function keyOf({ playerId, platform }: EntitlementRef, game: Game): EntitlementKey {
  return { playerId, gameId: game.id, platform }
}

function about(entitlement: Entitlement, game: Game) {
  return { entityType: 'player_game', entityId: entitlement.id, studioId: game.studioId } as const
}

function found(entitlement: Entitlement | undefined): Entitlement {
  if (entitlement === undefined) throw new AppError('not-found', 'The game is not in this library on this platform')
  return entitlement
}

function foundGame(game: Game | undefined): Game {
  if (game === undefined) throw new AppError('not-found', 'There is no such game')
  return game
}

function noSuchPlayer(): AppError {
  return new AppError('not-found', 'There is no such player')
}

function noSuchPlatform(): AppError {
  return new AppError('not-found', 'The game is not on this platform')
}
