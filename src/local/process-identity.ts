import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Which process is this, so that another one with the same number is not taken for it. A number alone is reused; number, start
 * time and boot together are not.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot at which it started (proc_pid_stat(5), field 22); null where there is no /proc. */
  readonly startedAt: string | null
  /** Id of the machine's current boot; null where there is no /proc. */
  readonly boot: string | null
  /** The process id namespace: a number of another container means nothing here. Null where there is no /proc. */
  readonly namespace: string | null
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

/** Fields of /proc/<pid>/stat from the state on; the name before them may hold blanks and brackets. */
function statFields(pid: number): string[] | null {
  return read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ') ?? null
}

const hasProc = read('/proc/self/stat') !== null

function namespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return null
  }
}

/** The identity of a process that runs now; default: this one. */
export function identify(pid: number = process.pid): ProcessIdentity {
  return {
    pid,
    startedAt: statFields(pid)?.[19] ?? null,
    boot: read('/proc/sys/kernel/random/boot_id'),
    namespace: namespace(),
  }
}

/**
 * Does this process number answer? A zombie does not count: where process 1 does not reap, a killed process keeps answering
 * signal 0 for ever.
 */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  if (hasProc) {
    const state = statFields(pid)?.[0]
    return state !== undefined && state !== 'Z' && state !== 'X'
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Is it still that very process? True as well when it cannot be told, for example across containers. */
export function isStillRunning(identity: ProcessIdentity): boolean {
  if (identity.boot !== null && identity.boot !== read('/proc/sys/kernel/random/boot_id')) return false
  if (identity.namespace !== namespace()) return true
  if (!isAlive(identity.pid)) return false
  return identity.startedAt === null || statFields(identity.pid)?.[19] === identity.startedAt
}
