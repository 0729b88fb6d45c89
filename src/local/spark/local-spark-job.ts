import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { LakeProblem } from '../../lake/lake-problem.ts'
import type { SparkJob, SparkJobOrder, SparkJobWatch } from '../../lake/spark-job.ts'

/** A program that does what `unload_snapshot.py` does. */
export interface LocalJobCommand {
  readonly program: string
  /** Before those of the job. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface LocalSparkJobOptions {
  /** Finds the program; may take long, and says in a sentence what is missing. */
  readonly command: () => Promise<LocalJobCommand | { readonly missing: string }>
  readonly region: string
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined
  /** Told each line that the job writes to its log. */
  readonly log?: (line: string) => void
  /** How long a job that was told to stop may take; default 5 s. */
  readonly graceMs?: number
}

const GRACE_MS = 5_000
const LONGEST_LINE = 4_096
const LONGEST_WORDS = 500
/** Names of the variables in which the job finds what no argument may show. */
const PASSWORD = 'ROCKETGAMES_SOURCE_PASSWORD'
const PSEUDONYM_KEY = 'ROCKETGAMES_PSEUDONYM_KEY'
/** The job ends when its standard input does, which is a pipe of this process. */
const STDIN_GUARD = 'ROCKETGAMES_STDIN_GUARD'

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
    const { args, env, program } = await this.#command()
    signal.throwIfAborted()
    const child = spawn(program, [...args, ...this.#arguments(order)], {
      env: {
        ...env,
        [PASSWORD]: order.sourcePassword,
        [PSEUDONYM_KEY]: order.pseudonymKey.toString('hex'),
        [STDIN_GUARD]: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const said = listen(child, onLine, this.#options.log)
    const stop = () => void end(child, this.#options.graceMs ?? GRACE_MS)
    signal.addEventListener('abort', stop)
    try {
      const [code, killedBy] = await gone(child)
      signal.throwIfAborted()
      if (code === 0) return
      const how = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
      const last = said()
      throw new LakeProblem('spark_failed', `The Spark job ended with ${how}${last === '' ? '' : `: ${last}`}`)
    } finally {
      signal.removeEventListener('abort', stop)
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

/** @returns what the job said last of its failure. */
function listen(
  { stderr, stdin, stdout }: ChildProcess,
  onLine: (line: string) => void,
  log?: (line: string) => void,
): () => string {
  // A job that is gone does not read any more: that it ended is told by its exit.
  stdin?.on('error', () => undefined)
  if (stdout) createInterface({ input: stdout }).on('line', onLine)
  let last = ''
  if (stderr) {
    createInterface({ input: stderr }).on('line', (line) => {
      log?.(line.slice(0, LONGEST_LINE))
      last = failure(line) ?? last
    })
  }
  return () => last
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

/** Resolves when the process has ended and all that it said was read. */
async function gone(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  try {
    return (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  } catch (error) {
    throw new LakeProblem(
      'spark_not_started',
      'The Spark job could not be started as a process of this machine',
      {},
      error,
    )
  }
}

async function end(child: ChildProcess, graceMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  child.once('close', () => clearTimeout(timer))
  child.kill('SIGTERM')
}
