import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './process-identity.ts'

/** What PostgreSQL writes about its running server: `postmaster.pid` (src/include/utils/pidfile.h, LOCK_FILE_LINE_*). */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** It has its port and takes connections. */
  readonly ready: boolean
}

const ORPHANS_TIMEOUT_MS = 10_000
const EXIT_PATIENCE_MS = 2_000
const POLL_MS = 25

/** The content of `postmaster.pid`, or undefined if there is none or it is not complete yet. */
export function readPidFile(dataDir: string): Postmaster | undefined {
  let lines: string[]
  try {
    lines = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  return pid > 0 && port > 0 ? { pid, port, ready: lines[7]?.trim() === 'ready' } : undefined
}

/** Processes of PostgreSQL work in their data folder, and nothing else does. */
function worksIn(pid: number, dataDir: string): boolean {
  try {
    return realpathSync(readlinkSync(`/proc/${pid}/cwd`)) === dataDir
  } catch {
    return false
  }
}

/** The server that runs on this folder now. A stale file whose number now belongs to another program does not count. */
export function findPostmaster(dataDir: string): Postmaster | undefined {
  const found = readPidFile(dataDir)
  if (!found || !isAlive(found.pid)) return undefined
  if (existsSync('/proc/self/cwd') && !worksIn(found.pid, realpathSync(dataDir))) return undefined
  return found
}

function orphans(dataDir: string): number[] {
  if (!existsSync('/proc/self/cwd')) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isAlive(pid) && worksIn(pid, dataDir))
}

/**
 * Clears away what a killed server left, so that a new one starts. PostgreSQL would refuse a pid file whose process is a zombie
 * or a stranger; without the file it does not see children of the dead server that still write, so these are awaited first.
 */
export async function clearStalePidFile(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid')
  if (!existsSync(file)) return
  const real = realpathSync(dataDir)
  const deadline = Date.now() + ORPHANS_TIMEOUT_MS
  for (let left = orphans(real); left.length > 0; left = orphans(real)) {
    if (Date.now() > deadline) {
      throw new Error(
        `processes ${left.join(', ')} of a PostgreSQL server that is gone still work in ${dataDir}; end them`,
      )
    }
    await sleep(POLL_MS)
  }
  rmSync(file, { force: true })
}

/** Waits until the process has ended; false if it has not after `timeoutMs`. */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/**
 * Ends the server of this folder with this process, however that leaves without having stopped it, as by a second Ctrl-C: at once, for
 * the next start recovers what was committed. Only after a `kill -9` it serves on, and is adopted.
 *
 * @returns takes it back
 */
export function endWithProcess(dataDir: string): () => void {
  const end = () => {
    try {
      const server = findPostmaster(dataDir)
      if (server === undefined) return
      process.kill(server.pid, 'SIGQUIT')
      const sleeper = new Int32Array(new SharedArrayBuffer(4))
      const deadline = performance.now() + EXIT_PATIENCE_MS
      while (isAlive(server.pid) && performance.now() < deadline) Atomics.wait(sleeper, 0, 0, POLL_MS)
    } catch {
      // It ended in this moment; nothing may change how this process ends.
    }
  }
  process.once('exit', end)
  return () => process.off('exit', end)
}
