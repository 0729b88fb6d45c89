import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

/** Linux accounts CPU time in these. */
const MS_PER_TICK = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** The fields of `/proc/<pid>/stat` after the program's name, which may contain anything. */
function statOf(pid: number | string): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
  } catch {
    return undefined
  }
}

/** CPU that a process has used, all threads, user and system, in milliseconds. */
export function cpuMsOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * MS_PER_TICK
}

/** CPU of all children of a process, those that ended too: of a Postgres server its backends and workers. */
export function childrenCpuMsOf(parent: number): number {
  const ended = statOf(parent)
  let ms = (Number(ended?.[13] ?? 0) + Number(ended?.[14] ?? 0)) * MS_PER_TICK
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && statOf(entry)?.[1] === String(parent)) ms += cpuMsOf(Number(entry))
  }
  return ms
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
