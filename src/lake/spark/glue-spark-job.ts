import { setTimeout as sleep } from 'node:timers/promises'
import {
  BatchStopJobRunCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  type GlueClient,
  type JobRun,
  StartJobRunCommand,
} from '@aws-sdk/client-glue'
import { describe } from '../../errors.ts'
import { awsErrorName } from '../aws-calls.ts'
import { LakeProblem } from '../lake-problem.ts'
import { s3Uri, unloadPlanKey } from '../object-keys.ts'
import { isTransient, type RetryBudget, retrying } from '../retries.ts'
import type { SparkJob, SparkJobOrder, SparkJobWatch } from '../spark-job.ts'

/** States of a run in which something of it may still work ("Job run states" of the AWS Glue documentation). */
const ALIVE: ReadonlySet<string> = new Set(['STARTING', 'RUNNING', 'STOPPING', 'WAITING'])
const MINUTE_MS = 60_000
/** What AWS says of a failure may be a whole trace. */
const LONGEST_MESSAGE = 500
/** Of the newest runs so many are looked through for one of a snapshot: 200 is a page. */
const MOST_PAGES = 5

export interface GlueSparkJobOptions {
  readonly client: GlueClient
  /** Of LAKE_SPARK_JOB; the secrets' names are among its default arguments. */
  readonly job: string
  readonly bucket: string
  readonly region: string
  readonly retries?: RetryBudget | undefined
  /** Between two looks at a run; default 5 s. */
  readonly pollMs?: number
  /** How long a job that runs as often as it may is asked again; default 60 s. */
  readonly busyMs?: number
  /** How long a run that was told to stop is waited for; default 60 s. */
  readonly stopMs?: number
}

/** The Spark engine's job in AWS Glue. */
export class GlueSparkJob implements SparkJob {
  readonly #options: Required<Omit<GlueSparkJobOptions, 'retries'>> & Pick<GlueSparkJobOptions, 'retries'>

  constructor(options: GlueSparkJobOptions) {
    this.#options = { pollMs: 5_000, busyMs: 60_000, stopMs: 60_000, ...options }
  }

  /** Glue says what is missing when it is asked to start. */
  async ready(): Promise<void> {}

  async run(order: SparkJobOrder, { signal }: SparkJobWatch): Promise<void> {
    let id: string | undefined
    try {
      id = await this.#start(order, signal)
      for (;;) {
        const run = await this.#look(id, signal)
        if (!ALIVE.has(run.JobRunState ?? '')) return this.#judge(id, run)
        await sleep(this.#options.pollMs, undefined, { signal })
      }
    } catch (error) {
      if (!(error instanceof LakeProblem && error.code === 'spark_failed')) {
        await this.#giveUp(order.snapshotId, id)
      }
      signal.throwIfAborted()
      throw this.#problem(error)
    }
  }

  async endLeft(snapshotId: string): Promise<void> {
    await this.#stop((await this.#runsOf(snapshotId)).map(({ Id }) => Id ?? ''))
  }

  /** A repeated call may find that the one before it was heard: another start would read everything twice. */
  async #start(order: SparkJobOrder, signal: AbortSignal): Promise<string> {
    const { bucket, busyMs, client, job, pollMs, region } = this.#options
    const { maxAgeMs, planUri, snapshotId } = order
    const command = new StartJobRunCommand({
      JobName: job,
      Arguments: { '--plan': planUri, '--bucket': bucket, '--region': region },
      Timeout: Math.max(1, Math.ceil(maxAgeMs / MINUTE_MS)),
    })
    const deadline = Date.now() + busyMs
    for (let heard = false; ; heard = true) {
      try {
        const [already] = heard ? await this.#runsOf(snapshotId, signal) : []
        if (already?.Id) return already.Id
        // Once: what to do about a lost answer is decided here.
        const { JobRunId } = await client.send(command, { abortSignal: signal })
        if (JobRunId) return JobRunId
        throw new LakeProblem('spark_not_started', `AWS Glue gave no id for a run of ${job}`, { job })
      } catch (error) {
        signal.throwIfAborted()
        const busy = awsErrorName(error) === 'ConcurrentRunsExceededException'
        if (!busy && !isTransient(error)) throw error
        if (Date.now() + pollMs > deadline) {
          if (!busy) throw error
          throw new LakeProblem('spark_busy', `${job} runs as often as AWS Glue lets it`, { job }, error)
        }
        await sleep(pollMs, undefined, { signal })
      }
    }
  }

