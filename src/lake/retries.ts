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
  // Two conditional writes of one key met; S3 has decided neither, and asks for both again.
  'ConditionalRequestConflict',
  'OperationAborted',
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
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean }
  readonly cause?: unknown
}

/** HTTP status of an error of the AWS SDK; undefined when there was no answer. */
export function httpStatus(error: unknown): number | undefined {
  return (error as ServiceError | null)?.$metadata?.httpStatusCode
}

/** May the same call succeed a moment later? Refusals and invalid requests never do. */
export function isTransient(error: unknown): boolean {
  if (error === null || typeof error !== 'object') return false
  const { $metadata: metadata, name = '', code = '', cause } = error as ServiceError
  // This machine's clock was set, or is wrong: the client has learnt the difference and signs the next call with the right time.
  if (metadata?.clockSkewCorrected) return true
  const status = httpStatus(error)
  if (TRANSIENT_NAMES.has(name) || TRANSIENT_CODES.has(code)) return true
  if (status !== undefined && (status === 429 || status === 500 || status >= 502)) return true
  return cause !== undefined && cause !== error && isTransient(cause)
}

/**
 * Calls until it succeeds, fails for good or the budget ends; waits with full jitter between tries, so that many callers that
 * failed together do not come back together.
 *
 * @param call is given a signal that aborts at the end of the budget and when `options.signal` does. Whoever hands it to the client can
 *   not be held up for longer by a server that never answers, or a byte at a time.
 * @throws the error of the last try; the reason of `options.signal` once it aborts.
 */
export async function retrying<T>(call: (signal: AbortSignal) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { budget = DEFAULT_RETRIES, signal, random = Math.random, passes = isTransient } = options
  const deadline = Date.now() + budget.totalMs
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), budget.totalMs)
  timer.unref()
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  try {
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted()
      try {
        return await call(either)
      } catch (error) {
        signal?.throwIfAborted()
        if (over.signal.aborted) throw outOfTime(budget, error)
        const waitMs = random() * Math.min(budget.capMs, budget.baseMs * 2 ** (tries - 1))
        if (tries >= budget.tries || !passes(error) || Date.now() + waitMs > deadline) throw error
        options.onRetry?.(error, tries)
        await sleep(waitMs, undefined, { signal: either }).catch(() => signal?.throwIfAborted())
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

function outOfTime({ totalMs }: RetryBudget, cause: unknown): Error {
  const error = new Error(`No answer within ${totalMs / 1000} s, all tries together`, { cause })
  error.name = 'TimeoutError'
  return error
}
