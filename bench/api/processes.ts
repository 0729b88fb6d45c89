import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

/** Linux counts the CPU of children that ended in these. */
const MS_PER_TICK = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** The fields of `/proc/<pid>/stat` after the program's name, which may contain anything. */
function statOf(pid: number | string): readonly string[] | undefined {
  if (!/^\d+$/.test(String(pid))) return undefined
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
  } catch {
    return undefined
  }
}

/** CPU that a process has used, all threads, user and system, in milliseconds; 0 when it is gone. */
export function cpuMsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    // The first field: nanoseconds on a core (Documentation/scheduler/sched-stats.rst of Linux); `stat` counts in 10 ms.
    const ns = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]))
    return ns.reduce((sum, each) => sum + each, 0) / 1e6
  } catch {
    return 0
  }
}

/** CPU of all children of a process, those that ended too, in milliseconds. */
export function childrenCpuMsOf(parent: number): number {
  const ended = statOf(parent)
  const ms = (Number(ended?.[13] ?? 0) + Number(ended?.[14] ?? 0)) * MS_PER_TICK
  const children = readdirSync('/proc').filter((entry) => statOf(entry)?.[1] === String(parent))
  return children.reduce((sum, pid) => sum + cpuMsOf(Number(pid)), ms)
}

/** CPU of each process that a Postgres server has for a client's connection, in milliseconds by process id. */
export function backendsCpuMsOf(postmaster: number): ReadonlyMap<string, number> {
  const children = readdirSync('/proc').filter((entry) => isBackend(entry, postmaster))
  return new Map(children.map((pid) => [pid, cpuMsOf(Number(pid))]))
}

/** What processes have used since `before`; one that has ended meanwhile counts nothing, or the sum would fall by all it ever used. */
export function usedSince(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  return [...now].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0)
}

function isBackend(pid: string, postmaster: number): boolean {
  try {
    return (
      statOf(pid)?.[1] === String(postmaster) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(' 127.0.0.1(')
    )
  } catch {
    return false
  }
}

export function rssMiBOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib ?? 0) / 1024
}

export interface ServerProcess {
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

export interface ServerSpec {
  readonly script: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Gets standard error: its log lines. */
  readonly logFile: string
  /** Known beforehand; default: it prints the port. */
  readonly port?: number
  readonly nodeOptions?: readonly string[]
}

/** Starts a server and waits until it answers. */
export async function startServer(spec: ServerSpec): Promise<ServerProcess> {
  const log = openSync(spec.logFile, 'w')
  const child = spawn(process.execPath, [...(spec.nodeOptions ?? []), spec.script, ...spec.args], {
    env: spec.env,
    stdio: ['ignore', 'pipe', log],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  const failed = ended.then(() => Promise.reject(new Error(`${spec.script} ended; see ${spec.logFile}`)))
  failed.catch(() => undefined)
  const port = spec.port ?? (await Promise.race([printedPort(child), failed]))
  await Promise.race([answers(port), failed])
  return { pid: child.pid ?? 0, port, stop }
}

async function printedPort(child: ChildProcess): Promise<number> {
  for await (const chunk of child.stdout ?? []) {
    const port = Number(String(chunk).trim())
    if (port > 0) return port
  }
  throw new Error('the server printed no port')
}

async function answers(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    if (answer !== undefined) return void (await answer.arrayBuffer())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
