import { setTimeout as sleep } from 'node:timers/promises'

/** How often and how long a call to AWS is repeated. */
export interface RetryBudget {
  readonly tries: number
  /** Upper bound of the first wait; it doubles with each try. */
  readonly baseMs: number
  readonly capMs: number
  /** No try begins later than this after the first. */
  readonly totalMs: number
}

export const DEFAULT_RETRIES: RetryBudget = { tries: 8, baseMs: 200, capMs: 20_000, totalMs: 300_000 }

export interface RetryOptions {
  readonly budget?: RetryBudget
  readonly signal?: AbortSignal
  /** Which errors may pass by themselves; default `isTransient`. */
  readonly passes?: (error: unknown) => boolean
  /** Told before each wait, for counters and logs. */
  readonly onRetry?: (error: unknown, tries: number) => void
  /** Between 0 and 1; for tests. */
  readonly random?: () => number
}

const TRANSIENT_NAMES = new Set([
  'SlowDown',
  'InternalError',
  'InternalServerException',
  'InternalServiceException',
  'InternalFailure',
  'OperationTimeoutException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'KMSInternalException',
  'TimeoutError',
])
const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

interface ServiceError {
  readonly name?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly cause?: unknown
}

/** HTTP status of an error of the AWS SDK; undefined when there was no answer. */
export function httpStatus(error: unknown): number | undefined {
  return (error as ServiceError | null)?.$metadata?.httpStatusCode
}

/** May the same call succeed a moment later? Refusals and invalid requests never do. */
export function isTransient(error: unknown): boolean {
  if (error === null || typeof error !== 'object') return false
  const { name = '', code = '', cause } = error as ServiceError
  const status = httpStatus(error)
  if (TRANSIENT_NAMES.has(name) || TRANSIENT_CODES.has(code)) return true
  if (status !== undefined && (status === 429 || status === 500 || status >= 502)) return true
  return cause !== undefined && cause !== error && isTransient(cause)
}

/**
 * Calls until it succeeds, fails for good or the budget ends; waits with full jitter between tries, so that many callers that
 * failed together do not come back together.
 */
export async function retrying<T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { budget = DEFAULT_RETRIES, signal, random = Math.random, passes = isTransient } = options
  const deadline = Date.now() + budget.totalMs
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted()
    try {
      return await call()
    } catch (error) {
      const waitMs = random() * Math.min(budget.capMs, budget.baseMs * 2 ** (tries - 1))
      if (tries >= budget.tries || !passes(error) || Date.now() + waitMs > deadline) throw error
      options.onRetry?.(error, tries)
      await sleep(waitMs, undefined, signal ? { signal } : {})
    }
  }
}
