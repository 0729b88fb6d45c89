import type { Context } from '../../caller.ts'
import type { Database, PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { byIdsSql, camelRow, escapeLike, type ListSource, selectList } from '../../database/list-sql.ts'
import type { Filter, ListRequest, Page } from '../../list.ts'
import { toSnakeCase } from '../../naming.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { withAudit } from '../audit/audit-store.ts'
import { fromDay, toDay } from '../text/calendar-date.ts'
import { fold } from '../text/fold.ts'
import { writeRow } from '../writing/write-service.ts'
import type { Player } from './player.ts'
import { playerList } from './player-list.ts'

type Reader = Transaction | PrismaClient

const LIVE = 'g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > now())'

/** Library rows by what owns them: from where, and under which condition over one placeholder. */
const OWNED = {
  gameId: { from: 'player_game g', where: (game: string) => `g.game_id = ${game}` },
  studioId: {
    from: 'player_game g JOIN game o ON o.id = g.game_id',
    where: (studio: string) => `o.studio_id = ${studio}`,
  },
} as const
type OwnedFilter = keyof typeof OWNED

/** Up to so many library rows a list begins with them and sorts; beyond, it walks the players in the order asked for. */
const FEW_LIBRARY_ROWS = 5_000

const source: ListSource = {
  spec: playerList,
  select: { birth_date: 't.birth_date::text' },
  conditions: {
    provider: (filter, bound) => {
      const provider = filter.operator === 'in' ? `ANY(${bound()})` : bound()
      const identity = `i.player_id = t.id AND i.subject IS NOT NULL AND i.provider = ${provider}`
      return `EXISTS (SELECT 1 FROM player_identity i WHERE ${identity})`
    },
    hasEmail: ({ value }) => `t.email_key IS ${value === true ? 'NOT ' : ''}NULL`,
    gameId: (_filter, bound) => walkedBy('gameId', bound()),
    studioId: (_filter, bound) => walkedBy('studioId', bound()),
  },
  // Both have a trigram index. The pattern of a key is folded as keys are; a display name is as it was typed.
  search: [
    { sql: (placeholder) => `t.username_key LIKE ${placeholder}`, value: (text) => `%${escapeLike(fold(text))}%` },
    { sql: (placeholder) => `t.display_name ILIKE ${placeholder}`, value: (text) => `%${escapeLike(text)}%` },
  ],
}

const columns = selectList(source)
const byIds = byIdsSql(source)

function walkedBy(filter: OwnedFilter, placeholder: string): string {
  const { from, where } = OWNED[filter]
  return `EXISTS (SELECT 1 FROM ${from} WHERE g.player_id = t.id AND ${where(placeholder)} AND ${LIVE})`
}

function startingFrom(filter: OwnedFilter, placeholder: string): string {
  const { from, where } = OWNED[filter]
  // As an array, so that the planner cannot turn it back into a walk along all players.
  return `t.id = ANY(ARRAY(SELECT g.player_id FROM ${from} WHERE ${where(placeholder)} AND ${LIVE}))`
}

/** A player before the database has seen it. */
export type NewPlayerRow = Omit<Player, 'version' | 'createdAt' | 'updatedAt'>

export async function insertPlayer(tx: Transaction, player: NewPlayerRow): Promise<Player> {
  const { id, birthDate, ...data } = player
  const row = await tx.player.create({ data: { id, ...data, birthDate: birthDate && toDay(birthDate) } })
  return { ...row, birthDate: row.birthDate && fromDay(row.birthDate) }
}

const byId = `SELECT ${columns} FROM player t WHERE t.id = $1::uuid`

export async function findPlayer(database: Database, id: string): Promise<Player | undefined> {
  const rows = await database.query<Record<string, unknown>>({ name: 'find player', text: byId, values: [id] })
  return rows[0] && camelRow<Player>(rows[0])
}

export function findPlayerIn(tx: Transaction, id: string): Promise<Player | undefined> {
  return selectPlayer(tx, byId, id)
}

export async function findPlayersById(db: Reader, ids: readonly string[]): Promise<Player[]> {
  const rows = await db.$queryRawUnsafe<Record<string, unknown>[]>(byIds, ids)
  return rows.map(camelRow<Player>)
}

/** The player as they are now; nobody else changes the row, or unlinks an account of theirs, until this transaction ends. */
export function lockPlayer(tx: Transaction, id: string): Promise<Player | undefined> {
  return selectPlayer(tx, `${byId} FOR NO KEY UPDATE`, id)
}

async function selectPlayer(tx: Transaction, sql: string, id: string): Promise<Player | undefined> {
  const [row] = await tx.$queryRawUnsafe<Record<string, unknown>[]>(sql, id)
  return row && camelRow<Player>(row)
}

const WRITTEN = [
  'username',
  'usernameKey',
  'displayName',
  'email',
  'emailKey',
  'emailVerifiedAt',
  'birthDate',
  'country',
  'locale',
  'status',
  'closedAt',
] as const satisfies readonly (keyof Player)[]

const writtenColumns = WRITTEN.map(toSnakeCase).join(', ')
const placeholders = (first: number) => WRITTEN.map((_, i) => `$${first + i}`).join(', ')
const writtenValues = (player: Pick<Player, (typeof WRITTEN)[number]>) => WRITTEN.map((field) => player[field])

/** A new player and its event. */
export async function createPlayer(
  database: Database,
  player: NewPlayerRow,
  context: Context,
  event: AuditEvent,
): Promise<Player> {
  const change = {
    name: 'create player',
    text: `INSERT INTO player (id, ${writtenColumns}) VALUES ($1, ${placeholders(2)}) RETURNING *`,
    values: [player.id, ...writtenValues(player)],
  }
  const row = await writeRow<Record<string, unknown>>(database, withAudit(change, columns, context, event))
  if (row === undefined) throw new Error('a player was added, and is not there')
  return camelRow<Player>(row)
}

/**
 * The player as `after` says, and the event, if nobody has changed the row since it was read as `before`; otherwise undefined, and
 * nothing has happened. The text names every column, whatever has changed, so that one plan serves all.
 */
export async function replacePlayer(
  database: Database,
  before: Player,
  after: Player,
  context: Context,
  event: AuditEvent,
): Promise<Player | undefined> {
  const change = {
    name: 'replace player',
    text: `UPDATE player SET (${writtenColumns}) = (${placeholders(3)}) WHERE id = $1 AND version = $2 RETURNING *`,
    values: [before.id, before.version, ...writtenValues(after)],
  }
  const row = await writeRow<Record<string, unknown>>(database, withAudit(change, columns, context, event))
  return row && camelRow<Player>(row)
}

export async function listPlayers(db: PrismaClient, request: ListRequest): Promise<Page<Player>> {
  const conditions = { ...source.conditions }
  for (const { field, value } of request.filters) {
    if (isOwnedFilter(field) && (await hasFewRows(db, field, value))) {
      conditions[field] = (_filter, bound) => startingFrom(field, bound())
    }
  }
  return readPage<Player>(db, { ...source, conditions }, request)
}

function isOwnedFilter(field: string): field is OwnedFilter {
  return Object.hasOwn(OWNED, field)
}

/** Reads at most the bound, by the index on the games of library rows. */
async function hasFewRows(db: Reader, filter: OwnedFilter, value: Filter['value']): Promise<boolean> {
  const { from, where } = OWNED[filter]
  const rows = `SELECT 1 FROM ${from} WHERE ${where('$1::uuid')} LIMIT ${FEW_LIBRARY_ROWS + 1}`
  const [count] = await db.$queryRawUnsafe<{ n: number }[]>(`SELECT count(*)::int AS n FROM (${rows}) AS few`, value)
  return (count?.n ?? 0) <= FEW_LIBRARY_ROWS
}
