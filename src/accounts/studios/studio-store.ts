import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { byIdsSql, camelRow, type ListSource, selectList } from '../../database/list-sql.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { IdOrSlug } from '../text/code.ts'
import {
  GAME_STATUSES_OF_A_CLOSED_STUDIO,
  type Studio,
  type StudioDraft,
  type StudioFacts,
  type StudioPatch,
  type StudioStatus,
} from './studio.ts'
import { studioList } from './studio-list.ts'

/** Inside a transaction or not. */
type Reader = Transaction | PrismaClient

const source: ListSource = { spec: studioList }
const columns = selectList(source)
const byIds = byIdsSql(source)

export async function insertStudio(tx: Transaction, id: string, draft: StudioDraft): Promise<Studio> {
  return tx.studio.create({ data: { id, ...draft } })
}

/** The new studio; undefined when its slug or reference is taken, also by a request that has just been faster. */
export async function insertStudioUnlessTaken(
  tx: Transaction,
  id: string,
  draft: StudioDraft,
): Promise<Studio | undefined> {
  // Not a plain INSERT: its failure would end the transaction, and whoever was faster may be replaced in this one.
  const [studio] = await tx.studio.createManyAndReturn({ data: [{ id, ...draft }], skipDuplicates: true })
  return studio
}

export async function findStudio(db: Reader, ref: IdOrSlug): Promise<Studio | undefined> {
  return selectStudio(db, ref, '')
}

export async function findStudiosById(db: Reader, ids: readonly string[]): Promise<Studio[]> {
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(byIds, ids)
  return rows.map(camelRow<Studio>)
}

/**
 * The studio as it is now, and nobody else changes it until this transaction ends. Steps of its games wait too: they take a
 * share lock on it.
 */
export async function lockStudio(tx: Transaction, ref: IdOrSlug): Promise<Studio | undefined> {
  return selectStudio(tx, ref, 'FOR NO KEY UPDATE')
}

/** `lockStudio` by the reference that another system has for it. */
export async function lockStudioByRef(tx: Transaction, externalRef: string): Promise<Studio | undefined> {
  const sql = `SELECT ${columns} FROM studio t WHERE t.external_ref = $1 FOR NO KEY UPDATE`
  const [row] = await tx.$queryRawUnsafe<Record<string, unknown>[]>(sql, externalRef)
  return row && camelRow<Studio>(row)
}

/** The studio as it is now; its slug and state stay until this transaction ends, others may hold it likewise. */
export function holdStudio(tx: Transaction, ref: IdOrSlug): Promise<Studio | undefined> {
  return selectStudio(tx, ref, 'FOR SHARE')
}

/** Raw: of one row by its key Prisma's own find answers about half as many a second. */
async function selectStudio(
  db: Reader,
  ref: IdOrSlug,
  lock: '' | 'FOR NO KEY UPDATE' | 'FOR SHARE',
): Promise<Studio | undefined> {
  const [condition, value] = 'id' in ref ? ['t.id = $1::uuid', ref.id] : ['t.slug = $1', ref.slug]
  const sql = `SELECT ${columns} FROM studio t WHERE ${condition} ${lock}`
  const [row] = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, value)
  return row && camelRow<Studio>(row)
}

export async function updateStudio(
  tx: Transaction,
  id: string,
  change: StudioPatch & { readonly status?: StudioStatus },
): Promise<Studio> {
  return tx.studio.update({ where: { id }, data: change })
}

export function listStudios(db: PrismaClient, request: ListRequest): Promise<Page<Studio>> {
  return readPage<Studio>(db, source, request)
}

/** What the steps of a studio depend on. Exact only under a lock on the studio. */
export async function studioFacts(db: Reader, id: string): Promise<StudioFacts> {
  const activeOwner = { studioId: id, role: 'owner', status: 'active', owner: { status: 'active' } } as const
  const owner = await db.studioMembership.findFirst({ where: activeOwner, select: { ownerId: true } })
  const openGames = await db.game.count({
    where: { studioId: id, status: { notIn: [...GAME_STATUSES_OF_A_CLOSED_STUDIO] } },
  })
  return { hasActiveOwner: owner !== null, openGames }
}
