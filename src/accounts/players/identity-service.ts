import type { Context, ExpectedVersion } from '../../caller.ts'
import { ConstraintError } from '../../database/constraint-errors.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { holdStudio } from '../studios/studio-store.ts'
import { requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import type { Identity, IdentityDraft } from './identity.ts'
import {
  findIdentity,
  findLinkedIdentities,
  hasOtherIdentity,
  insertIdentity,
  listIdentities,
  unlinkIdentity,
} from './identity-store.ts'
import type { Player } from './player.ts'
import { findPlayer, lockPlayer } from './player-store.ts'

/** The accounts of players elsewhere. Every change holds the player's row. Their events are events of the player. */
export class IdentityService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `not-found` */
  async list(playerId: string, request: ListRequest, _context: Context): Promise<Page<Identity>> {
    foundPlayer(await findPlayer(this.#database, playerId))
    return listIdentities(this.#database.prisma, playerId, request)
  }

  /** The linked accounts of several players: of each the oldest, at most so many. */
  linked(playerIds: readonly string[], most: number, _context: Context): Promise<Identity[]> {
    return findLinkedIdentities(this.#database.prisma, playerIds, most)
  }

  /** @throws AppError `not-found` */
  async get(playerId: string, id: string, _context: Context): Promise<Identity> {
    return found(await findIdentity(this.#database.prisma, playerId, id))
  }

  /** @throws AppError `not-found`, `identity-taken`, `validation` when there is no such studio, `conflict` when erased */
  link(playerId: string, draft: IdentityDraft, context: Context): Promise<Identity> {
    return write(this.#database, async (tx) => {
      const player = foundPlayer(await lockPlayer(tx, playerId))
      if (player.status === 'erased') throw new AppError('conflict', 'The player was erased; nothing can be linked')
      return linkIdentity(tx, player, draft, context)
    })
  }

  /**
   * The row stays, without the account's key and name. Who is unlinked already may be unlinked again.
   *
   * @throws AppError `not-found`, `version-mismatch`, `last-identity` when nothing else leads to the player
   */
  unlink(playerId: string, id: string, expected: ExpectedVersion, context: Context): Promise<void> {
    return write(this.#database, async (tx) => {
      const player = foundPlayer(await lockPlayer(tx, playerId))
      const before = found(await findIdentity(tx, playerId, id))
      requireVersion(before.version, expected)
      if (before.unlinkedAt !== null) return
      if (player.emailKey === null && !(await hasOtherIdentity(tx, before))) {
        throw new AppError('last-identity', 'Nothing else leads to this player: link another account or add an address')
      }
      const after = await unlinkIdentity(tx, id, new Date())
      // Which one it was: the event's entity is the player.
      const which = { identityId: { from: id, to: id } }
      const changes = forced({ ...which, ...changesOf('player_identity', before, after) }, expected)
      await appendAudit(tx, context, { action: 'player.unlink_identity', ...about(player), changes })
    })
  }
}

/**
 * Links an account to a player who is locked or new.
 *
 * @param at pointer to the identity in the request's body
 * @throws AppError `identity-taken`, `validation`
 */
export async function linkIdentity(
  tx: Transaction,
  player: Player,
  draft: IdentityDraft,
  context: Context,
  at = '',
): Promise<Identity> {
  const studioId = await studioOf(tx, draft, at)
  const identity = await insertIdentity(tx, newId(), player.id, draft).catch((error: unknown) => {
    if (!(error instanceof ConstraintError) || error.kind !== 'unique') throw error
    throw new AppError('identity-taken', 'This account is linked to a player already', {
      errors: [{ pointer: `${at}/subject`, code: 'identity-taken' }],
      cause: error,
    })
  })
  const changes = changesOf('player_identity', undefined, identity)
  await appendAudit(tx, context, { action: 'player.link_identity', ...about(player), studioId, changes })
  return identity
}

/** The studio whose accounts these are, for the trail; it keeps its slug meanwhile. @throws AppError `validation` */
async function studioOf(tx: Transaction, { provider, namespace }: IdentityDraft, at: string): Promise<string | null> {
  if (provider !== 'studio') return null
  const studio = await holdStudio(tx, { slug: namespace })
  if (studio !== undefined) return studio.id
  throw invalid([{ pointer: `${at}/namespace`, code: 'not-found', detail: 'there is no studio with this slug' }])
}

function about(player: Player) {
  return { entityType: 'player', entityId: player.id } as const
}

function foundPlayer(player: Player | undefined): Player {
  if (player === undefined) throw new AppError('not-found', 'There is no such player')
  return player
}

function found(identity: Identity | undefined): Identity {
  if (identity === undefined) throw new AppError('not-found', 'The player has no such identity')
  return identity
}
