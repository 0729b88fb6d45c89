import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** A process that was started and can be told to stop. */
export interface Part {
  /** Settles when the process is gone, asked for or not. */
  readonly gone: Promise<unknown>
  stop(): Promise<void>
}

/** More deaths than this within the window, and something is wrong that another start does not mend. */
const MOST_RESTARTS = 3
const WINDOW_MS = 60_000

/**
 * Keeps a process running: one that dies by itself is started again, on the same folder and port, so its callers see an outage
 * of a moment and no more.
 */
export class Supervised {
  readonly #name: string
  readonly #start: () => Promise<Part>
  readonly #log: Logger
  readonly #failure = Promise.withResolvers<string>()
  readonly #deaths: number[] = []
  #part: Part | undefined
  #stopping = false
  #restart: Promise<void> = Promise.resolve()

  constructor(name: string, start: () => Promise<Part>, log: Logger) {
    this.#name = name
    this.#start = start
    this.#log = log
  }

  /** Settles with a sentence when it cannot be kept running. */
  get failed(): Promise<string> {
    return this.#failure.promise
  }

  /** @throws what the start throws; nothing runs then. */
  async begin(): Promise<void> {
    const part = await this.#start()
    this.#part = part
    void part.gone.then(() => {
      if (!this.#stopping) this.#restart = this.#again()
    })
  }

  async #again(): Promise<void> {
    const now = Date.now()
    this.#deaths.push(now)
    if (this.#deaths.filter((death) => now - death < WINDOW_MS).length > MOST_RESTARTS) {
      this.#failure.resolve(`${this.#name} ended by itself again and again`)
      return
    }
    this.#log.warn({ part: this.#name }, 'a part ended by itself and is started again')
    try {
      await this.begin()
    } catch (error) {
      this.#failure.resolve(`${this.#name} ended by itself and cannot be started again: ${describe(error)}`)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#restart
    await this.#part?.stop()
  }
}
