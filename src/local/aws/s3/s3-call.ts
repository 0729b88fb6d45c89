import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { ACCOUNT_ID } from '../account-id.ts'
import { decodePercent, decodeQuery, requestTarget } from '../request-target.ts'
import { checkKey } from './object-store.ts'
import { s3Error } from './s3-error.ts'

/** The answer of an operation. `stream` is sent as it is and closed by whoever sends it. */
export interface S3Answer {
  readonly status: number
  /** Values as text; they are sent as UTF-8. */
  readonly headers?: Readonly<Record<string, string | number | undefined>>
  readonly xml?: string
  readonly stream?: Readable
}

/** Node hands header values out byte by byte; what was sent is UTF-8. */
export const headerText = (value: string) => Buffer.from(value, 'latin1').toString('utf8')

/** One S3 request whose signature is proved, taken apart. */
export class S3Call {
  readonly request: IncomingMessage
  readonly requestId: string
  readonly region: string
  readonly method: string
  /** Empty: the service itself. */
  readonly bucket: string
  /** Empty: the bucket itself. */
  readonly key: string
  readonly query: ReadonlyMap<string, string>
  /** `x-amz-content-sha256`: a hash in hex, or one of the markers of S3. */
  readonly payload: string

  constructor(request: IncomingMessage, requestId: string, region: string, payload: string) {
    const { path, query } = requestTarget(request)
    const slash = path.indexOf('/', 1)
    this.request = request
    this.requestId = requestId
    this.region = region
    this.method = request.method ?? 'GET'
    this.bucket = decodePercent(slash < 0 ? path.slice(1) : path.slice(1, slash))
    this.key = slash < 0 ? '' : decodePercent(path.slice(slash + 1))
    this.query = decodeQuery(query)
    this.payload = payload
    if (this.key !== '') checkKey(this.key)
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    if (value === undefined) return undefined
    return headerText(Array.isArray(value) ? value.join(', ') : value)
  }

  /** Names of the headers that were sent, in lower case. */
  headerNames(): string[] {
    return Object.keys(this.request.headers)
  }

  /** A whole number from the query. @throws AwsError `InvalidArgument` naming the parameter and what it allows. */
  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.query.get(name)
    if (text === undefined || text === '') return fallback
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
    if (value < min || value > max) {
      throw s3Error('InvalidArgument', `${name} must be a whole number from ${min} to ${max}.`, {
        ArgumentName: name,
        ArgumentValue: text,
      })
    }
    return value
  }

  /** The parameter of a page's size: anything above 1000 counts as 1000. */
  pageSize(name: string): number {
    return Math.min(1000, this.integer(name, 1000, 0, 2_147_483_647))
  }

  required(name: string): string {
    const value = this.query.get(name)
    if (!value) throw s3Error('InvalidArgument', `The parameter ${name} is required.`, { ArgumentName: name })
    return value
  }

  checkBucketOwner(): void {
    for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
      const owner = this.header(name)
      if (owner !== undefined && owner !== ACCOUNT_ID) throw s3Error('AccessDenied')
    }
  }

  /** Body chunks. The socket outlives an early end, so that a refusal can be read. */
  body(): AsyncIterable<Uint8Array> {
    return this.request.iterator({ destroyOnReturn: false })
  }
}