  #look(id: string, signal: AbortSignal): Promise<JobRun> {
    const { client, job } = this.#options
    return this.#retrying(async (abortSignal) => {
      const { JobRun } = await client.send(new GetJobRunCommand({ JobName: job, RunId: id }), { abortSignal })
      return JobRun ?? {}
    }, signal)
  }

  #judge(id: string, { ErrorMessage: why, JobRunState: state }: JobRun): void {
    if (state === 'SUCCEEDED') return
    const { job } = this.#options
    const text = why === undefined ? '' : `: ${why.replaceAll(/\s+/g, ' ').slice(0, LONGEST_MESSAGE)}`
    throw new LakeProblem('spark_failed', `The run ${id} of ${job} in AWS Glue is ${state ?? 'in no state'}${text}`, {
      ...{ job, run: id, state },
    })
  }

  /** Those of this snapshot that are not over, by the plan that they were given. */
  async #runsOf(snapshotId: string, signal?: AbortSignal): Promise<JobRun[]> {
    const { bucket, client, job } = this.#options
    const plan = s3Uri(bucket, unloadPlanKey(snapshotId))
    const found: JobRun[] = []
    let NextToken: string | undefined
    for (let page = 0; page < MOST_PAGES; page++) {
      const at: string | undefined = NextToken
      const answer = await this.#retrying(
        (abortSignal) =>
          client.send(new GetJobRunsCommand({ JobName: job, ...(at === undefined ? {} : { NextToken: at }) }), {
            abortSignal,
          }),
        signal,
      )
      const runs = answer.JobRuns ?? []
      found.push(...runs.filter((run) => run.Arguments?.['--plan'] === plan && ALIVE.has(run.JobRunState ?? '')))
      NextToken = answer.NextToken
      if (NextToken === undefined) break
    }
    return found
  }

  /** After a failure here nobody waits for the run any more. It can do no harm, so that it cannot be ended is no failure of its own. */
  async #giveUp(snapshotId: string, id: string | undefined): Promise<void> {
    try {
      if (id === undefined) await this.endLeft(snapshotId)
      else await this.#stop([id])
    } catch {
      // Its plan still lies there: the roll-back looks for it again, and its time-out ends it.
    }
  }

  async #stop(ids: readonly string[]): Promise<void> {
    const { client, job, pollMs, stopMs } = this.#options
    if (ids.length === 0) return
    const signal = AbortSignal.timeout(stopMs)
    // Errors of single runs say that they are over, or stopping already.
    await this.#retrying(
      (abortSignal) => client.send(new BatchStopJobRunCommand({ JobName: job, JobRunIds: [...ids] }), { abortSignal }),
      signal,
    )
    for (const id of ids) {
      while (ALIVE.has((await this.#look(id, signal)).JobRunState ?? '')) await sleep(pollMs, undefined, { signal })
    }
  }

  #retrying<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { retries } = this.#options
    return retrying(call, { ...(retries ? { budget: retries } : {}), ...(signal ? { signal } : {}) })
  }

  #problem(error: unknown): unknown {
    if (error instanceof LakeProblem) return error
    const { job } = this.#options
    const awsCode = awsErrorName(error)
    return new LakeProblem(
      'spark_not_started',
      `The job ${job} of AWS Glue: ${describe(error)}`,
      { job, awsCode },
      error,
    )
  }
}
