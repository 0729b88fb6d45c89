import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from '../logger.ts'
import { traceparent } from '../tracing.ts'
import { passOn, readReport } from './child-log.ts'

const ENDED = 'a command of the lake has ended'

/** Starts the program's own commands somewhere else. Each resolves when the command is started, not when it ends. */
export interface LakeStarter {
  /** @throws Error when it could not be started; then nobody takes the snapshot. */
  snapshot(id: string): Promise<void>
  recover(): Promise<void>
  retention(): Promise<void>
}

export interface ChildStarterOptions {
  /** The program and its first arguments: `[process.execPath, 'src/main.ts']`. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  /** Told when the process of a snapshot has ended, well or not: it may never have taken the snapshot. */
  readonly onSnapshotEnd?: (id: string, how: string) => Promise<void>
}

/**
 * Commands as child processes on this machine: rows are never encoded inside the API process. What a child says goes to our log,
 * with the snapshot that it works on. A care command that still runs is not started a second time.
 */
export class ChildStarter implements LakeStarter {
  readonly #options: ChildStarterOptions
  readonly #children = new Map<ChildProcess, string>()
  readonly #telling = new Set<Promise<void>>()
  #closing = false

  constructor(options: ChildStarterOptions) {
    this.#options = options
  }

  async snapshot(id: string): Promise<void> {
    const { logger, onSnapshotEnd } = this.#options
    const child = await this.#start('snapshot', { snapshotId: id }, '--json', '--id', id)
    if (onSnapshotEnd === undefined) return
    child.once('close', (code, signal) => {
      const told = onSnapshotEnd(id, `its process ended with ${code ?? signal}`)
        .catch((error: unknown) =>
          logger.error({ err: error, snapshotId: id }, 'the end of a snapshot is not recorded'),
        )
        .finally(() => this.#telling.delete(told))
      this.#telling.add(told)
    })
  }

  async recover(): Promise<void> {
    if (!this.#isRunning('recover')) await this.#start('recover', {}, '--json')
  }

  async retention(): Promise<void> {
    if (!this.#isRunning('retention')) await this.#start('retention', {}, '--json')
  }

  #isRunning(command: string): boolean {
    return [...this.#children.values()].includes(command)
  }

  async #start(command: string, about: { readonly snapshotId?: string }, ...args: string[]): Promise<ChildProcess> {
    if (this.#closing) throw new Error('The service is stopping')
    const { command: program, env, logger } = this.#options
    const [file, ...first] = program
    const child = spawn(file, [...first, command, ...args], {
      // What the child does belongs to the trace of whoever asked for it.
      env: { ...env, TRACEPARENT: traceparent() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.set(child, command)
    const facts = { command, ...about }
    passOn(child.stderr, logger, facts)
    const report = readReport(child.stdout)
    child.once('close', async (code, signal) => {
      this.#children.delete(child)
      const done = about.snapshotId === undefined ? await report : undefined
      const end = { ...facts, code, signal, ...(done === undefined ? {} : { report: done }) }
      if (code !== 0) logger.warn(end, 'a command of the lake has failed')
      // Every hour and mostly about nothing.
      else logger[about.snapshotId === undefined && done === undefined ? 'debug' : 'info'](end, ENDED)
    })
    await once(child, 'spawn')
    return child
  }

  /** Asks every child to end and waits for it; the next start recovers what they leave. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true
    const children = [...this.#children.keys()]
    const ended = children.map((child) => once(child, 'close'))
    for (const child of children) child.kill('SIGTERM')
    const timer = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, graceMs)
    await Promise.allSettled(ended)
    clearTimeout(timer)
    await Promise.allSettled(this.#telling)
  }
}
