import { describeCall } from '../aws-calls.ts'
import { LakeProblem } from '../lake-problem.ts'
import { httpStatus, isTransient, type RetryBudget, retrying } from '../retries.ts'

export interface S3CallOptions {
  readonly retries?: RetryBudget
  /** Told of every repeated call. */
  readonly onRetry?: (operation: string, error: unknown) => void
}

export interface S3RunOptions {
  readonly signal?: AbortSignal | undefined
  /** Errors that may pass by themselves, besides those that do for every call. */
  readonly passes?: (error: unknown) => boolean
}

/** Refusals that S3 answers with 400; all others are 401 and 403. */
const DENIED = new Set([
  'AccessDenied',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
])

/** Calls to S3, each repeated within its budget; what fails for good says operation, key and AWS's own code. */
export class S3Calls {
  readonly #options: S3CallOptions

  constructor(options: S3CallOptions) {
    this.#options = options
  }

  /**
   * @param send is given the signal that ends the call: asked for, or at the end of its budget.
   * @throws LakeProblem `storage_denied` (authorisation) or `storage_failed`, with `status` and `awsCode` in its facts.
   */
  async run<T>(
    operation: string,
    key: string,
    send: (signal: AbortSignal) => Promise<T>,
    { passes, signal }: S3RunOptions = {},
  ): Promise<T> {
    const { onRetry, retries } = this.#options
    try {
      return await retrying(send, {
        ...(retries ? { budget: retries } : {}),
        ...(signal ? { signal } : {}),
        passes: (error) => isTransient(error) || passes?.(error) === true,
        onRetry: (error) => onRetry?.(operation, error),
      })
    } catch (error) {
      if (error instanceof LakeProblem) throw error
      const status = httpStatus(error)
      const awsCode = (error as Error).name
      const denied = status === 401 || status === 403 || DENIED.has(awsCode)
      throw new LakeProblem(
        denied ? 'storage_denied' : 'storage_failed',
        `${operation} of ${key} failed: ${describeCall(error)}`,
        { key, operation, status, awsCode },
        error,
      )
    }
  }
}

/** Undefined where S3 says that there is no such object or upload. */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof LakeProblem && error.facts.status === 404) return undefined
    throw error
  }
}
