import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Left, type Quota, RequestCounts, type SharedCounts } from './request-counts.ts'

export interface LimitSettings {
  /** Requests of one key. */
  readonly requests: Quota
  /** Of these, how many may be bulk: imports and exports. */
  readonly bulk: Quota
  /** Bulk streams of one key that run at once. */
  readonly streamsPerKey: number
  /** Bulk streams of the process: fewer than its database connections, or they leave none for anybody else. */
  readonly streams: number
  /** Requests being answered at once by the process; beyond, waiting would only make all of them late. */
  readonly inFlight: number
}

/** Far above what a well-behaved caller needs, low enough that one that runs wild does not take the others with it. */
export const DEFAULT_LIMITS: LimitSettings = {
  requests: { count: 6000, windowSeconds: 60 },
  bulk: { count: 4, windowSeconds: 1 },
  streamsPerKey: 4,
  streams: 6,
  inFlight: 500,
}

/** Headers of draft-ietf-httpapi-ratelimit-headers: what is left of each policy. */
type LimitHeaders = Readonly<Record<'RateLimit' | 'RateLimit-Policy', string>>

/**
 * What one caller, and all of them together, may take. The quotas of a key are those of all processes that have their counts in common;
 * streams and requests at once are places in this process, which they protect.
 */
export class Limits {
  readonly #settings: LimitSettings
  readonly #requests: RequestCounts
  readonly #bulk: RequestCounts
  readonly #policies: { readonly requests: string; readonly bulk: string }
  readonly #streamsOfKey = new Map<string, number>()
  #streams = 0
  #inFlight = 0

  /** @param shared counts of all processes; without them this one counts for itself */
  constructor(settings: LimitSettings = DEFAULT_LIMITS, shared?: SharedCounts, logger?: Logger) {
    this.#settings = settings
    this.#requests = new RequestCounts({ policy: 'default', quota: settings.requests, shared, logger })
    this.#bulk = new RequestCounts({ policy: 'bulk', quota: settings.bulk, shared, logger })
    const requests = policyOf('default', settings.requests)
    this.#policies = { requests, bulk: `${requests}, ${policyOf('bulk', settings.bulk)}` }
  }

  /**
   * A place among the requests that are answered now; `leave()` gives it back.
   *
   * @throws AppError `unavailable`
   */
  enter(): void {
    if (this.#inFlight >= this.#settings.inFlight) {
      throw new AppError('unavailable', 'The service is answering as many requests as it can', {
        headers: { 'Retry-After': '1' },
      })
    }
    this.#inFlight++
  }

  leave(): void {
    this.#inFlight--
  }

  /**
   * Counts a request of a key.
   *
   * @returns the headers of its answer, whatever that will be
   * @throws AppError `quota-exceeded` with `Retry-After`
   */
  countRequest(keyId: string): LimitHeaders {
    const left = this.#requests.count(keyId)
    const headers = { 'RateLimit-Policy': this.#policies.requests, RateLimit: itemOf('default', left) }
    if (left.isOver) throw exceeded('default', this.#settings.requests, left, headers)
    return headers
  }

  /**
   * Counts a bulk request of a key, one that `countRequest` let through, and takes a place for its stream; `endStream()` gives
   * it back.
   *
   * @param earlier the `RateLimit` header so far
   * @throws AppError `quota-exceeded`; `unavailable` when other keys have taken every place
   */
  async startStream(keyId: string, earlier: string): Promise<LimitHeaders> {
    const left = await this.#bulk.countTogether(keyId)
    const headers = {
      'RateLimit-Policy': this.#policies.bulk,
      RateLimit: `${earlier}, ${itemOf('bulk', left)}`,
    }
    if (left.isOver) throw exceeded('bulk', this.#settings.bulk, left, headers)
    const own = this.#streamsOfKey.get(keyId) ?? 0
    if (own >= this.#settings.streamsPerKey) {
      throw new AppError('quota-exceeded', `${own} streams of this key are running; wait for one of them`, {
        extra: { 'violated-policies': ['streams'] },
        headers: { ...headers, 'Retry-After': '5' },
      })
    }
    if (this.#streams >= this.#settings.streams) {
      throw new AppError('unavailable', 'As many imports and exports are running as the service can take', {
        headers: { ...headers, 'Retry-After': '5' },
      })
    }
    this.#streamsOfKey.set(keyId, own + 1)
    this.#streams++
    return headers
  }

  endStream(keyId: string): void {
    const own = (this.#streamsOfKey.get(keyId) ?? 1) - 1
    if (own > 0) this.#streamsOfKey.set(keyId, own)
    else this.#streamsOfKey.delete(keyId)
    this.#streams--
  }

  /** Tells the other processes what they do not know yet. */
  async stop(): Promise<void> {
    await Promise.all([this.#requests.stop(), this.#bulk.stop()])
  }
}

function exceeded(policy: string, { count, windowSeconds }: Quota, left: Left, headers: LimitHeaders): AppError {
  return new AppError(
    'quota-exceeded',
    `The policy ${policy} allows ${count} requests of a key in ${windowSeconds} s; wait ${left.resetSeconds} s`,
    {
      extra: { 'violated-policies': [policy] },
      headers: { ...headers, 'Retry-After': String(left.resetSeconds) },
    },
  )
}

const policyOf = (name: string, { count, windowSeconds }: Quota) => `"${name}";q=${count};w=${windowSeconds}`
const itemOf = (name: string, { remaining, resetSeconds }: Left) => `"${name}";r=${remaining};t=${resetSeconds}`
