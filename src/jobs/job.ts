import type { Context } from '../caller.ts'
import type { FieldError } from '../errors.ts'

/**
 * Work that outlives its request: an import or an export of any size. A job is stored, done by any process of the deployment,
 * done again by another one when its process dies, and readable for seven days after its end. Imports types only.
 */

export const JOB_KINDS = ['import', 'export'] as const
export type JobKind = (typeof JOB_KINDS)[number]

/**
 * queued ⇄ running → succeeded, succeeded_with_errors, failed, cancelled; queued → cancelled. A running job goes back to queued
 * when its process stops or dies.
 */
export const JOB_STATES = ['queued', 'running', 'succeeded', 'succeeded_with_errors', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

export const isFinished = (state: JobState): boolean => state !== 'queued' && state !== 'running'

/** Of its error lines a job keeps so many; all of them are counted. */
export const MAX_JOB_ERROR_LINES = 10_000
/** A finished job, its result and its error lines are readable for so long. */
export const JOB_KEPT_DAYS = 7
/** The attempts of a job that ended without an outcome, because its process died, before it is given up. */
export const MAX_JOB_INTERRUPTIONS = 4

/** What is to be done: stored as JSON, never shown. May hold personal data, as a filter by e-mail does. */
export interface JobInput {
  /** Of which resource: shown with the job. */
  readonly resource: string
}

/** Why a job failed; the members of a problem that cannot be looked up by its code. Never a personal value, never SQL. */
export interface JobProblem {
  readonly code: string
  readonly detail: string
  readonly errors?: readonly FieldError[]
}

export interface Job {
  readonly id: string
  readonly kind: JobKind
  readonly resource: string
  readonly state: JobState
  readonly callerType: Context['principal']['type']
  /** Who submitted it and may read it. */
  readonly callerId: string
  readonly requestId: string
  /** Lines, rows or bytes: the handler decides. */
  readonly progressDone: number
  readonly progressTotal: number | null
  /** All error lines, also those beyond the ones that are kept. */
  readonly errorLines: number
  /** What the handler counted, for example the totals of an import. */
  readonly summary: Readonly<Record<string, unknown>> | null
  readonly problem: JobProblem | null
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly cancelRequestedAt: Date | null
  readonly finishedAt: Date | null
  /** When the job is forgotten; set when it ends. */
  readonly expiresAt: Date | null
}

/** A file of a job's result. */
export interface JobFileFacts {
  /** What a download is called: `players.ndjson`. */
  readonly name: string
  /** Its media type. */
  readonly type: string
}

/** Bytes go to Postgres in chunks of 1 MiB; at most one chunk is held in memory. */
export interface JobFile {
  /** Resolves when the next chunk may be given. @throws when the attempt no longer counts; end the work then */
  write(chunk: Uint8Array | string): Promise<void>
  /** A file that is not ended is not there. `sha256` is in hex, over the bytes as they were written. */
  end(): Promise<{ readonly bytes: number; readonly sha256: string }>
}

export interface JobOutcome {
  /** Default: `succeeded`, or `succeeded_with_errors` when `error` was called. */
  readonly state?: 'succeeded' | 'succeeded_with_errors'
  readonly summary?: Readonly<Record<string, unknown>>
}

/** One attempt at a job, as its handler sees it. */
export interface JobWork<Input extends JobInput = JobInput> {
  readonly id: string
  readonly input: Input
  /** The submitter, with the scopes that it had when it submitted. */
  readonly context: Context
  /**
   * Aborted when the job is cancelled, when the process stops, or when another process has taken the job over. Stop soon and
   * throw (`signal.throwIfAborted()`): what becomes of the job is decided outside.
   */
  readonly signal: AbortSignal
  /** May be called for every line: written at most once a second. */
  progress(done: number, total?: number): void
  /** The body that came with `submit`, from its beginning; empty when there was none. May be read once per attempt. */
  body(): AsyncIterable<Uint8Array>
  /** The answer of `GET /v1/jobs/{id}/result`: opened at most once per attempt. */
  result(facts: JobFileFacts): Promise<JobFile>
  /** A further file, `GET /v1/jobs/{id}/result/parts/{number}`; numbers from 1. */
  part(number: number, facts: JobFileFacts): Promise<JobFile>
  /** One line of `GET /v1/jobs/{id}/errors`: never the content of an input line. Beyond `MAX_JOB_ERROR_LINES` only counted. */
  error(line: object): Promise<void>
}

/**
 * Does the jobs of one kind. Must be safe to run twice: a job whose process dies is run again from its beginning. Result, parts
 * and error lines of the earlier attempt are gone by then. An `AppError` that is thrown becomes the job's problem, but
 * `unavailable` has the job tried again later.
 */
export interface JobHandler<Input extends JobInput = JobInput> {
  readonly kind: JobKind
  run(work: JobWork<Input>): Promise<JobOutcome>
}

/** Takes jobs in. */
export interface JobSubmitter {
  /**
   * Stores the job and queues it in one transaction: that of the request where there is one with an Idempotency-Key, so that a
   * retried request does not queue twice. The body is read to its end first.
   *
   * @throws AppError `quota-exceeded` when the caller has too many unfinished jobs; what reading the body throws
   */
  submit<Input extends JobInput>(
    kind: JobKind,
    input: Input,
    context: Context,
    body?: AsyncIterable<Uint8Array>,
  ): Promise<Job>
}
