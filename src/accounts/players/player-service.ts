import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { requireTransition, type Transitions, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { findStudio } from '../studios/studio-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import type { IdentityDraft } from './identity.ts'
import { linkIdentity } from './identity-service.ts'
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
import { findPlayer, findPlayersById, insertPlayer, listPlayers, lockPlayer, updatePlayer } from './player-store.ts'

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
    return write(this.#database, async (tx) => {
      const player = await insertPlayer(tx, newId(), draft)
      const changes = changesOf('player', undefined, player)
      await appendAudit(tx, context, { action: 'player.create', ...about(player), changes })
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
   * A new address counts as not verified unless the patch says otherwise.
   *
   * @throws AppError `not-found`, `version-mismatch`, `username-taken`, `email-taken`, `validation`, `conflict` when erased
   */
  update(id: string, patch: PlayerPatch, expected: ExpectedVersion, context: Context): Promise<Player> {
    return write(this.#database, async (tx) => {
      const before = found(await lockPlayer(tx, id))
      requireVersion(before.version, expected)
      const change = changedFields<PlayerPatch>(before, withVerification(before, patch))
      if (Object.keys(change).length === 0) return before
      const errors = contradictionsOf({ ...before, ...change })
      if (errors.length > 0) throw invalid(errors)
      const after = await updatePlayer(tx, id, change)
      const changes = forced(changesOf('player', before, after), expected)
      await appendAudit(tx, context, { action: 'player.update', ...about(before), changes })
      return after
    })
  }

  /** @throws AppError `not-found` */
  async transitions(id: string, _context: Context): Promise<Transitions<PlayerStatus>> {
    return transitionsOf(found(await findPlayer(this.#database, id)))
  }

  /** Closes or reopens. @throws AppError `not-found`, `version-mismatch`, `invalid-transition` */
  transition(
    id: string,
    step: { readonly to: PlayerStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Player> {
    return write(this.#database, async (tx) => {
      const before = found(await lockPlayer(tx, id))
      requireVersion(before.version, expected)
      requireTransition(transitionsOf(before), step.to)
      const after = await updatePlayer(tx, id, afterStep(step.to, new Date()))
      const changes = forced(changesOf('player', before, after), expected)
      await appendAudit(tx, context, { action: 'player.transition', ...about(before), reason: step.reason, changes })
      return after
    })
  }
}

function transitionsOf(player: Player): Transitions<PlayerStatus> {
  return transitionsFrom(PLAYER_LIFECYCLE, player.status, () => [])
}

function about(player: Player) {
  return { entityType: 'player', entityId: player.id } as const
}

function found(player: Player | undefined): Player {
  if (player === undefined) throw new AppError('not-found', 'There is no such player')
  return player
}
