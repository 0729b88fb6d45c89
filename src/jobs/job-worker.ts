import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { AppError, describe } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { errorType, inSpan, type Span } from '../tracing.ts'
import { type JobHandler, type JobKind, type JobProblem, MAX_JOB_INTERRUPTIONS } from './job.ts'
import { JobAttempt, StopWork } from './job-attempt.ts'
import { OvertakenError } from './job-file-store.ts'
import type { JobQueue } from './job-queue.ts'
import { type Attempt, beginAttempt, endJob, type JobEnd, requeue } from './job-store.ts'
import { JobUpkeep } from './job-upkeep.ts'

/** Jobs at once in a process: each holds a connection of the pool while it reads or writes. */
const CONCURRENCY = 2
/** A job that has been handed out so often, say because something it needs stays away, is given up. */
const MAX_ATTEMPTS = 100
/** A handler that has not heard by then loses its process; its job is taken up when its heartbeat has ceased. */
const STOP_PATIENCE_MS = 15_000
/** Between two attempts to begin while the database is away. */
const START_AGAIN_MS = 500

export interface JobWorkerOptions {
  readonly database: Database
  readonly queue: JobQueue
  readonly handlers: readonly JobHandler[]
  readonly logger?: Logger | undefined
  readonly metrics?: Metrics | undefined
}

/** Does jobs in this process, from `start()` until `stop()`. */
export class JobWorker {
  readonly #database: Database
  readonly #queue: JobQueue
  readonly #handlers: ReadonlyMap<JobKind, JobHandler>
  readonly #logger: Logger | undefined
  readonly #metrics: Metrics | undefined
  readonly #upkeep: JobUpkeep
  readonly #running = new Set<JobAttempt>()
  #stopping = false

  constructor({ database, queue, handlers, logger, metrics }: JobWorkerOptions) {
    this.#database = database
    this.#queue = queue
    this.#handlers = new Map(handlers.map((handler) => [handler.kind, handler]))
    this.#logger = logger
    this.#metrics = metrics
    this.#upkeep = new JobUpkeep(database, queue, logger)
  }

  /** Jobs that this process does now. */
  get running(): number {
    return this.#running.size
  }

  /**
   * Resolves when jobs are taken.
   *
   * @param leave with it a database that is away is waited for, until it is aborted; without it that is told, as `unavailable`
   */
  async start(leave?: AbortSignal): Promise<void> {
    for (let told = false; !this.#stopping && !leave?.aborted; ) {
      try {
        await this.#queue.work(CONCURRENCY, (id, signal) => this.#do(id, signal))
        return this.#upkeep.start()
      } catch (error) {
        if (leave === undefined || !isUnavailable(error)) throw error
        if (!told) this.#logger?.warn({ reason: describe(error) }, 'no jobs are done yet: the database is away')
        told = true
      }
      await delay(START_AGAIN_MS, undefined, { signal: leave }).catch(() => undefined)
    }
  }

