import { LakeProblem } from '../../lake/lake-problem.ts'
import type { SparkJob, SparkJobOrder, SparkJobWatch } from '../../lake/spark-job.ts'
import { type GlueJobEnd, type LocalJobCommand, runGlueJob } from './glue-job.ts'

export interface LocalSparkJobOptions {
  /** Finds the program; may take long, and says in a sentence what is missing. */
  readonly command: () => Promise<LocalJobCommand | { readonly missing: string }>
  readonly region: string
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined
  /** Told each line that the job says. */
  readonly log?: (line: string) => void
  /** How long a job that was told to stop may take; default 5 s: what it has begun, its starter ends. */
  readonly graceMs?: number
}

const GRACE_MS = 5_000
const LONGEST_LINE = 4_096
const LONGEST_WORDS = 500
/** Names of the variables in which the job finds what no argument may show. */
const PASSWORD = 'ROCKETGAMES_SOURCE_PASSWORD'
const PSEUDONYM_KEY = 'ROCKETGAMES_PSEUDONYM_KEY'

/** The Spark engine's job as a process of this machine. It ends with this process, however that ends. */
export class LocalSparkJob implements SparkJob {
  readonly #options: LocalSparkJobOptions
  #found: LocalJobCommand | undefined

  constructor(options: LocalSparkJobOptions) {
    this.#options = options
  }

  async ready(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#command()
  }

  async #command(): Promise<LocalJobCommand> {
    if (this.#found) return this.#found
    const found = await this.#options.command()
    if ('missing' in found)
      throw new LakeProblem('spark_not_started', `Spark cannot run on this machine: ${found.missing}`)
    this.#found = found
    return found
  }

  async run(order: SparkJobOrder, { onLine, signal }: SparkJobWatch): Promise<void> {
    let last = ''
    const { code, killedBy } = await this.#process(order, signal, (line) => {
      this.#options.log?.(line.slice(0, LONGEST_LINE))
      last = failure(line) ?? last
      onLine(line)
    })
    signal.throwIfAborted()
    if (code === 0) return
    const how = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
    throw new LakeProblem('spark_failed', `The Spark job ended with ${how}${last === '' ? '' : `: ${last}`}`)
  }

  async #process(order: SparkJobOrder, signal: AbortSignal, onLine: (line: string) => void): Promise<GlueJobEnd> {
    const { graceMs = GRACE_MS } = this.#options
    const command = await this.#command()
    const env = { [PASSWORD]: order.sourcePassword, [PSEUDONYM_KEY]: order.pseudonymKey.toString('hex') }
    try {
      return await runGlueJob({ command, env, graceMs, onLine, signal, args: this.#arguments(order) })
    } catch (error) {
      signal.throwIfAborted()
      const what = 'The Spark job could not be started as a process of this machine'
      throw new LakeProblem('spark_not_started', what, {}, error)
    }
  }

  /** Its jobs end with the process that started them. */
  async endLeft(): Promise<void> {}

  #arguments({ bucket, planUri }: SparkJobOrder): string[] {
    const { endpoint, region } = this.#options
    return [
      ...['--plan', planUri, '--bucket', bucket, '--region', region],
      ...(endpoint === undefined ? [] : ['--endpoint-url', endpoint]),
      ...['--password-env', PASSWORD, '--pseudonym-key-env', PSEUDONYM_KEY],
    ]
  }
}

/**
 * The job's own words of its failure, or the kind of the exception that ended it. The words of any other exception may quote a row's
 * value: they stay in its log.
 */
function failure(line: string): string | undefined {
  if (!line.startsWith('{')) return /^[\w.]+(?:Error|Exception|Failure)(?=:|$)/.exec(line)?.[0]
  try {
    const { event, message } = JSON.parse(line) as { event?: unknown; message?: unknown }
    return event === 'job-failed' && typeof message === 'string' ? message.slice(0, LONGEST_WORDS) : undefined
  } catch {
    return undefined
  }
}
