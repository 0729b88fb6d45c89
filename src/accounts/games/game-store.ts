import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { byIdsSql, camelRow, type ListSource, selectList } from '../../database/list-sql.ts'
import type { Filter, ListRequest, Page } from '../../list.ts'
import type { StudioStatus } from '../studios/studio.ts'
import { fromDay, toDay } from '../text/calendar-date.ts'
import type { IdOrSlug } from '../text/code.ts'
import type { Game, GameDraft, GameStatus, Genre } from './game.ts'
import { gameList } from './game-list.ts'

type Reader = Transaction | PrismaClient

const source: ListSource = {
  spec: gameList,
  // Raw rows: the driver does not know arrays of our enum, and a day must not become an instant.
  select: { genres: 't.genres::text[]', release_date: 't.release_date::text' },
  conditions: {
    platform: (filter, bound) =>
      `EXISTS (SELECT 1 FROM game_platform p WHERE p.game_id = t.id AND p.platform = ${anyOf(filter, bound())})`,
    genre: (filter, bound) => (filter.operator === 'in' ? `t.genres && ${bound()}` : `t.genres @> ARRAY[${bound()}]`),
  },
}

const columns = selectList(source)
const byIds = byIdsSql(source)

function anyOf(filter: Filter, placeholder: string): string {
  return filter.operator === 'in' ? `ANY(${placeholder})` : placeholder
}

/** A game's row as Prisma gives and takes it: the date as midnight in UTC. */
interface GameRow extends Omit<Game, 'releaseDate'> {
  readonly releaseDate: Date | null
}

function asGame(row: GameRow): Game {
  return { ...row, releaseDate: row.releaseDate && fromDay(row.releaseDate) }
}

function asColumns<T extends { readonly releaseDate?: string | null; readonly genres?: readonly Genre[] }>(change: T) {
  const { releaseDate, genres, ...rest } = change
  return {
    ...rest,
    ...(releaseDate === undefined ? {} : { releaseDate: releaseDate && toDay(releaseDate) }),
    ...(genres === undefined ? {} : { genres: [...genres] }),
  }
}

export async function insertGame(tx: Transaction, id: string, draft: GameDraft): Promise<Game> {
  return asGame(await tx.game.create({ data: { id, ...asColumns(draft) } }))
}

/** The new game; undefined when its slug or reference is taken, also by a request that has just been faster. */
export async function insertGameUnlessTaken(tx: Transaction, id: string, draft: GameDraft): Promise<Game | undefined> {
  // Not a plain INSERT: its failure would end the transaction, and whoever was faster may be replaced in this one.
  const data = [{ id, ...asColumns(draft) }]
  const [row] = await tx.game.createManyAndReturn({ data, skipDuplicates: true })
  return row && asGame(row)
}

export function findGame(db: Reader, ref: IdOrSlug): Promise<Game | undefined> {
  return selectGame(db, ref, '')
}

export async function findGamesById(db: Reader, ids: readonly string[]): Promise<Game[]> {
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(byIds, ids)
  return rows.map(camelRow<Game>)
}

/** The game as it is now, and nobody else changes it, its state or its platforms until this transaction ends. */
export function lockGame(tx: Transaction, ref: IdOrSlug): Promise<Game | undefined> {
  return selectGame(tx, ref, 'FOR NO KEY UPDATE')
}

/** `lockGame` by the reference that another system has for it. */
export async function lockGameByRef(tx: Transaction, externalRef: string): Promise<Game | undefined> {
  const sql = `SELECT ${columns} FROM game t WHERE t.external_ref = $1 FOR NO KEY UPDATE`
  const [row] = await tx.$queryRawUnsafe<Record<string, unknown>[]>(sql, externalRef)
  return row && camelRow<Game>(row)
}

/** The game as it is now; its state and platforms stay until this transaction ends, others may hold it likewise. */
export function holdGame(tx: Transaction, ref: IdOrSlug): Promise<Game | undefined> {
  return selectGame(tx, ref, 'FOR SHARE')
}

/** Raw: of one row by its key Prisma's own find answers about half as many a second. */
async function selectGame(
  db: Reader,
  ref: IdOrSlug,
  lock: '' | 'FOR NO KEY UPDATE' | 'FOR SHARE',
): Promise<Game | undefined> {
  const [condition, value] = 'id' in ref ? ['t.id = $1::uuid', ref.id] : ['t.slug = $1', ref.slug]
  const sql = `SELECT ${columns} FROM game t WHERE ${condition} ${lock}`
  const [row] = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, value)
  return row && camelRow<Game>(row)
}

/**
 * The state of a studio, which stays until this transaction ends: the studio's own steps take a lock that waits for this one.
 * Callers that lock a game as well do that first.
 */
export async function holdStudioStatus(tx: Transaction, studioId: string): Promise<StudioStatus | undefined> {
  const sql = 'SELECT t.status FROM studio t WHERE t.id = $1::uuid FOR SHARE'
  const [row] = await tx.$queryRawUnsafe<{ status: StudioStatus }[]>(sql, studioId)
  return row?.status
}

/** `holdStudioStatus` of several studios, in the order of their ids, as everybody locks them. */
export async function holdStudioStatuses(tx: Transaction, ids: readonly string[]): Promise<Map<string, StudioStatus>> {
  const sql = 'SELECT t.id, t.status FROM studio t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR SHARE'
  const rows = await tx.$queryRawUnsafe<{ id: string; status: StudioStatus }[]>(sql, ids)
  return new Map(rows.map(({ id, status }) => [id, status]))
}

export async function updateGame(
  tx: Transaction,
  id: string,
  change: Partial<GameDraft> & { readonly status?: GameStatus },
): Promise<Game> {
  return asGame(await tx.game.update({ where: { id }, data: asColumns(change) }))
}

/** The game as it belongs to another studio. */
export async function transferGame(tx: Transaction, id: string, studioId: string): Promise<Game> {
  return asGame(await tx.game.update({ where: { id }, data: { studioId } }))
}

export function listGames(db: PrismaClient, request: ListRequest, studioId?: string): Promise<Page<Game>> {
  const fixed = studioId === undefined ? [] : [{ column: 'studio_id', value: studioId, sqlType: 'uuid' }]
  return readPage<Game>(db, { ...source, fixed }, request)
}
