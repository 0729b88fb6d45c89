import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'

/** The lock that migrations take (`database/migrate.ts`). */
const MIGRATION_LOCK = 72707369
const INTERVAL_MS = 2_000
/** A look that takes longer means that nobody watches: the run ends, so that it cannot stand in anybody's way. */
const LOOK_TIMEOUT_MS = 2_000
/** Of pg_stat_activity: the other connections of the run. */
const SAME_RUN = `application_name = current_setting('application_name') AND usename = current_user
                 AND datname = current_database() AND pid <> pg_backend_pid()`

/**
 * Lets deployments pass. COPY holds ACCESS SHARE, behind which an ALTER TABLE would wait and queue everybody else behind itself:
 * so a connection of its own holds the migrations' lock in shared mode, looks every two seconds for somebody who waits, and cancels
 * the run. With the time that a look may take, and the moment in which the readers end, nobody waits longer than five seconds.
 */
export class LockWatch {
  readonly #client: pg.Client
  readonly #readers: () => readonly number[]
  readonly #tables: readonly string[]
  readonly #intervalMs: number
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #stopped = false
  #deaf = false

  private constructor(
    client: pg.Client,
    readers: () => readonly number[],
    tables: readonly string[],
    intervalMs: number,
  ) {
    this.#client = client
    this.#readers = readers
    this.#tables = tables
    this.#intervalMs = intervalMs
  }

  /**
   * @param readers backend process ids of the connections that hold locks now.
   * @param intervalMs between two looks; shorter in tests.
   * @throws LakeProblem `migration_running` when a migration holds the lock now.
   */
  static async start(
    client: pg.Client,
    readers: () => readonly number[],
    tables: readonly string[],
    intervalMs = INTERVAL_MS,
  ): Promise<LockWatch> {
    const { rows } = await client.query<{ ok: boolean }>('SELECT pg_try_advisory_lock_shared($1) AS ok', [
      MIGRATION_LOCK,
    ])
    if (!rows[0]?.ok) {
      throw new LakeProblem(
        'migration_running',
        'A migration of the database is under way; start the snapshot after it',
      )
    }
    const watch = new LockWatch(client, readers, tables, intervalMs)
    watch.#schedule()
    return watch
  }

  /** Aborts with `preempted_by_migration`, or `connection_lost` when nobody can watch any more. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Ends the watch and gives the lock back; never throws. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
    // A connection that did not answer is closed, and the server frees what it holds.
    if (!this.#deaf) await within(LOOK_TIMEOUT_MS, this.#unlock()).catch(() => undefined)
  }

  #schedule(): void {
    if (this.#stopped || this.#abort.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.#schedule())
    }, this.#intervalMs)
  }

  async #look(): Promise<void> {
    try {
      if (await within(LOOK_TIMEOUT_MS, this.#somebodyWaits())) await this.#preempt()
    } catch (error) {
      this.#deaf = true
      this.#abort.abort(new LakeProblem('connection_lost', 'The connection that watches for locks broke', {}, error))
    }
  }

  /**
   * For an exported table, for anything else that a reader has locked (a partition, an index), or for the migrations' lock. Readers are the
   * connections of this run, and those of other programs that read for it, by their common name.
   */
  async #somebodyWaits(): Promise<boolean> {
    const { rows } = await this.#client.query<{ waits: boolean }>(
      `WITH reader AS (SELECT ARRAY(SELECT pid FROM pg_stat_activity WHERE ${SAME_RUN}) || $1::int[] AS pids)
       SELECT EXISTS (
         SELECT FROM pg_locks, reader
          WHERE NOT granted AND pid <> ALL (reader.pids)
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND ((locktype = 'advisory' AND classid = 0 AND objid = $2)
              OR (locktype = 'relation'
                  AND (relation = ANY (SELECT to_regclass(quote_ident(t))::oid FROM unnest($3::text[]) t)
                    OR pg_blocking_pids(pid) && reader.pids)))) AS waits`,
      [this.#readers(), MIGRATION_LOCK, this.#tables],
    )
    return rows[0]?.waits === true
  }

  async #preempt(): Promise<void> {
    const readers = this.#readers()
    this.#abort.abort(
      new LakeProblem(
        'preempted_by_migration',
        'Somebody waits for a lock on an exported table; the snapshot made way and is to be started again',
      ),
    )
    // By name as well: a server process whose client is gone does not know it yet, and keeps its lock.
    const freeing = this.#client
      .query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE pid = ANY ($1::int[])
             OR (${SAME_RUN})`,
        [readers],
      )
      .then(() => this.#unlock())
    await within(LOOK_TIMEOUT_MS, freeing)
  }

  async #unlock(): Promise<void> {
    await this.#client.query('SELECT pg_advisory_unlock_shared($1)', [MIGRATION_LOCK])
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms`)), ms)
  })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
