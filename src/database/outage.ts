import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from '../logger.ts'
import { ConnectionLost, databaseError, LoginRefused } from './constraint-errors.ts'

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500

type Connect = () => Promise<pg.PoolClient>

/**
 * Connections of a database that may be away for a moment: it is restarted, or a stand-by takes its place. Who needs a connection
 * then waits, up to `patienceMs` from the first failure on, while one of all tries in their place. A database that stays away for
 * longer is told at once, so that callers who cannot be helped do not pile up; one that comes back is noticed by the next attempt.
 */
export class Outage {
  readonly #connect: Connect
  readonly #patienceMs: number
  readonly #logger: Logger | undefined
  /** Of the first failure after a success, by `performance.now()`. */
  #since: number | undefined
  #over: Promise<void> | undefined
  /** Told once; what helps is to be done by somebody. */
  #isRefused = false

  constructor(connect: Connect, patienceMs: number, logger?: Logger) {
    this.#connect = connect
    this.#patienceMs = patienceMs
    this.#logger = logger
  }

  /** A connection, as soon as there is a database. */
  async connect(): Promise<pg.PoolClient> {
    for (;;) {
      await this.#over
      try {
        return await this.attempt()
      } catch (error) {
        if (!isAway(error) || this.#isOverdue()) throw error
        this.#over ??= this.#watch().finally(() => {
          this.#over = undefined
        })
      }
    }
  }

  /** A connection now, or none. */
  async attempt(): Promise<pg.PoolClient> {
    try {
      const client = await this.#connect()
      this.#end()
      return client
    } catch (error) {
      if (isAway(error)) this.#begin(error)
      this.#tellRefusal(databaseError(error))
      throw error
    }
  }

  #begin(error: unknown): void {
    if (this.#since !== undefined) return
    this.#since = performance.now()
    this.#logger?.warn({ reason: (error as Error).message }, 'the database is away; requests wait for it')
  }

  #tellRefusal(error: unknown): void {
    if (!(error instanceof LoginRefused) || this.#isRefused) return
    this.#isRefused = true
    this.#logger?.error(
      { reason: (error.cause as Error).message },
      'the database refuses the login of this process: its DATABASE_USER, DATABASE_PASSWORD and DATABASE_NAME (or DATABASE_URL) hold no longer; start it anew with the present ones',
    )
  }

  #end(): void {
    this.#isRefused = false
    if (this.#since === undefined) return
    const ms = Math.round(performance.now() - this.#since)
    this.#since = undefined
    this.#logger?.info({ ms }, 'the database is back')
  }

  #isOverdue(): boolean {
    return this.#since !== undefined && performance.now() - this.#since >= this.#patienceMs
  }

  /** Resolves when it is worth asking again, or no longer worth waiting. */
  async #watch(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!this.#isOverdue()) {
      // Spread, so that several processes do not come together.
      await delay(pauseMs * (0.5 + Math.random()))
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      try {
        const client = await this.attempt()
        client.release()
        return
      } catch (error) {
        if (!isAway(error)) return
      }
    }
  }
}

/** No connection could be made; a pool that has none to spare is another matter. */
function isAway(error: unknown): boolean {
  return databaseError(error) instanceof ConnectionLost
}
