import pg from 'pg'
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

const LOCK_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 10_000

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
 * Begins the transaction that sees one instant of the database and says which.
 *
 * READ ONLY REPEATABLE READ also on a standby, where SERIALIZABLE DEFERRABLE is refused.
 */
export async function beginSnapshot(client: pg.Client, maxAgeMs: number): Promise<SourceFacts> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  await client.query(
    `SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = ${Math.ceil(maxAgeMs)}; ` +
      `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL idle_in_transaction_session_timeout = 0; ` +
      `SET LOCAL search_path = public; SET LOCAL client_encoding = 'UTF8'`,
  )
  const { rows } = await client.query<{
    database: string
    version: string
    standby: boolean
    snapshot: string
    taken_at: Date
  }>(
    `SELECT current_database() AS database, current_setting('server_version') AS version,
            pg_is_in_recovery() AS standby, pg_current_snapshot()::text AS snapshot, now() AS taken_at`,
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
