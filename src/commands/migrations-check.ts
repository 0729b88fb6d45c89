import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { pendingMigrations } from '../database/pending-migrations.ts'
import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'

const LOOK_EVERY_MS = 1_000

class MigrationsPending extends Error {}

/** Does the database have every migration of this program? Once it has, it will not be asked again. */
export class MigrationsCheck {
  readonly #database: Database
  #isDone = false

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws Error while some are pending; what the database says */
  async check(): Promise<void> {
    if (this.#isDone) return
    const pending = await pendingMigrations(this.#database)
    if (pending.length > 0) throw new MigrationsPending(`${pending.length} migrations are pending, first ${pending[0]}`)
    this.#isDone = true
  }

  /** Resolves when somebody has applied them all, or when the signal is aborted. */
  async untilDone(logger: Logger, signal: AbortSignal): Promise<void> {
    for (let told = ''; !signal.aborted; ) {
      try {
        return await this.check()
      } catch (error) {
        const reason = describe(error)
        const awaited = error instanceof MigrationsPending ? '"rocketgames migrate"' : 'the database'
        if (reason !== told) logger.warn({ reason }, `not ready: waiting for ${awaited}`)
        told = reason
      }
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}
