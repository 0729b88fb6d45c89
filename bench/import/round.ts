import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { childrenCpuMsOf, cpuMsOf, rssMiBOf, type ServerProcess } from '../api/processes.ts'
import type { Sent } from './client.ts'

const CLIENT = path.join(import.meta.dirname, 'client.ts')
const SAMPLE_MS = 100

/** One way of bringing the players in, and what it took. CPU in milliseconds; memory of the service in MiB. */
export interface Round {
  readonly way: string
  readonly ms: number
  readonly databaseCpuMs: number
  readonly clientCpuMs?: number
  readonly serviceCpuMs?: number
  readonly memory?: { readonly start: number; readonly middle: number; readonly end: number; readonly peak: number }
}

export interface Import {
  readonly way: string
  readonly file: string
  readonly token: string
  readonly players: number
  readonly service: ServerProcess
  readonly databasePid: number
  /** What has to become of every line. */
  readonly expected: 'created' | 'unchanged'
}

/** A file through the service, by a client in a process of its own. */
export async function importRound(given: Import): Promise<Round> {
  const { way, file, token, players, service, databasePid, expected } = given
  const [serviceBefore, databaseBefore] = [cpuMsOf(service.pid), childrenCpuMsOf(databasePid)]
  const sizes = [rssMiBOf(service.pid)]
  const sampler = setInterval(() => sizes.push(rssMiBOf(service.pid)), SAMPLE_MS)
  try {
    const args = [CLIENT, `http://127.0.0.1:${service.port}`, token, file]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { lines, end, ms, cpuMs } = JSON.parse(stdout) as Sent
    if (lines !== players || end._end?.[expected] !== players) {
      throw new Error(`not ${players} ${expected}: ${lines} lines, ${JSON.stringify(end)}`)
    }
    const at = (part: number) => Math.round(sizes[Math.floor(part * (sizes.length - 1))] ?? 0)
    return {
      way,
      ms,
      clientCpuMs: cpuMs,
      serviceCpuMs: cpuMsOf(service.pid) - serviceBefore,
      databaseCpuMs: childrenCpuMsOf(databasePid) - databaseBefore,
      memory: { start: at(0), middle: at(0.5), end: at(1), peak: Math.round(Math.max(...sizes)) },
    }
  } finally {
    clearInterval(sampler)
  }
}

/** Work of the database alone; it gives what is to be done behind it. */
export async function databaseRound(
  way: string,
  databasePid: number,
  work: () => Promise<() => Promise<void>>,
): Promise<Round> {
  const [began, before] = [performance.now(), childrenCpuMsOf(databasePid)]
  const end = await work()
  const round = { way, ms: performance.now() - began, databaseCpuMs: childrenCpuMsOf(databasePid) - before }
  await end()
  return round
}
