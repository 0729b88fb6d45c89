import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'

/** The lock that migrations take (`database/migrate.ts`). */
const MIGRATION_LOCK = 72707369
const INTERVAL_MS = 2_000

/**
 * Lets deployments pass. COPY holds ACCESS SHARE, behind which an ALTER TABLE would wait and queue everybody else behind itself:
 * so a connection of its own holds the migrations' lock in shared mode, looks every two seconds for somebody who waits, and cancels
 * the run.
 */
export class LockWatch {
  readonly #client: pg.Client
  readonly #readers: readonly number[]
  readonly #tables: readonly string[]
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  private constructor(client: pg.Client, readers: readonly number[], tables: readonly string[]) {
    this.#client = client
    this.#readers = readers
    this.#tables = tables
  }

  /**
   * @param readers backend process ids of the connections that read.
   * @throws LakeProblem `migration_running` when a migration holds the lock now.
   */
  static async start(client: pg.Client, readers: readonly number[], tables: readonly string[]): Promise<LockWatch> {
    const { rows } = await client.query<{ ok: boolean }>('SELECT pg_try_advisory_lock_shared($1) AS ok', [
      MIGRATION_LOCK,
    ])
    if (!rows[0]?.ok) {
      throw new LakeProblem(
        'migration_running',
        'A migration of the database is under way; start the snapshot after it',
      )
    }
    const watch = new LockWatch(client, readers, tables)
    watch.#timer = setInterval(() => {
      watch.#looking = watch.#look()
    }, INTERVAL_MS)
    return watch
  }

  /** Aborts with `preempted_by_migration`. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Ends the watch and gives the lock back; never throws. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    await this.#client.query('SELECT pg_advisory_unlock_shared($1)', [MIGRATION_LOCK]).catch(() => undefined)
  }

  async #look(): Promise<void> {
    try {
      const { rows } = await this.#client.query<{ waits: boolean }>(
        `SELECT EXISTS (
           SELECT FROM pg_locks
            WHERE NOT granted AND pid <> ALL ($1::int[])
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND ((locktype = 'advisory' AND classid = 0 AND objid = $2)
                OR (locktype = 'relation'
                    AND relation = ANY (SELECT to_regclass(quote_ident(t))::oid FROM unnest($3::text[]) t)))) AS waits`,
        [this.#readers, MIGRATION_LOCK, this.#tables],
      )
      if (rows[0]?.waits && !this.#abort.signal.aborted) await this.#preempt()
    } catch (error) {
      this.#abort.abort(new LakeProblem('connection_lost', 'The connection that watches for locks broke', {}, error))
    }
  }

  async #preempt(): Promise<void> {
    clearInterval(this.#timer)
    this.#abort.abort(
      new LakeProblem(
        'preempted_by_migration',
        'Somebody waits for a lock on an exported table; the snapshot made way and is to be started again',
      ),
    )
    await this.#client.query('SELECT pg_terminate_backend(p) FROM unnest($1::int[]) p', [this.#readers])
    await this.#client.query('SELECT pg_advisory_unlock_shared($1)', [MIGRATION_LOCK])
  }
}
