import { AppError } from '../errors.ts'
import { isTransient } from './retries.ts'

const RETRY_AFTER_SECONDS = '5'

/**
 * Calls a service of the lake. While S3, Glue or Athena do not answer the caller hears 503 and when to come again; the next
 * call simply tries, so the service recovers by itself.
 *
 * @throws AppError `unavailable`; every other error as it is.
 */
export async function reaching<T>(service: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof AppError || !isTransient(error)) throw error
    throw new AppError('unavailable', `${service} cannot be reached now; the accounts themselves can`, {
      headers: { 'Retry-After': RETRY_AFTER_SECONDS },
      cause: error,
    })
  }
}
