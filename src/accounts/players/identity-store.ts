import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { Identity, IdentityDraft } from './identity.ts'
import { identityList } from './player-list.ts'

type Reader = Transaction | PrismaClient

const columns = selectList({ spec: identityList })

export async function insertIdentity(
  tx: Transaction,
  id: string,
  playerId: string,
  draft: IdentityDraft,
): Promise<Identity> {
  return tx.playerIdentity.create({ data: { id, playerId, ...draft } })
}

/** An identity of this very player. */
export async function findIdentity(db: Reader, playerId: string, id: string): Promise<Identity | undefined> {
  return (await db.playerIdentity.findFirst({ where: { id, playerId } })) ?? undefined
}

/**
 * The linked accounts of several players, the oldest first.
 *
 * @param most of each player, so that one with thousands does not fill an answer; ask for one more to know whether others follow
 */
export async function findLinkedIdentities(
  db: Reader,
  playerIds: readonly string[],
  most: number,
): Promise<Identity[]> {
  const linked = `SELECT ${columns} FROM player_identity t
    WHERE t.player_id = p.id AND t.subject IS NOT NULL ORDER BY t.linked_at, t.id LIMIT ${most}`
  const sql = `SELECT linked.* FROM unnest($1::uuid[]) AS p(id) CROSS JOIN LATERAL (${linked}) AS linked`
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, playerIds)
  return rows.map(camelRow<Identity>)
}

/** Does any account elsewhere lead to the player? Exact only under a lock on the player. */
export async function hasIdentity(db: Reader, playerId: string): Promise<boolean> {
  const where = { playerId, subject: { not: null } }
  return (await db.playerIdentity.findFirst({ where, select: { id: true } })) !== null
}

/** Does another account of the player lead to them? Exact only under a lock on the player. */
export async function hasOtherIdentity(db: Reader, { playerId, id }: Identity): Promise<boolean> {
  const where = { playerId, id: { not: id }, subject: { not: null } }
  return (await db.playerIdentity.findFirst({ where, select: { id: true } })) !== null
}

/** The row stays and names nobody any more. */
export async function unlinkIdentity(tx: Transaction, id: string, now: Date): Promise<Identity> {
  return tx.playerIdentity.update({ where: { id }, data: { subject: null, providerName: null, unlinkedAt: now } })
}

export function listIdentities(db: PrismaClient, playerId: string, request: ListRequest): Promise<Page<Identity>> {
  const fixed = [{ column: 'player_id', value: playerId, sqlType: 'uuid' }]
  return readPage<Identity>(db, { spec: identityList, fixed }, request)
}
