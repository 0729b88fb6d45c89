import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { cleanEnvironment } from './service.ts'

/** The API in a process of its own, for tests that kill it. */
export interface ApiProcess {
  readonly child: ChildProcess
  readonly port: number
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

export interface ApiProcessOptions {
  readonly databaseUrl: string
  /** Of the keys that it knows, as `TestApi` has it. */
  readonly secret: Buffer
  /** Of an Idempotency-Key; default as in the program. */
  readonly leaseMs?: number
  /** Default: it only takes them in. */
  readonly doesJobs?: boolean
}

/** Resolves when it listens. */
export async function startApiProcess(options: ApiProcessOptions): Promise<ApiProcess> {
  const { databaseUrl, secret, leaseMs = 60_000, doesJobs = false } = options
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'api-program.ts')], {
    env: cleanEnvironment({
      ...{ DATABASE_URL: databaseUrl, SECRET: secret.toString('hex'), LEASE_MS: String(leaseMs) },
      ...(doesJobs ? { DOES_JOBS: '1' } : {}),
    }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process ended before it listened')
  })
  // Killed later, on purpose, it ends, too.
  ended.catch(() => undefined)
  const [printed] = (await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])) as [Buffer]
  return {
    child,
    port: Number(printed.toString()),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
