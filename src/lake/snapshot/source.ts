import pg from 'pg'
import { quoteIdentifier } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { CopySocket } from './copy-socket.ts'

/** Facts of the transaction that reads every table: they go into the manifest. */
export interface SourceFacts {
  readonly database: string
  readonly pg_version: string
  readonly system_identifier: string | null
  readonly role: 'primary' | 'standby'
  readonly snapshot: string
  readonly xmin: string
  readonly xmax: string
  readonly wal_lsn: string
  readonly taken_at: string
}

/** One connection to the source, ready for COPY. */
export interface Source {
  readonly client: pg.Client
  /** Undefined over TLS: there COPY goes through `pg-copy-streams`. */
  readonly socket: CopySocket | undefined
}

/** Nobody waits longer for a lock that somebody else holds exclusively. */
export const LOCK_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 2_000

/**
 * Opens a connection whose COPY data can be read without a copy per chunk (plain TCP) or through pg's own stream (TLS).
 *
 * @throws LakeProblem `connection_lost` when the server cannot be reached or refuses the login.
 */
export async function openSource(url: string, applicationName: string): Promise<Source> {
  const config = {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  }
  const encrypted = Boolean((new pg.Client(config) as pg.Client & { ssl: unknown }).ssl)
  const socket = encrypted ? undefined : new CopySocket()
  const client = new pg.Client(socket ? { ...config, stream: () => socket.socket } : config)
  // Without a listener a connection that breaks between two queries would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw new LakeProblem('connection_lost', 'The database that the snapshot reads cannot be reached', {}, error)
  }
  return { client, socket }
}

/**
 * Limits of every transaction that reads. A host that vanishes must not keep its locks for the hours that TCP allows: the server asks
 * after half a minute of silence.
 */
function limits(maxAgeMs: number): string {
  return (
    `SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = ${Math.ceil(maxAgeMs)}; ` +
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL idle_in_transaction_session_timeout = 0; ` +
    `SET LOCAL search_path = public; SET LOCAL client_encoding = 'UTF8'; ` +
    'SET LOCAL tcp_keepalives_idle = 10; SET LOCAL tcp_keepalives_interval = 5; SET LOCAL tcp_keepalives_count = 4'
  )
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

/** Less than the server's deadlock_timeout, 1 s: of two that wait for each other the snapshot gives way, and not a deployment. */
const LOCK_TRY_MS = 800
/** lock_not_available, deadlock_detected. */
const LOCKED = new Set(['55P03', '40P01'])

/** Begins with all tables locked, or with none: who cannot have them all lets go of the others, and tries again. */
async function beginLocked(
  client: pg.Client,
  maxAgeMs: number,
  tables: readonly string[],
  patienceMs: number,
): Promise<void> {
  const lock = `LOCK TABLE ${tables.map(quoteIdentifier).join(', ')} IN ACCESS SHARE MODE`
  const deadline = performance.now() + patienceMs
  for (;;) {
    await client.query(BEGIN)
    await client.query(limits(maxAgeMs))
    if (tables.length === 0) return
    try {
      await client.query(
        `SET LOCAL lock_timeout = ${LOCK_TRY_MS}; ${lock}; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
      )
      return
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!LOCKED.has(code) || performance.now() > deadline) throw error
      await client.query('ROLLBACK')
    }
  }
}

/**
 * Begins the transaction that sees one instant of the database and says which.
 *
 * READ ONLY REPEATABLE READ also on a standby, where SERIALIZABLE DEFERRABLE is refused. The tables are locked before the instant is
 * chosen: TRUNCATE and rewriting forms of ALTER TABLE do not keep old rows for older snapshots, so one that slipped in between would
 * show an empty table.
 *
 * @param tables to lock in ACCESS SHARE mode.
 * @param patienceMs how long it is tried to lock them.
 * @throws an error with SQLSTATE 55P03 when one of them stays locked exclusively; see `sourceProblem`.
 */
