import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { extname, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { openCredentials } from './credentials.ts'

export interface LocalAws {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly pid: number
  /** Resolves when the process is gone, asked for or not. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Ends the process and waits for it. May be repeated. */
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const MAX_READY_LINE_BYTES = 64 * 1024

type Child = ChildProcessByStdio<Writable, Readable, null>

/**
 * Starts S3, Glue and Athena as a process of its own, and waits until it is ready. A signal to our process group
 * does not reach it: it ends when `stop` is called, and with this process, as its standard input is a pipe of ours.
 *
 * @param options.port 0: any free port.
 * @param options.host default 127.0.0.1.
 * @throws UsageError with the process's own sentence when it refuses (taken port, folder in use); Error when it dies.
 */
export async function startLocalAws(options: {
  dir: string
  host?: string
  port: number
  log: Logger
}): Promise<LocalAws> {
  const { host = '127.0.0.1', port, log } = options
  const dir = resolve(options.dir)
  // beside this file in the sources and in the build alike
  const server = fileURLToPath(new URL(`./server${extname(import.meta.url)}`, import.meta.url))
  const place = ['--dir', dir, '--host', host, '--port', String(port)]
  const child = spawn(process.execPath, [server, ...place, '--log-level', log.level], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // a group of its own: Ctrl-C in the terminal is for us, who still need it while we drain
    detached: true,
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => {
    child.once('exit', (code, signal) => done({ code, signal }))
  })
  // a child that is gone must not fail the parent through its pipe
  child.stdin.on('error', () => {})
  let ready: { endpoint?: string; pid?: number; refusal?: string }
  try {
    ready = JSON.parse(await firstLine(child, exited)) as typeof ready
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (ready.refusal !== undefined) {
    await exited
    throw new UsageError(ready.refusal)
  }
  if (ready.endpoint === undefined || ready.pid === undefined) {
    child.kill('SIGKILL')
    throw new Error('the local AWS endpoint reported neither that it is ready nor why not')
  }
  child.stdout.resume()
  return { endpoint: ready.endpoint, pid: ready.pid, ...openCredentials(dir), exited, stop: () => stop(child, exited) }
}

/** The first line of standard output. @throws Error when the process ends or stays silent. */
async function firstLine(child: Child, exited: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const line = new Promise<string>((done, fail) => {
    let text = ''
    const onData = (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const end = text.indexOf('\n')
      if (end >= 0) {
        child.stdout.off('data', onData)
        done(text.slice(0, end))
      } else if (text.length > MAX_READY_LINE_BYTES) fail(new Error('the local AWS endpoint wrote no ready line'))
    }
    child.stdout.on('data', onData)
    child.once('error', fail)
    // what was written before the end is still delivered: wait for the stream, not only for the process
    child.stdout.once('end', () => {
      void exited.then(() =>
        fail(new Error(`the local AWS endpoint ended while starting (exit code ${child.exitCode})`)),
      )
    })
    timer = setTimeout(
      () => fail(new Error(`the local AWS endpoint was not ready in ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    )
  })
  try {
    return await line
  } finally {
    clearTimeout(timer)
  }
}

async function stop(child: Child, exited: Promise<unknown>): Promise<void> {
  child.stdin.end()
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
