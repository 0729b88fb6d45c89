import { type ChildProcess, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What it writes is shown as it comes, besides being returned. */
  readonly shown?: boolean
  /** Takes something away again: runs even when the script has been interrupted. */
  readonly cleansUp?: true
}

export interface Ran {
  /** Null: it ended by a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const TAIL_CHARS = 4_000
const INTERRUPTED_CODE = 130

const interruption = new AbortController()

/** Aborted by the first SIGINT or SIGTERM after `cleanUpOnSignal`: nothing new is begun from then on, but what takes things away. */
export const interrupted = interruption.signal

/** What runs is told to end, so that whoever waits for it cleans up behind itself; a second signal ends this process at once. */
export function cleanUpOnSignal(): void {
  const onSignal = () => {
    if (interrupted.aborted) process.exit(INTERRUPTED_CODE)
    process.exitCode = INTERRUPTED_CODE
    interruption.abort(new Error('interrupted'))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

/** Ends with the script when that is interrupted. */
export function endsWithUs(child: ChildProcess): void {
  const end = () => child.kill('SIGTERM')
  interrupted.addEventListener('abort', end)
  child.once('close', () => interrupted.removeEventListener('abort', end))
}

/** Runs a program to its end. @throws Error when it cannot be started, as nothing can after an interruption. */
export async function attempt(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const { cleansUp = false, cwd, env = process.env, shown = false } = options
  if (!cleansUp) interrupted.throwIfAborted()
  const child = spawn(program, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (!cleansUp) endsWithUs(child)
  if (shown) for (const stream of [child.stdout, child.stderr]) stream.pipe(process.stderr, { end: false })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

/** Its standard output. @throws Error with the last it wrote when its exit code is not 0. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options)
  if (code === 0) return stdout
  throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${`${stdout}${stderr}`.slice(-TAIL_CHARS)}`)
}
