import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { makeJobFolder } from './job-folder.ts'
import { type Announce, GLUE_JOBS, sparkEnvironment } from './spark-environment.ts'

type Values = Readonly<Record<string, string | undefined>>

/** The entry scripts in `glue-jobs`, by the name of the job. */
export const GLUE_SCRIPTS = {
  curate: 'curate_accounts.py',
  load: 'load_warehouse.py',
  unload: 'unload_snapshot.py',
} as const
export type GlueJobName = keyof typeof GLUE_SCRIPTS

/** What a job may see of its starter's environment: where programs are, how AWS is reached, how Spark is to run. No other setting. */
const PASSED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TMPDIR|JAVA_HOME|SSL_CERT_\w+|(https?|no)_proxy|AWS_\w+|SPARK_LOCAL_DIRS|ROCKETGAMES_SPARK_\w+)$/i
const GIB = 1024 ** 3
const MOST_HEAP_GIB = 8

/** A third of the machine, for Postgres, Python and the system need the rest; never less than Spark can start with. */
function heap(): string {
  return `${Math.max(1, Math.min(MOST_HEAP_GIB, Math.floor(os.totalmem() / 3 / GIB)))}g`
}

/** A program that does what one of the entry scripts does. */
export interface LocalJobCommand {
  readonly program: string
  /** Before those of the job. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The program of a job on this machine, whose environment is made at its first use.
 *
 * @param env of the process that starts it; of this the job sees what it needs, and no secret of the service.
 */
export async function glueJobCommand(
  job: GlueJobName,
  env: Values,
  announce?: Announce,
): Promise<LocalJobCommand | { readonly missing: string }> {
  const script = path.join(GLUE_JOBS, GLUE_SCRIPTS[job])
  if (!existsSync(script)) return { missing: `${script} is not there: this installation lacks the folder glue-jobs` }
  const spark = await sparkEnvironment(announce)
  if ('missing' in spark) return spark
  return {
    program: spark.python,
    args: [script],
    env: {
      ROCKETGAMES_SPARK_MEMORY: heap(),
      ...Object.fromEntries(Object.entries(env).filter(([name]) => PASSED.test(name))),
      ROCKETGAMES_SPARK_JARS: spark.jars.join(':'),
      ROCKETGAMES_SPARK_JAVA_OPTIONS: `${spark.javaOptions} ${env.ROCKETGAMES_SPARK_JAVA_OPTIONS ?? ''}`.trim(),
      PYSPARK_PYTHON: spark.python,
      // Spark's own Python processes do not know where the script lies; on AWS Glue the package comes by --extra-py-files.
      PYTHONPATH: GLUE_JOBS,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  }
}

export interface GlueJobRun {
  readonly command: LocalJobCommand
  /** Of the job; secrets are not among them. */
  readonly args: readonly string[]
  /** Beside that of the command: the variables that the arguments name. */
  readonly env?: Values
  /** Aborted once: the job removes what it has begun and ends. */
  readonly signal: AbortSignal
  readonly onLine: (line: string) => void
  /** How long a job that was told to stop may take; default 20 s. */
  readonly graceMs?: number
}

export interface GlueJobEnd {
  /** 0 done, 1 failed, 2 wrong arguments, 130 told to stop; null when a signal ended it. */
  readonly code: number | null
  readonly killedBy: NodeJS.Signals | null
}

const GRACE_MS = 20_000

/**
 * Runs a job to its end, and ends it, whatever it does, with the signal or with this process: its standard input is a pipe of ours. It
 * has a process group of its own, so that Ctrl-C is heard by its starter alone, who tells it once.
 */
export async function runGlueJob(run: GlueJobRun): Promise<GlueJobEnd> {
  run.signal.throwIfAborted()
  const folder = await makeJobFolder()
  try {
    return await runIn(folder.path, run)
  } finally {
    await folder.remove()
  }
}

async function runIn(folder: string, { args, command, env, graceMs, onLine, signal }: GlueJobRun): Promise<GlueJobEnd> {
  signal.throwIfAborted()
  const child = spawn(command.program, [...command.args, ...args], {
    env: { ...command.env, ...env, ...temporaryFiles(folder, command.env), ROCKETGAMES_STDIN_GUARD: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  // A job that is gone does not read any more: that it ended is told by its exit.
  child.stdin.on('error', () => undefined)
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  const stop = () => end(child, graceMs ?? GRACE_MS)
  signal.addEventListener('abort', stop)
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return { code, killedBy }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Python goes by the environment, Java and with it Spark by a setting of its own. */
function temporaryFiles(folder: string, { ROCKETGAMES_SPARK_JAVA_OPTIONS: options = '' }: Values): Values {
  const java = `${options} "-Djava.io.tmpdir=${folder}" -XX:-UsePerfData`
  return { TMPDIR: folder, ROCKETGAMES_SPARK_JAVA_OPTIONS: java.trim() }
}

function end(child: ChildProcess, graceMs: number): void {
  const timer = setTimeout(() => killGroup(child), graceMs)
  child.once('close', () => clearTimeout(timer))
  child.kill('SIGTERM')
}

/** With all that it started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended in this moment.
  }
}
