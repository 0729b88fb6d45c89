import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

/** The program as its user starts it: `rocketgames serve` on a data folder of its own and free ports. */
export interface Service {
  readonly dir: string
  readonly port: number
  readonly child: ChildProcess
  /** What it printed so far, both streams. */
  output(): string
  /** Resolves when the output matches; rejects with the output when the program ends before. */
  saw(pattern: RegExp): Promise<RegExpExecArray>
  /** Its exit code, once it has ended by itself or was stopped. */
  readonly ended: Promise<number | null>
  /** SIGTERM, or the signal given, and its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export const ROOT = path.resolve(import.meta.dirname, '../..')
const MAIN = path.join(ROOT, 'src/main.ts')

/** Below the ports that the kernel gives to whoever asks for any: 32768 and up. */
const FIRST_PORT = 12_000
const PORTS_A_WORKER = 2_000
const stretch = FIRST_PORT + (Number(process.env.VITEST_POOL_ID ?? 0) % 10) * PORTS_A_WORKER
let nextPort = Math.floor(Math.random() * PORTS_A_WORKER)

/**
 * A port for a program that listens on it much later, or again after a restart. Of those that the kernel gives away one may go
 * to any of the many servers of other tests meanwhile; these it gives to nobody, and each worker has its own.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS_A_WORKER; tries++) {
    const port = stretch + (nextPort++ % PORTS_A_WORKER)
    if (await isFree(port)) return port
  }
  throw new Error(`No port from ${stretch} to ${stretch + PORTS_A_WORKER - 1} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** The environment of a new shell: nothing of this project's settings, no AWS profile. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(AWS_|LAKE_|LOCAL_|DATABASE_|API_|ATHENA_|ROCKETGAMES_|PORT$|SAMPLE_DATA$|VITEST|NODE_ENV$)/.test(name),
  )
  return { ...Object.fromEntries(kept), ...extra }
}

function watch(child: ChildProcess) {
  let text = ''
  let ended: string | undefined
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const check of waiting) check()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk
      wake()
    })
  }
  child.once('close', (code, signal) => {
    ended = `it ended with ${signal ?? code}`
    wake()
  })
  const saw = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(text)
        if (!match && ended === undefined) return
        waiting.delete(check)
        if (match) resolve(match)
        else reject(new Error(`${pattern} was not printed, ${ended}:\n${text}`))
      }
      waiting.add(check)
      check()
    })
  return { output: () => text, saw }
}

export interface ServiceOptions {
  readonly dir?: string
  readonly port?: number
  readonly awsPort?: number
  /** Of another copy of the program. */
  readonly main?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the program; does not wait for anything. The folder is the caller's to remove. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const dir = options.dir ?? mkdtempSync(path.join(os.tmpdir(), 'rocketgames-e2e-'))
  const port = options.port ?? (await freePort())
  const awsPort = options.awsPort ?? (await freePort())
  const child = spawn(process.execPath, [options.main ?? MAIN, 'serve'], {
    cwd: ROOT,
    env: cleanEnvironment({
      LOCAL_DATA_DIR: dir,
      PORT: String(port),
      LOCAL_AWS_PORT: String(awsPort),
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return {
    dir,
    port,
    child,
    ...watch(child),
    ended: closed,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return closed
    },
  }
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `rocketgames <args>` to its end. */
export function runCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return run(process.execPath, [MAIN, ...args], env)
}

/** Runs any program to its end in a clean environment. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export const removeFolder = (dir: string): void => rmSync(dir, { recursive: true, force: true })

/** Process numbers of what the service runs on its data folder. */
export const postgresPid = (dir: string): number =>
  Number(readFileSync(path.join(dir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
export const endpointPid = (dir: string): number => Number(readFileSync(path.join(dir, 'aws.pid'), 'utf8').trim())
