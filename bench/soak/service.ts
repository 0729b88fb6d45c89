import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findRunning } from '../../src/local/running.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const START_PATIENCE_MS = 300_000
const STOP_PATIENCE_MS = 90_000
const POLL_MS = 250

/** `rocketgames serve` on a data folder of its own, with sample data and its first snapshot. */
export interface SoakService {
  readonly pid: number
  readonly url: string
  readonly token: string
  readonly databaseUrl: string
  /** Log lines of errors so far. */
  errors(): string[]
  /** Of each full collection so far, the heap after it in MiB, with seconds since the start. */
  heaps(): { readonly seconds: number; readonly mib: number }[]
  /** Its exit code; null when it had to be killed. */
  stop(): Promise<number | null>
}

export interface SoakServiceOptions {
  readonly dir: string
  readonly schedule: string
}

export async function startSoakService({ dir, schedule }: SoakServiceOptions): Promise<SoakService> {
  const [log, collections] = [path.join(dir, 'service.log'), path.join(dir, 'collections.log')]
  const [stderr, stdout] = [openSync(log, 'w'), openSync(collections, 'w')]
  const child = spawn(
    process.execPath,
    ['--trace-gc', '--max-semi-space-size=16', path.join(ROOT, 'src/main.ts'), 'serve'],
    {
      env: {
        PATH: process.env.PATH,
        HOME: os.homedir(),
        LOCAL_DATA_DIR: path.join(dir, 'data'),
        PORT: '0',
        LOCAL_AWS_PORT: '0',
        LOG_LEVEL: 'info',
        RATE_LIMIT: '999999999/60s',
        RATE_LIMIT_BULK: '1000/1s',
        LAKE_SCHEDULE: schedule,
      },
      stdio: ['ignore', stdout, stderr],
    },
  )
  closeSync(stdout)
  closeSync(stderr)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const { API_KEY = '', API_URL = '', DATABASE_URL = '' } = await started(child, path.join(dir, 'data'), log)
  return {
    pid: child.pid ?? 0,
    url: API_URL,
    token: API_KEY,
    databaseUrl: DATABASE_URL,
    errors: () => linesOf(log).filter((line) => /"level":(50|60)/.test(line)),
    heaps: () =>
      linesOf(collections).flatMap((line) => {
        const found = /(\d+) ms: Mark-Compact.*? -> ([\d.]+) \(/.exec(line)
        return found === null ? [] : [{ seconds: Number(found[1]) / 1000, mib: Number(found[2]) }]
      }),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
      return ended.finally(() => clearTimeout(timer))
    },
  }
}

async function started(child: ChildProcess, dataDir: string, log: string): Promise<Readonly<Record<string, string>>> {
  for (const deadline = Date.now() + START_PATIENCE_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}; see ${log}`)
    const running = findRunning(dataDir)
    if (running?.ready) return running.values
  }
  child.kill('SIGKILL')
  throw new Error(`the service was not ready within ${START_PATIENCE_MS / 1000} s; see ${log}`)
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n')
}
