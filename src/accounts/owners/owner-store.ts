import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { byIdsSql, camelRow, type ListSource, selectList } from '../../database/list-sql.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { Owner, OwnerDraft, OwnerPatch, OwnerStatus } from './owner.ts'
import { ownerList } from './owner-list.ts'

type Reader = Transaction | PrismaClient

const source: ListSource = { spec: ownerList }
const columns = selectList(source)
const byIds = byIdsSql(source)

export async function insertOwner(tx: Transaction, id: string, draft: OwnerDraft): Promise<Owner> {
  return tx.studioOwner.create({ data: { id, ...draft } })
}

export async function findOwner(db: Reader, id: string): Promise<Owner | undefined> {
  return selectOwner(db, id, '')
}

export async function findOwnersById(db: Reader, ids: readonly string[]): Promise<Owner[]> {
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(byIds, ids)
  return rows.map(camelRow<Owner>)
}

/** The owner as they are now; nobody else changes the row until this transaction ends. */
export async function lockOwner(tx: Transaction, id: string): Promise<Owner | undefined> {
  return selectOwner(tx, id, 'FOR NO KEY UPDATE')
}

/** Raw: of one row by its key Prisma's own find answers about half as many a second. */
async function selectOwner(db: Reader, id: string, lock: '' | 'FOR NO KEY UPDATE'): Promise<Owner | undefined> {
  const sql = `SELECT ${columns} FROM studio_owner t WHERE t.id = $1::uuid ${lock}`
  const [row] = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, id)
  return row && camelRow<Owner>(row)
}

export async function updateOwner(
  tx: Transaction,
  id: string,
  change: OwnerPatch & { readonly status?: OwnerStatus },
): Promise<Owner> {
  return tx.studioOwner.update({ where: { id }, data: change })
}

export function listOwners(db: PrismaClient, request: ListRequest): Promise<Page<Owner>> {
  return readPage<Owner>(db, source, request)
}

/**
 * The studios that may not lose this owner: active or suspended, and nobody else is an active owner of them. Locks every such
 * studio of theirs first, in the order of the ids as everybody does, so that two last owners cannot go at the same moment.
 */
export async function lockStudiosOwnedAlone(tx: Transaction, ownerId: string): Promise<string[]> {
  await tx.$queryRaw`
    SELECT s.id FROM studio s JOIN studio_membership m ON m.studio_id = s.id
    WHERE m.owner_id = ${ownerId}::uuid AND m.role = 'owner' AND m.status = 'active'
    ORDER BY s.id FOR NO KEY UPDATE OF s`
  return studiosOwnedAlone(tx, ownerId)
}

export async function studiosOwnedAlone(db: Reader, ownerId: string): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM studio s JOIN studio_membership m ON m.studio_id = s.id
    WHERE m.owner_id = ${ownerId}::uuid AND m.role = 'owner' AND m.status = 'active' AND s.status IN ('active', 'suspended')
      AND NOT EXISTS (
        SELECT 1 FROM studio_membership other JOIN studio_owner o ON o.id = other.owner_id
        WHERE other.studio_id = s.id AND other.owner_id <> m.owner_id
          AND other.role = 'owner' AND other.status = 'active' AND o.status = 'active')
    ORDER BY s.id`
  return rows.map(({ id }) => id)
}
