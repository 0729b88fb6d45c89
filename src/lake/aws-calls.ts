import { describe } from '../errors.ts'

/** Settings of every client: an address, and who calls. Without credentials the SDK's own chain finds them. */
export interface AwsAddress {
  readonly region: string
  /** Undefined: the real AWS endpoints. */
  readonly endpoint?: string | undefined
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
}

/**
 * Client settings that Glue and Athena share. Retries are ours (`retries.ts`), with the SDK's adaptive rate limit below them.
 * Times in ms: a request that hangs is an outage, not a wait.
 */
export function clientSettings({ region, endpoint, credentials }: AwsAddress) {
  return {
    region,
    retryMode: 'adaptive',
    maxAttempts: 1,
    // Without the third one the client only warns.
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  }
}

/** The name of an AWS exception (`EntityNotFoundException`), or of any other error. */
export function awsErrorName(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

/** What AWS said, its code first: the sentence behind it is another one in each service, and often says less. */
export function describeCall(error: unknown): string {
  const [name, text] = [awsErrorName(error), describe(error)]
  return ['', 'Error'].includes(name) || text.startsWith(name) ? text : `${name}: ${text}`
}
