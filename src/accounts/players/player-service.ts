import type { Context, ExpectedVersion } from '../../caller.ts'
import { WriteConflict } from '../../database/constraint-errors.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { requireTransition, stepsOf, type Transitions, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { findStudio } from '../studios/studio-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import type { IdentityDraft } from './identity.ts'
import { linkIdentity } from './identity-service.ts'
import { hasIdentity } from './identity-store.ts'
import {
  afterStep,
  contradictionsOf,
  PLAYER_LIFECYCLE,
  type Player,
  type PlayerDraft,
  type PlayerPatch,
  type PlayerStatus,
  withVerification,
} from './player.ts'
import { listPlayers } from './player-list-store.ts'
import { createPlayer, findPlayer, findPlayersById, insertPlayer, lockPlayer, replacePlayer } from './player-store.ts'

/** Player accounts: load, judge, save, audit - each write in one transaction. */
export class PlayerService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * A player together with accounts elsewhere: all of it or nothing.
   *
   * @throws AppError `username-taken`, `email-taken`, `identity-taken`, `validation` when an identity's studio is not there
   */
  create(draft: PlayerDraft, identities: readonly IdentityDraft[], context: Context): Promise<Player> {
    const row = { id: newId(), ...draft, status: 'active', closedAt: null, erasedAt: null } as const
    const changes = changesOf('player', undefined, row)
    const event = { action: 'player.create', ...about(row), changes } as const
    if (identities.length === 0) return createPlayer(this.#database, row, context, event)
    return write(this.#database, async (tx) => {
      const player = await insertPlayer(tx, row)
      await appendAudit(tx, context, event)
      for (const [index, identity] of identities.entries()) {
        await linkIdentity(tx, player, identity, context, `/identities/${index}`)
      }
      return player
    })
  }

  /** @throws AppError `not-found` */
  async get(id: string, _context: Context): Promise<Player> {
    return found(await findPlayer(this.#database, id))
  }

  /** Those of the ids that exist, in no order. */
  byIds(ids: readonly string[], _context: Context): Promise<Player[]> {
    return findPlayersById(this.#database.prisma, ids)
  }

  list(request: ListRequest, _context: Context): Promise<Page<Player>> {
    return listPlayers(this.#database.prisma, request)
  }

  /** The players who own a game of one studio. @throws AppError `not-found` */
  async listOfStudio(ref: IdOrSlug, request: ListRequest, _context: Context): Promise<Page<Player>> {
    const studio = await findStudio(this.#database.prisma, ref)
    if (studio === undefined) throw new AppError('not-found', 'There is no such studio')
    const owning = { field: 'studioId', operator: 'eq', value: studio.id } as const
    return listPlayers(this.#database.prisma, { ...request, filters: [...request.filters, owning] })
  }

  /**
   * A new address counts as not verified unless the patch says otherwise. The last thing that leads to a player stays: an address
   * goes only while an account elsewhere is linked.
   *
   * @throws AppError `not-found`, `version-mismatch`, `username-taken`, `email-taken`, `last-identity`, `validation`, `conflict`
   *   when erased
   */
  update(id: string, patch: PlayerPatch, expected: ExpectedVersion, context: Context): Promise<Player> {
    if (patch.email !== null) return this.#update(id, patch, expected, context)
    return this.#database.enclose(async () => {
      await this.#database.transaction((tx) => requireOtherWayIn(tx, id, expected))
      return this.#update(id, patch, expected, context)
    })
  }

  #update(id: string, patch: PlayerPatch, expected: ExpectedVersion, context: Context): Promise<Player> {
    return this.#change(id, expected, context, (before) => {
      const change = changedFields<PlayerPatch>(before, withVerification(before, patch))
      if (Object.keys(change).length === 0) return undefined
      const errors = contradictionsOf({ ...before, ...change })
      if (errors.length > 0) throw invalid(errors)
      return { action: 'player.update', change }
    })
  }

  /** What this caller may do. @throws AppError `not-found` */
  async transitions(id: string, context: Context): Promise<Transitions<PlayerStatus>> {
    return stepsOf(context, 'players:write', transitionsOf(found(await findPlayer(this.#database, id))))
  }

  /** Closes or reopens. @throws AppError `not-found`, `version-mismatch`, `invalid-transition` */
  transition(
    id: string,
    step: { readonly to: PlayerStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Player> {
    return this.#change(id, expected, context, (before) => {
      requireTransition(transitionsOf(before), step.to)
      return { action: 'player.transition', change: afterStep(step.to, new Date()), reason: step.reason }
    })
  }

  /**
   * Reads, judges and writes, the last only if the row is still the one that was judged. Whoever was too late hears of it as of any
   * other stale version, or, if that does not matter to them, has the row to themselves for a second time: it cannot fail again,
   * however many change the player at once.
   */
  async #change(
    id: string,
    expected: ExpectedVersion,
    context: Context,
    judge: (before: Player) => Verdict | undefined,
  ): Promise<Player> {
    const attempt = async (before: Player): Promise<Player | undefined> => {
      requireVersion(before.version, expected)
      const verdict = judge(before)
      if (verdict === undefined) return before
      const { action, change, reason = null } = verdict
      const wanted = { ...before, ...change }
      const changes = forced(changesOf('player', before, wanted), expected)
      const event = { action, ...about(before), reason, changes } as const
      return replacePlayer(this.#database, before, wanted, context, event)
    }
    const first = await attempt(found(await findPlayer(this.#database, id)))
    if (first !== undefined) return first
    if (expected !== 'any') requireVersion(found(await findPlayer(this.#database, id)).version, expected)
    return this.#database.enclose(async () => {
      const second = await attempt(found(await this.#database.transaction((tx) => lockPlayer(tx, id))))
      if (second === undefined) throw new WriteConflict()
      return second
    })
  }
}

interface Verdict {
  readonly action: 'player.update' | 'player.transition'
  readonly change: PlayerPatch | Pick<Player, 'status' | 'closedAt'>
  readonly reason?: string | null
}

function transitionsOf(player: Player): Transitions<PlayerStatus> {
  return transitionsFrom(PLAYER_LIFECYCLE, player.status, () => [])
}

function about(player: Pick<Player, 'id'>) {
  return { entityType: 'player', entityId: player.id } as const
}

/** Under a lock that unlinking takes as well: of address and last account one stays. @throws AppError `last-identity` */
async function requireOtherWayIn(tx: Transaction, id: string, expected: ExpectedVersion): Promise<void> {
  const player = found(await lockPlayer(tx, id))
  requireVersion(player.version, expected)
  if (player.email === null || (await hasIdentity(tx, id))) return
  throw new AppError('last-identity', 'Nothing else leads to this player: link an account elsewhere first', {
    errors: [{ pointer: '/email', code: 'last-identity' }],
  })
}

function found(player: Player | undefined): Player {
  if (player === undefined) throw new AppError('not-found', 'There is no such player')
  return player
}
