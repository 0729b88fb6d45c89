import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What it writes is shown as it comes, besides being returned. */
  readonly shown?: boolean
}

export interface Ran {
  /** Null: it ended by a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const TAIL_CHARS = 4_000

/** Runs a program to its end. @throws Error when it cannot be started. */
export async function attempt(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const { cwd, env = process.env, shown = false } = options
  const child = spawn(program, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: ['ignore', 'pipe', 'pipe'] })
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
