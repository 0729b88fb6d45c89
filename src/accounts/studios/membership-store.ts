import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { Membership, MembershipState } from './membership.ts'
import { memberList, ownedStudioList } from './membership-list.ts'

type Reader = Transaction | PrismaClient

/** `numeric` has no JavaScript type; two decimals fit a double exactly enough to print. */
const select = { ownership_percent: 't.ownership_percent::float8' }
const columns = selectList({ spec: memberList, select })

export async function findMembership(db: Reader, studioId: string, ownerId: string): Promise<Membership | undefined> {
  const sql = `SELECT ${columns} FROM studio_membership t WHERE t.studio_id = $1::uuid AND t.owner_id = $2::uuid`
  const [row] = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, studioId, ownerId)
  return row && camelRow<Membership>(row)
}

export async function insertMembership(
  tx: Transaction,
  studioId: string,
  ownerId: string,
  state: MembershipState,
): Promise<Membership> {
  return asMembership(await tx.studioMembership.create({ data: { studioId, ownerId, ...state } }))
}

export async function updateMembership(
  tx: Transaction,
  { studioId, ownerId }: Pick<Membership, 'studioId' | 'ownerId'>,
  change: Partial<MembershipState>,
): Promise<Membership> {
  const where = { studioId_ownerId: { studioId, ownerId } }
  return asMembership(await tx.studioMembership.update({ where, data: change }))
}

/** The shares that the other members of a studio hold. Exact only under a lock on the studio. */
export async function otherShares(db: Reader, studioId: string, ownerId: string): Promise<number[]> {
  const rows = await db.studioMembership.findMany({
    where: { studioId, ownerId: { not: ownerId }, ownershipPercent: { not: null } },
    select: { ownershipPercent: true },
  })
  return rows.map((row) => Number(row.ownershipPercent))
}

/** Is anybody else an active owner of the studio? Exact only under a lock on it. */
export async function hasOtherActiveOwner(db: Reader, studioId: string, ownerId: string): Promise<boolean> {
  const other = await db.studioMembership.findFirst({
    where: { studioId, ownerId: { not: ownerId }, role: 'owner', status: 'active', owner: { status: 'active' } },
    select: { ownerId: true },
  })
  return other !== null
}

export function listMembers(db: PrismaClient, studioId: string, request: ListRequest): Promise<Page<Membership>> {
  const fixed = [{ column: 'studio_id', value: studioId, sqlType: 'uuid' }]
  return readPage<Membership>(db, { spec: memberList, select, fixed }, request)
}

export function listStudiosOf(db: PrismaClient, ownerId: string, request: ListRequest): Promise<Page<Membership>> {
  const fixed = [{ column: 'owner_id', value: ownerId, sqlType: 'uuid' }]
  return readPage<Membership>(db, { spec: ownedStudioList, select, fixed }, request)
}

function asMembership(row: Omit<Membership, 'ownershipPercent'> & { readonly ownershipPercent: unknown }): Membership {
  return { ...row, ownershipPercent: row.ownershipPercent === null ? null : Number(row.ownershipPercent) }
}