export async function beginSnapshot(
  client: pg.Client,
  maxAgeMs: number,
  tables: readonly string[] = [],
  patienceMs = LOCK_TIMEOUT_MS,
): Promise<SourceFacts> {
  await beginLocked(client, maxAgeMs, tables, patienceMs)
  const { rows } = await client.query<{
    database: string
    version: string
    standby: boolean
    snapshot: string
    taken_at: Date
  }>(
    `SELECT current_database() AS database, current_setting('server_version') AS version,
            pg_is_in_recovery() AS standby, pg_current_snapshot()::text AS snapshot, statement_timestamp() AS taken_at`,
  )
  const row = rows[0]!
  // Just after the snapshot: good for ordering, not for handing over to change capture.
  const lsn = row.standby ? 'pg_last_wal_replay_lsn()' : 'pg_current_wal_lsn()'
  const wal = await client.query<{ lsn: string | null }>(`SELECT ${lsn}::text AS lsn`)
  const [xmin = '', xmax = ''] = row.snapshot.split(':')
  return {
    database: row.database,
    pg_version: row.version,
    system_identifier: await systemIdentifier(client),
    role: row.standby ? 'standby' : 'primary',
    snapshot: row.snapshot,
    xmin,
    xmax,
    wal_lsn: wal.rows[0]?.lsn ?? '0/0',
    taken_at: row.taken_at.toISOString(),
  }
}

/** Lets other connections see the same instant, as long as this transaction lives. @returns the name to import. */
export async function exportSnapshot(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_export_snapshot() AS name')
  return rows[0]?.name ?? ''
}

/** What the server says to a name of which it has no snapshot: by release, and where another server is asked. */
const UNKNOWN_SNAPSHOT = new Set(['22023', '42704', '58P01', '0A000'])

/**
 * Begins a transaction that sees the instant that another connection exported.
 *
 * @throws LakeProblem `load_balanced_endpoint` when the server does not know the snapshot: it is another one.
 */
export async function importSnapshot(client: pg.Client, name: string, maxAgeMs: number): Promise<void> {
  assertSnapshotName(name)
  await client.query(BEGIN)
  try {
    await client.query(`SET TRANSACTION SNAPSHOT '${name}'`)
  } catch (error) {
    if (!UNKNOWN_SNAPSHOT.has((error as { code?: string }).code ?? '')) throw error
    throw new LakeProblem(
      'load_balanced_endpoint',
      'The server that a reader reached does not know the snapshot that another connection holds: the address leads to more ' +
        'than one instance, give the snapshot the address of one',
      {},
      error,
    )
  }
  await client.query(limits(maxAgeMs))
}

function assertSnapshotName(name: string): void {
  if (!/^[0-9A-F-]+$/i.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of an exported snapshot`)
}

/** What makes a transaction that another program has just begun see the exported instant, with the limits of all that read. */
export function importStatements(name: string, maxAgeMs: number): string {
  assertSnapshotName(name)
  return (
    'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ' +
    `SET TRANSACTION SNAPSHOT '${name}'; ${limits(maxAgeMs)}`
  )
}

/** Process id of the server's side, as the login told it. */
export function backendPid(client: pg.Client): number {
  return (client as pg.Client & { processID: number }).processID
}

/** Breaks a connection: its queries fail, and the server ends the transaction and frees its locks. */
export function breakSource({ client }: Source): void {
  ;(client as pg.Client & { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

/** Closes a connection without waiting for a server that may be gone. */
export async function closeSource({ client }: Source): Promise<void> {
  await Promise.race([
    client.end().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref()),
  ])
}

/** Which cluster this is; null where the role may not know. */
export async function systemIdentifier(client: pg.Client): Promise<string | null> {
  const allowed = await client.query<{ ok: boolean }>(
    `SELECT has_function_privilege('pg_control_system()', 'EXECUTE') AS ok`,
  )
  if (!allowed.rows[0]?.ok) return null
  const { rows } = await client.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()')
  return rows[0]?.id ?? null
}

/** `20261122…` names a row in pg_stat_activity, so that an operator knows whose transaction that is. */
export function applicationName(snapshotId: string): string {
  return `rocketgames-snapshot:${snapshotId}`
}
