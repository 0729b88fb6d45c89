import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import { httpStatus, type RetryBudget, retrying } from '../retries.ts'

export interface S3CallOptions {
  readonly retries?: RetryBudget
  /** Told of every repeated call. */
  readonly onRetry?: (operation: string, error: unknown) => void
}

/** Calls to S3, each repeated within its budget; what fails for good says operation, key and AWS's own code. */
export class S3Calls {
  readonly #options: S3CallOptions

  constructor(options: S3CallOptions) {
    this.#options = options
  }

  /** @throws LakeProblem `storage_denied` (authorisation) or `storage_failed`, with `status` and `awsCode` in its facts. */
  async run<T>(operation: string, key: string, send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { onRetry, retries } = this.#options
    try {
      return await retrying(send, {
        ...(retries ? { budget: retries } : {}),
        ...(signal ? { signal } : {}),
        onRetry: (error) => onRetry?.(operation, error),
      })
    } catch (error) {
      if (error instanceof LakeProblem) throw error
      const status = httpStatus(error)
      const awsCode = (error as Error).name
      const denied = status === 401 || status === 403 || awsCode === 'CredentialsProviderError'
      throw new LakeProblem(
        denied ? 'storage_denied' : 'storage_failed',
        `${operation} of ${key} failed: ${describe(error)}`,
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
