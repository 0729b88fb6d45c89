import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for ever: a process id alone is used again after the process has gone. */
export interface ProcessIdentity {
  readonly host: string
  readonly processId: number
  /** Boot of the host and start of the process in ticks since then; `unknown` where the system does not tell. */
  readonly startedAt: string
}

const UNKNOWN = 'unknown'

/** Undefined: there is no such process, or only its zombie. */
function startOf(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // Field 2 is the command in parentheses and may hold spaces; the state is field 3, the start in ticks is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return fields[0] === 'Z' ? undefined : `${boot}/${fields[19]}`
  } catch {
    return undefined
  }
}

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), processId: process.pid, startedAt: startOf(process.pid) ?? UNKNOWN }
}

/** Is that process certainly gone? Only one of this host can be judged; for every other one its lease has to run out. */
export function isGone({ host, processId, startedAt }: ProcessIdentity): boolean {
  if (host !== hostname() || startedAt === UNKNOWN) return false
  return startOf(processId) !== startedAt
}
