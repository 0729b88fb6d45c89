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

/** Undefined: there is no such process, or only its zombie. */
function startOf(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // Field 2 is the command in parentheses and may hold spaces; the state is field 3, the start in ticks is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${realm()}/${fields[19]}`
  } catch {
    return undefined
  }
}

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), processId: process.pid, startedAt: startOf(process.pid) ?? UNKNOWN }
}

/**
 * Is that process certainly gone? Only one whose id means the same here can be judged. Equal names of hosts are not enough: two
 * containers of one machine, or two machines made from one image, have them too. For all others the lease has to run out.
 */
export function isGone({ host, processId, startedAt }: ProcessIdentity): boolean {
  if (host !== hostname() || startedAt === UNKNOWN) return false
  try {
    if (!startedAt.startsWith(`${realm()}/`)) return false
  } catch {
    return false
  }
  return startOf(processId) !== startedAt
}
