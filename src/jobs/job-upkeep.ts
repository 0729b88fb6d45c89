import type { Database, RawClient } from '../database/database.ts'
import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'
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

  constructor(database: Database, queue: JobQueue, logger: Logger | undefined) {
    this.#database = database
    this.#queue = queue
    this.#logger = logger
  }

  start(): void {
    const pass = () => {
      this.run().catch((error: unknown) => this.#logger?.warn({ reason: describe(error) }, 'jobs were not tidied'))
    }
    this.#timer = setInterval(pass, EVERY_MS)
    this.#timer.unref()
    pass()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One pass; nothing when another process is at it. */
  async run(): Promise<void> {
    await this.#database.rawTransaction(async (client) => {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        UPKEEP_LOCK,
      ])
      if (!rows[0]?.mine) return
      await client.query('DELETE FROM job WHERE expires_at < now()')
      // Bodies whose submitter left in their middle, or whose process died.
      await client.query("DELETE FROM job_file WHERE job_id IS NULL AND created_at < now() - interval '1 day'")
      for (const id of await lostJobs(client)) {
        await this.#queue.remove(client, id)
        await this.#queue.send(client, id)
        this.#logger?.warn({ job: id }, 'a job that the queue had lost is queued again')
      }
    })
  }
}

/** Not in the first minute: a job that is being taken, or ends now, is on its way. */
async function lostJobs(client: RawClient): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM job WHERE state IN ('queued', 'running') AND created_at < now() - interval '1 minute'
       AND NOT ${waitsInQueue('job.id')} LIMIT 100`,
  )
  return rows.map(({ id }) => id)
}
