import type { PrismaClient, Transaction } from '../../database/database.ts'
import { camelRow, type ListSource, listSql, pageFrom } from '../../database/list-sql.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { Identity, IdentityDraft } from './identity.ts'
import { identityList } from './player-list.ts'

type Reader = Transaction | PrismaClient

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

/** Does another account of the player lead to them? Exact only under a lock on the player. */
export async function hasOtherIdentity(db: Reader, { playerId, id }: Identity): Promise<boolean> {
  const where = { playerId, id: { not: id }, subject: { not: null } }
  return (await db.playerIdentity.findFirst({ where, select: { id: true } })) !== null
}

/** The row stays and names nobody any more. */
export async function unlinkIdentity(tx: Transaction, id: string, now: Date): Promise<Identity> {
  return tx.playerIdentity.update({ where: { id }, data: { subject: null, providerName: null, unlinkedAt: now } })
}

export async function listIdentities(db: Reader, playerId: string, request: ListRequest): Promise<Page<Identity>> {
  const fixed = [{ column: 'player_id', value: playerId, sqlType: 'uuid' }]
  const source: ListSource = { spec: identityList, fixed }
  const { text, values } = listSql(source, request)
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(text, ...values)
  return pageFrom(identityList, request, rows.map(camelRow<Identity>))
}
