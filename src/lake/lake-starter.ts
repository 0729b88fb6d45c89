import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from '../logger.ts'

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
 * Commands as child processes on this machine: rows are never encoded inside the API process. A child's log goes to our
 * standard error. A care command that still runs is not started a second time.
 */
export class ChildStarter implements LakeStarter {
  readonly #options: ChildStarterOptions
  readonly #children = new Map<ChildProcess, string>()
  readonly #telling = new Set<Promise<void>>()

  constructor(options: ChildStarterOptions) {
    this.#options = options
  }

  async snapshot(id: string): Promise<void> {
    const { logger, onSnapshotEnd } = this.#options
    const child = await this.#start('snapshot', '--id', id)
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
    if (!this.#isRunning('recover')) await this.#start('recover')
  }

  async retention(): Promise<void> {
    if (!this.#isRunning('retention')) await this.#start('retention')
  }

  #isRunning(command: string): boolean {
    return [...this.#children.values()].includes(command)
  }

  async #start(command: string, ...args: string[]): Promise<ChildProcess> {
    const { command: program, env, logger } = this.#options
    const [file, ...first] = program
    const child = spawn(file, [...first, command, ...args], {
      env: { ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#children.set(child, command)
    child.once('close', (code, signal) => {
      this.#children.delete(child)
      const facts = { command, code, signal }
      if (code === 0) logger.info(facts, 'a command of the lake has ended')
      else logger.warn(facts, 'a command of the lake has failed')
    })
    await once(child, 'spawn')
    return child
  }

  /** Asks every child to end and waits for it; the next start recovers what they leave. */
  async close(graceMs: number): Promise<void> {
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
