import type { Database, RawClient } from '../database/database.ts'
import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { allowLargeDelete } from './job-file-store.ts'
import { type JobQueue, waitsInQueue } from './job-queue.ts'

const EVERY_MS = 10 * 60_000
/** One process of the deployment at a time. */
const UPKEEP_LOCK = 72707370

/** Forgets what has expired, and queues anew what the queue has lost. */
export class JobUpkeep {
  readonly #database: Database
  readonly #queue: JobQueue
  readonly #logger: Logger | undefined
  #timer: NodeJS.Timeout | undefined
  #passing: Promise<void> | undefined
  #stopping = false

  constructor(database: Database, queue: JobQueue, logger: Logger | undefined) {
    this.#database = database
    this.#queue = queue
    this.#logger = logger
  }

  start(): void {
    const pass = () => {
      // One that takes long is not joined by the next.
      this.#passing ??= this.run()
        .catch((error: unknown) => this.#logger?.warn({ reason: describe(error) }, 'jobs were not tidied'))
        .finally(() => {
          this.#passing = undefined
        })
    }
    this.#timer = setInterval(pass, EVERY_MS)
    this.#timer.unref()
    pass()
  }

  /** Resolves when the pass that runs has ended, which it does soon. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await this.#passing
  }

  /** One pass; what another process is at is left to it. */
  async run(): Promise<void> {
    await this.#forget(EXPIRED_JOB)
    await this.#forget(ORPHANED_BODY)
    await this.#database.rawTransaction(async (client) => {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        UPKEEP_LOCK,
      ])
      if (!rows[0]?.mine) return
      for (const id of await lostJobs(client)) {
        await this.#queue.remove(client, id)
        await this.#queue.send(client, id)
        this.#logger?.warn({ job: id }, 'a job that the queue had lost is queued again')
      }
    })
  }

  /** One after the other, each by itself: a week of large results is more than a statement has time for. */
  async #forget(oldest: string): Promise<void> {
    for (let found = true; found && !this.#stopping; ) {
      found = await this.#database.rawTransaction(async (client) => {
        await allowLargeDelete(client)
        return (await client.query(oldest)).rowCount === 1
      })
    }
  }
}

const EXPIRED_JOB = `DELETE FROM job WHERE id = (
  SELECT id FROM job WHERE expires_at < now() ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED)`

/** Its submitter left in its middle, or its process died. */
const ORPHANED_BODY = `DELETE FROM job_file WHERE id = (
  SELECT id FROM job_file WHERE job_id IS NULL AND created_at < now() - interval '1 day' LIMIT 1 FOR UPDATE SKIP LOCKED)`

/** Not in the first minute: a job that is being taken, or ends now, is on its way. */
async function lostJobs(client: RawClient): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM job WHERE state IN ('queued', 'running') AND created_at < now() - interval '1 minute'
       AND NOT ${waitsInQueue('job.id')} LIMIT 100`,
  )
  return rows.map(({ id }) => id)
}
