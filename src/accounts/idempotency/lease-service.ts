import type { Database } from '../../database/database.ts'
import { describe } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { renewClaim } from './idempotency-store.ts'
import type { Claim } from './stored-answer.ts'

/** Hardly any request lasts so long. */
const RENEW_MS = 3_000

export interface LeaseOptions {
  readonly database: Database
  readonly claim: Claim
  readonly leaseMs: number
  readonly logger: Logger
}

/**
 * A claim that is renewed while its holder is at work: however long that takes, nobody else begins in its place, and a holder that died
 * is not waited for longer than the lease.
 */
export class Lease {
  readonly #options: LeaseOptions
  #claim: Claim
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> = Promise.resolve()

  /** Begins at once. Made outside of the transaction that it protects, or its renewals would be a part of it. */
  constructor(options: LeaseOptions) {
    this.#options = options
    this.#claim = options.claim
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew())
    }, RENEW_MS)
    this.#timer.unref()
  }

  /** With the fence of the last renewal. */
  get claim(): Claim {
    return this.#claim
  }

  /** Not renewed any more, from when this resolves. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#renewing
  }

  /** Never rejects: the fence tells at the end whether the claim still holds. */
  async #renew(): Promise<void> {
    if (this.#timer === undefined) return
    const { database, leaseMs, logger } = this.#options
    try {
      this.#claim = (await renewClaim(database, this.#claim, leaseMs)) ?? this.#claim
    } catch (error) {
      logger.warn({ keyId: this.#claim.callerId, cause: describe(error) }, 'a lease could not be renewed')
    }
  }
}
