import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendants } from './resources.ts'

/** So much CPU says that it is at work, in clock ticks of 10 ms. */
const AT_WORK_TICKS = 5
const LOOK_MS = 5

/**
 * Starts a query while no other one runs, and stops the process that runs it (SIGSTOP): it runs for as long as a test needs, at no cost.
 *
 * @param endpoint process id of the local Athena.
 * @param hasEnded whether the query was over before it could be stopped.
 * @returns lets it go on.
 */
export async function holdQuery(
  endpoint: number,
  start: () => Promise<void>,
  hasEnded: () => Promise<boolean>,
): Promise<() => void> {
  const before = ticksBelow(endpoint)
  await start()
  for (;;) {
    const busy = [...ticksBelow(endpoint)].find(([pid, ticks]) => ticks - (before.get(pid) ?? 0) >= AT_WORK_TICKS)
    if (busy !== undefined) {
      const [pid] = busy
      process.kill(pid, 'SIGSTOP')
      return () => void process.kill(pid, 'SIGCONT')
    }
    if (await hasEnded()) return () => undefined
    await sleep(LOOK_MS)
  }
}

/** CPU of each process of the engine so far (proc_pid_stat(5), fields 14 and 15). */
function ticksBelow(endpoint: number): Map<number, number> {
  const found = new Map<number, number>()
  for (const pid of descendants(endpoint)) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      found.set(pid, Number(fields[11]) + Number(fields[12]))
    } catch {
      // it has ended in this moment
    }
  }
  return found
}
