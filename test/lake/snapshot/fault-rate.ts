import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Verdict } from './s3-proxy.ts'

/** What AWS service a request is for, as its signature says: `s3`, `glue`, `athena`, `sts`; `s3` when it is not signed. */
export function serviceOf({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): string {
  const scope = /Credential=[^/\s]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '')?.[1]
  const presigned = /X-Amz-Credential=[^&]*?%2F\d{8}%2F[^&]*?%2F([^&%]+)%2Faws4_request/i.exec(url)?.[1]
  return scope ?? presigned ?? 's3'
}

/** Parameters that change from run to run or say nothing about the operation. */
const IGNORED = /^(?:x-id$|x-amz-)/i

/** The same text for the same kind of call, whatever ids are in its key: `PUT object partNumber uploadId`. */
export function operationOf({ method = '', url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>) {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const depth = pathname.split('/').filter((part) => part !== '').length
  const place = depth === 0 ? 'service' : depth === 1 ? 'bucket' : 'object'
  const parameters = [...searchParams.keys()].filter((name) => !IGNORED.test(name)).sort()
  const target = headers['x-amz-target']
  return [method, place, ...parameters, ...(target === undefined ? [] : [String(target)])].join(' ')
}

export interface FaultRateOptions {
  /** Only requests of these services fail; others pass untouched. */
  readonly services?: readonly string[]
}

/**
 * A `decide` for the proxy: of every operation the given share of calls fails, in one of the given ways. Whether the n-th call of an
 * operation fails, and how, follows from the seed alone; calls of other operations between them do not shift it.
 *
 * @param rate 0 to 1.
 */
export function faultRate(
  rate: number,
  verdicts: readonly Verdict[],
  seed: number,
  { services = ['s3'] }: FaultRateOptions = {},
): (request: IncomingMessage) => Verdict {
  const calls = new Map<string, number>()
  return (request) => {
    if (!services.includes(serviceOf(request))) return 'pass'
    const operation = operationOf(request)
    const call = (calls.get(operation) ?? 0) + 1
    calls.set(operation, call)
    const hash = createHash('sha256').update(`${seed} ${operation} ${call}`).digest()
    if (hash.readUInt32LE(0) / 2 ** 32 >= rate) return 'pass'
    return verdicts[hash.readUInt32LE(4) % verdicts.length] ?? 'pass'
  }
}