  /** What runs is told to stop and goes back to the queue; whoever takes it up begins it anew. Jobs can still be submitted. */
  async stop(): Promise<void> {
    this.#stopping = true
    const tidied = this.#upkeep.stop()
    for (const attempt of this.#running) attempt.stop('stopping')
    const patience = new AbortController()
    const deaf = delay(STOP_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined)
    await Promise.race([Promise.all([this.#queue.rest(), tidied]), deaf])
    patience.abort()
  }

  /** Stops, and closes the queue for everybody: the last thing before the database is closed. */
  async close(): Promise<void> {
    await this.stop()
    await this.#queue.close()
  }

  /** Rejects when the job is to be handed out again. */
  async #do(id: string, signal: AbortSignal): Promise<void> {
    if (this.#stopping) throw new StopWork('stopping')
    const begun = await this.#database.rawTransaction((client) => beginAttempt(client, id))
    if (begun === undefined) return
    const handler = this.#handlers.get(begun.kind)
    if (begun.cancelRequested) return this.#end(begun, { state: 'cancelled' })
    if (begun.keyEnded) return this.#end(begun, KEY_ENDED)
    if (begun.interruptions > MAX_JOB_INTERRUPTIONS || begun.number > MAX_ATTEMPTS) {
      return this.#end(begun, { state: 'failed', problem: GIVEN_UP })
    }
    if (handler === undefined) return this.#giveBack(begun, new Error(`nothing here does jobs of kind ${begun.kind}`))
    const attempt = new JobAttempt(this.#database, begun)
    const overtaken = () => attempt.stop('overtaken')
    signal.addEventListener('abort', overtaken)
    this.#running.add(attempt)
    try {
      // A stop that came while the attempt began has not found it.
      if (this.#stopping) attempt.stop('stopping')
      const attributes = { 'rocketgames.job_id': begun.id, 'rocketgames.attempt': begun.number }
      await inSpan(`job ${begun.kind}`, { kind: 'consumer', attributes }, (span) =>
        this.#run(begun, attempt, handler, span),
      )
    } finally {
      this.#running.delete(attempt)
      signal.removeEventListener('abort', overtaken)
    }
  }

  async #run(begun: Attempt, attempt: JobAttempt, handler: JobHandler, span: Span | undefined): Promise<void> {
    const { id, kind } = begun
    const started = performance.now()
    let outcome = 'succeeded'
    attempt.begin()
    try {
      attempt.signal.throwIfAborted()
      const { state, summary } = await handler.run(attempt)
      await attempt.finish()
      const found = attempt.errorLines > 0 ? 'succeeded_with_errors' : 'succeeded'
      await this.#end(begun, { state: state ?? found, summary })
    } catch (error) {
      outcome = attempt.signal.aborted ? (attempt.signal.reason as StopWork).reason : errorType(error)
      span?.fail(outcome)
      await attempt.leave()
      await this.#settle(begun, attempt, error)
    } finally {
      const ms = Math.round(performance.now() - started)
      this.#metrics?.jobAttempts.observe({ kind, outcome }, ms / 1000)
      this.#logger?.info({ job: id, kind, attempt: begun.number, outcome, ms }, 'an attempt at a job ended')
    }
  }

  /** What becomes of a job whose attempt did not come to its end. */
  async #settle(begun: Attempt, attempt: JobAttempt, error: unknown): Promise<void> {
    const stopped = attempt.signal.aborted ? (attempt.signal.reason as StopWork).reason : undefined
    if (stopped === 'overtaken' || error instanceof OvertakenError) return
    if (stopped === 'cancelled') return this.#end(begun, { state: 'cancelled' })
    if (stopped === 'revoked') return this.#end(begun, KEY_ENDED)
    if (stopped === 'stopping') return this.#giveBack(begun, error)
    if (isUnavailable(error)) return this.#giveBack(begun, error)
    if (!(error instanceof AppError)) {
      this.#logger?.error({ job: begun.id, kind: begun.kind, reason: describe(error) }, 'a job failed')
    }
    await this.#end(begun, { state: 'failed', problem: problemOf(error) })
  }

  async #giveBack(begun: Attempt, error: unknown): Promise<never> {
    await this.#database.withClient((client) => requeue(client, begun))
    throw error
  }

  async #end({ id, number }: Attempt, end: JobEnd): Promise<void> {
    await this.#database.rawTransaction((client) => endJob(client, id, number, end))
  }
}

const isUnavailable = (error: unknown) => error instanceof AppError && error.code === 'unavailable'

const KEY_ENDED: JobEnd = {
  state: 'failed',
  problem: { code: 'forbidden', detail: 'The API key that submitted the job was revoked or has expired' },
}

const GIVEN_UP: JobProblem = {
  code: 'internal',
  detail: 'The job was begun several times and never came to an end; it is not tried again',
}

function problemOf(error: unknown): JobProblem {
  if (!(error instanceof AppError))
    return { code: 'internal', detail: 'Something went wrong on our side; it was logged' }
  return { code: error.code, detail: error.message, ...(error.errors.length > 0 ? { errors: error.errors } : {}) }
}
