import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { ConnectionLost, databaseError } from './constraint-errors.ts'
import { migrateQueueSchema } from './queue-schema.ts'

/**
 * Brings a database up to date, without Prisma's engine.
 *
 * Keeps Prisma Migrate's books: the same folder, the same table `_prisma_migrations`, the same checksum (hex SHA-256 of the
 * file) and the same advisory lock, so either may read the other's history. One file is one simple query and therefore one
 * implicit transaction: a migration is there as a whole or not at all.
 */

/** The advisory lock of Prisma Migrate. Whoever holds it migrates, everybody else waits. */
const MIGRATION_LOCK = 72707369
const CONNECT_TIMEOUT_MS = 10_000
/** Between two attempts to reach a database that is away. */
const PAUSE_MS = 250
const MIGRATION_NAME = /^\d{14}_[a-z0-9]+(_[a-z0-9]+)*$/

const HISTORY_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`

/** `prisma/migrations` of this package: beside `src/` as beside `dist/`. */
export const migrationsDir: string = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))

export type MigrationProblem = 'failed-before' | 'failed' | 'edited' | 'missing' | 'unreadable' | 'lock-timeout'

/** The database was left as it was before the migration that is named, or untouched if none is. */
export class MigrationError extends Error {
  override readonly name: string = 'MigrationError'
  readonly problem: MigrationProblem

  constructor(problem: MigrationProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.problem = problem
  }
}

export interface MigrateOptions {
  /** `postgresql://…` of a user who may create schemas, tables and the extension pg_trgm; of anyone when all is applied. */
  readonly url: string
  /** Folder of `<14 digits>_<name>/migration.sql`; default: that of this package. */
  readonly dir?: string
  /** How long to wait for somebody else who is migrating; default 60 s. */
  readonly lockTimeoutMs?: number
  /** How long to wait for a database that is away before anything was begun; default not at all. */
  readonly patienceMs?: number
  /** Told the name of each migration once it is applied. */
  readonly log?: (migration: string) => void
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

interface HistoryRow {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: Date | null
}

/** Migrations of a folder in the order in which they apply. */
async function readMigrations(dir: string): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new MigrationError('unreadable', `the migrations folder ${dir} cannot be read`, cause)
  })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      if (!MIGRATION_NAME.test(name)) {
        throw new MigrationError('unreadable', `${name} is no migration name; it must be like 20261101090000_add_thing`)
      }
      const sql = await readFile(path.join(dir, name, 'migration.sql'), 'utf8').catch((cause: unknown) => {
        throw new MigrationError('unreadable', `migration ${name} has no readable migration.sql`, cause)
      })
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/** Refuses a history that the folder does not explain; else returns what is left to apply. */
function pending(local: readonly Migration[], history: readonly HistoryRow[]): Migration[] {
  const failed = history.find((row) => row.finished_at === null)
  if (failed) {
    throw new MigrationError(
      'failed-before',
      `migration ${failed.migration_name} did not finish the last time. Read its "logs" in _prisma_migrations, mend the ` +
        'cause, set its rolled_back_at to now() and run the migration again',
    )
  }
  const byName = new Map(local.map((migration) => [migration.name, migration]))
  for (const row of history) {
    const migration = byName.get(row.migration_name)
    if (!migration) {
      throw new MigrationError(
        'missing',
        `the database has migration ${row.migration_name}, which this version of the program does not know: it is older ` +
          'than the database. Run the version that belongs to the database, or a newer one',
      )
    }
    if (migration.checksum !== row.checksum) {
      throw new MigrationError(
        'edited',
        `migration ${row.migration_name} was changed after it was applied to this database. Restore the file and put the ` +
          'change into a new migration',
      )
    }
  }
  const done = new Set(history.map((row) => row.migration_name))
  return local.filter((migration) => !done.has(migration.name))
}

async function lock(client: pg.Client, timeoutMs: number): Promise<void> {
  await client.query('SELECT set_config($1, $2, false)', ['lock_timeout', `${Math.max(1, Math.ceil(timeoutMs))}ms`])
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error
    throw new MigrationError(
      'lock-timeout',
      `somebody else was still migrating after ${timeoutMs} ms; try again`,
      error,
    )
  }
  await client.query('SET lock_timeout = 0')
}

/** A connection that holds the lock. What is lost until then has done nothing, and is tried again while there is patience. */
async function openLocked(url: string, lockTimeoutMs: number, patienceMs: number): Promise<pg.Client> {
  const application_name = 'rocketgames migrate'
  for (let since: number | undefined; ; ) {
    const client = new pg.Client({
      connectionString: url,
      application_name,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    // A connection that breaks between two statements is reported by the next one; without a listener it ends the process.
    client.on('error', () => undefined)
    try {
      await client.connect()
      since = undefined
      await lock(client, lockTimeoutMs)
      return client
    } catch (thrown) {
      await client.end().catch(() => undefined)
      const error = databaseError(thrown)
      since ??= performance.now()
      if (!(error instanceof ConnectionLost) || performance.now() - since >= patienceMs) throw error
      await delay(PAUSE_MS)
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const id = randomUUID()
  const { name, sql, checksum } = migration
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ])
  try {
    await client.query(sql)
  } catch (error) {
    const { code, message, detail, position } = error as pg.DatabaseError
    const logs = [`${code ?? ''} ${message}`.trim(), detail, position && `at character ${position}`]
    // A file with its own BEGIN leaves its transaction open. If the connection is gone, the unfinished row says enough.
    await client.query('ROLLBACK').catch(() => undefined)
    await client
      .query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, logs.filter(Boolean).join('\n')])
      .catch(() => undefined)
    throw new MigrationError('failed', `migration ${name} failed: ${message}`, error)
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id])
}

/**
 * Applies what is missing and returns its names, oldest first; safe to repeat and to run by many at once.
 *
 * Throws `MigrationError` when the history and the folder do not belong together or a migration fails. A statement that
 * cannot run in a transaction (`CREATE INDEX CONCURRENTLY`) must be alone in its file.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const local = await readMigrations(options.dir ?? migrationsDir)
  const client = await openLocked(options.url, options.lockTimeoutMs ?? 60_000, options.patienceMs ?? 0)
  try {
    // Even IF NOT EXISTS wants the right to create, which a service whose database is up to date need not have.
    const { rows: found } = await client.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found")
    if (!found[0]?.found) await client.query(HISTORY_TABLE)
    const { rows } = await client.query<HistoryRow>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at',
    )
    const applied: string[] = []
    for (const migration of pending(local, rows)) {
      await apply(client, migration)
      applied.push(migration.name)
      options.log?.(migration.name)
    }
    if (options.dir === undefined || options.dir === migrationsDir) await migrateQueueSchema(client)
    return { applied }
  } finally {
    // Closing the connection releases the lock.
    await client.end()
  }
}
