import type { Database } from '../../database/database.ts'
import { describe } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { purgeKeys } from './idempotency-store.ts'

const HOUR_MS = 3_600_000
/** Short locks, and an end in sight when the service stops. */
const BATCH_ROWS = 1_000

/** Removes expired keys once an hour, beginning at once. Any number of processes may do it: none waits for another. */
export class IdempotencyPurge {
  readonly #database: Database
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(database: Database, logger: Logger) {
    this.#database = database
    this.#logger = logger
  }

  start(): void {
    const next = () => {
      this.#running = this.#purge()
    }
    this.#timer = setInterval(next, HOUR_MS)
    this.#timer.unref()
    next()
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#running
  }

  /** Returns how many were removed. @throws what the database says */
  async once(): Promise<number> {
    let removed = 0
    for (;;) {
      const count = await purgeKeys(this.#database, BATCH_ROWS)
      removed += count
      if (count < BATCH_ROWS || this.#stopped) return removed
    }
  }

  /** A failure costs an hour: expired keys count as absent all the same. */
  async #purge(): Promise<void> {
    try {
      const removed = await this.once()
      if (removed > 0) this.#logger.info({ removed }, 'expired idempotency keys are removed')
    } catch (error) {
      this.#logger.warn({ cause: describe(error) }, 'expired idempotency keys could not be removed')
    }
  }
}
