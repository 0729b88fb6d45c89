import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for ever: a process id alone is used again after the process has gone. */
export interface ProcessIdentity {
  readonly host: string
  readonly processId: number
  /** `<boot>/<process namespace>/<start in ticks since the boot>`; `unknown` where the system does not tell. */
  readonly startedAt: string
}

const UNKNOWN = 'unknown'

/** Where process ids mean the same: this boot of this machine and this namespace; containers of one machine have one each. */
function realm(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${boot}/${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`
}

/** Undefined: only its zombie is left. @throws Error where nothing can be read of it. */
function startOf(processId: number): string | undefined {
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
  // Field 2 is the command in parentheses and may hold spaces; the state is field 3, the start in ticks is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : `${realm()}/${fields[19]}`
}

/** Signal 0 finds processes that the system hides from us (`hidepid`), too. */
function exists(processId: number): boolean {
  try {
    return process.kill(processId, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

export function thisProcess(): ProcessIdentity {
  const identity = { host: hostname(), processId: process.pid }
  try {
    return { ...identity, startedAt: startOf(process.pid) ?? UNKNOWN }
  } catch {
    return { ...identity, startedAt: UNKNOWN }
  }
}

/**
 * Is that process certainly gone? Only one whose id means the same here can be judged. Equal names of hosts are not enough: two
 * containers of one machine, or two machines made from one image, have them too. For all others the lease has to run out.
 */
export function isGone({ host, processId, startedAt }: ProcessIdentity): boolean {
  if (host !== hostname() || startedAt === UNKNOWN) return false
  try {
    if (!startedAt.startsWith(`${realm()}/`)) return false
    return startOf(processId) !== startedAt
  } catch {
    return !exists(processId)
  }
}
