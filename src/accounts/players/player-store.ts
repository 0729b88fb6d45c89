import type { Context } from '../../caller.ts'
import type { Database, PrismaClient, Transaction } from '../../database/database.ts'
import { byIdsSql, camelRow, selectList } from '../../database/list-sql.ts'
import { toSnakeCase } from '../../naming.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { withAudit } from '../audit/audit-store.ts'
import { fromDay, toDay } from '../text/calendar-date.ts'
import { writeRow } from '../writing/write-service.ts'
import type { Player } from './player.ts'
import { playerList } from './player-list.ts'

type Reader = Transaction | PrismaClient

const source = { spec: playerList, select: { birth_date: 't.birth_date::text' } }
const columns = selectList(source)
const byIds = byIdsSql(source)

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
