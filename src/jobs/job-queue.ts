import { AsyncLocalStorage } from 'node:async_hooks'
import type { PgBoss } from 'pg-boss'
import type { Database, RawClient } from '../database/database.ts'
import { QUEUE_SCHEMA } from '../database/queue-schema.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { ToldReasons } from './told-reasons.ts'

/**
 * The queue under the jobs: pg-boss, which hands each job to one worker of the deployment and hands it out again when that worker
 * dies. Nobody else in the program knows the library.
 */

const QUEUE = 'accounts-job'
/**
 * A worker that says nothing for so long is dead: its job is given to another. A process or a database that is busy for some
 * seconds is not: each false alarm has a job begin anew.
 */
const HEARTBEAT_SECONDS = 30
const HEARTBEAT_EVERY_SECONDS = 5
const SUPERVISE_SECONDS = 5
const POLL_SECONDS = 1
/** The same error once in so long. */
const TOLD_EVERY_MS = 60_000
/** Above the longest job: dead workers are found by their heartbeat. */
const EXPIRE_SECONDS = 23 * 3600
/** How often a job may be handed out is decided by its attempts, not by the queue. */
const RETRIES = 10_000

const SETTINGS = {
  expireInSeconds: EXPIRE_SECONDS,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  retryLimit: RETRIES,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  deleteAfterSeconds: 3600,
}

export interface JobQueueOptions {
  readonly database: Database
  readonly logger?: Logger | undefined
}

/** Does one job; rejects when it is to be handed out again. `signal`: the queue has given the job to somebody else. */
export type DoJob = (id: string, signal: AbortSignal) => Promise<void>

export class JobQueue {
  readonly #database: Database
  readonly #logger: Logger | undefined
  /** The library's timers must not live in the transaction of the request that happens to come first. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #boss: Promise<PgBoss> | undefined
  #closed = false
  readonly #errors = new ToldReasons(TOLD_EVERY_MS)

  constructor({ database, logger }: JobQueueOptions) {
    this.#database = database
    this.#logger = logger
  }

  /** Queues a job in the transaction of `client`. */
  async send(client: RawClient, id: string): Promise<void> {
    const boss = await this.#open()
    await boss.send(QUEUE, {}, { id, db: through(client) })
  }

  /** Takes a job that waits out of the queue, in the transaction of `client`. */
  async remove(client: RawClient, id: string): Promise<void> {
    const boss = await this.#open()
    await boss.deleteJob(QUEUE, id, { db: through(client) })
  }

  /** Begins to do jobs, at most `concurrency` at once. */
  async work(concurrency: number, doJob: DoJob): Promise<void> {
    const boss = await this.#open()
    const options = {
      batchSize: 1,
      localConcurrency: concurrency,
      pollingIntervalSeconds: POLL_SECONDS,
      heartbeatRefreshSeconds: HEARTBEAT_EVERY_SECONDS,
    }
    await this.#outside(() =>
      boss.work(QUEUE, options, async ([job]) => {
        if (job !== undefined) await doJob(job.id, job.signal)
      }),
    )
  }

  /** No further job is taken; resolves when those that run have ended. Jobs can still be queued. */
  async rest(): Promise<void> {
    const boss = await this.#boss?.catch(() => undefined)
    await boss?.offWork(QUEUE, { wait: true })
  }

  /** For good. */
  async close(): Promise<void> {
    this.#closed = true
    const boss = await this.#boss?.catch(() => undefined)
    await boss?.stop({ graceful: false })
  }

  /** Looks for dead workers now instead of in a few seconds. */
  async supervise(): Promise<void> {
    await (await this.#open()).supervise(QUEUE)
  }

  #open(): Promise<PgBoss> {
    if (this.#closed) throw new AppError('unavailable', 'This process is stopping', { headers: { 'Retry-After': '1' } })
    this.#boss ??= this.#outside(() => this.#start())
    // A database that is away now may be there at the next call.
    this.#boss.catch(() => {
      this.#boss = undefined
    })
    return this.#boss
  }

  /** Workers ask every second: while the database is away each says so each time. */
  #tell(message: string): void {
    const reason = message.replace(/ \(Queue: .*\)$/, '')
    if (this.#errors.isNew(reason)) this.#logger?.warn({ reason }, 'the job queue met an error')
  }

  async #start(): Promise<PgBoss> {
    // Loaded when it is needed: it takes 0.1 s of CPU.
    const { PgBoss } = await import('pg-boss')
    const database = this.#database
    const boss = new PgBoss({
      db: {
        executeSql: (text: string, values?: unknown[]) =>
          database.withClient((client) => client.query(text, values as unknown[])),
      },
      schema: QUEUE_SCHEMA,
      // The migrations make the schema: the service itself may lack the right to.
      migrate: false,
      createSchema: false,
      schedule: false,
      registerInstance: false,
      // Needs the ownership of the tables; a handful of jobs a day leaves nothing to rebuild.
      reindex: false,
      monitorVacuum: false,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
    })
    boss.on('error', ({ message }) => this.#tell(message))
    boss.on('warning', ({ message }) => this.#logger?.warn({ reason: message }, 'the job queue warns'))
    try {
      await boss.start()
      await boss.createQueue(QUEUE, { policy: 'standard', ...SETTINGS })
      // A queue that an earlier release made keeps its settings otherwise.
      await boss.updateQueue(QUEUE, SETTINGS)
      return boss
    } catch (error) {
      // Its timers would go on beside those of the next attempt.
      await boss.stop({ graceful: false }).catch(() => undefined)
      throw error
    }
  }
}

/** SQL: is the job in the queue, or being done? */
export const waitsInQueue = (id: string): string =>
  `EXISTS (SELECT 1 FROM ${QUEUE_SCHEMA}.job q WHERE q.name = '${QUEUE}' AND q.id = ${id} AND q.state < 'completed')`

const through = (client: RawClient) => ({
  executeSql: (text: string, values?: unknown[]) => client.query(text, values as unknown[]),
})
