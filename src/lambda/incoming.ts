import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { AppError } from '../errors.ts'

/** Of the whole result as JSON (Lambda's quota "Invocation payload": 6 MB). */
export const MAX_RESULT_BYTES = 6_291_556
/** Where a load balancer asked (quota of its targets that are functions: 1 MB); beyond, its callers get a bare 502. */
export const MAX_BALANCER_RESULT_BYTES = 1_000_000

/** A request as it would have come over the wire, and how its answer has to be written. */
export interface Incoming {
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly target: string
  /** Names in lower case; several values of one name are several pairs. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer | undefined
  readonly answer: AnswerForm
  /** Of the result that holds the answer, as JSON. */
  readonly maxResultBytes: number
}

/** `cookies`: payload 2.0. `multi`: every header as a list. `single`: one value a header. */
export type AnswerForm = 'cookies' | 'multi' | 'single'

type Pairs = [name: string, value: string][]
type Values = Readonly<Record<string, string | undefined>>
type Lists = Readonly<Record<string, readonly string[] | undefined>>

/**
 * Reads an event of API Gateway (HTTP API, payload 2.0 and 1.0; REST API), of a function URL or of an Application Load Balancer.
 *
 * @throws AppError `malformed-input` for anything else: the function is wired to something that brings no requests
 */
export function readEvent(event: unknown): Incoming {
  if (isObject(event)) {
    if (event.version === '2.0') return readVersion2(event as unknown as APIGatewayProxyEventV2)
    if (isObject(event.requestContext) && 'elb' in event.requestContext) return readAlb(event as unknown as ALBEvent)
    if (typeof event.httpMethod === 'string') return readVersion1(event as unknown as APIGatewayProxyEvent)
  }
  throw new AppError(
    'malformed-input',
    'The event is no request: send those of API Gateway (payload 2.0 or 1.0), of a function URL or of a load balancer',
  )
}

function readVersion2(event: APIGatewayProxyEventV2): Incoming {
  const { requestContext, rawPath, rawQueryString, cookies = [] } = event
  const path = withoutPrefix(rawPath, requestContext.stage === '$default' ? '' : `/${requestContext.stage}`)
  const headers = pairsOf(event.headers)
  // Where they have a list of their own they are mostly missing among the headers.
  if (cookies.length > 0 && event.headers.cookie === undefined) headers.push(['cookie', cookies.join('; ')])
  return {
    method: requestContext.http.method,
    target: targetOf(isFunctionUrl(requestContext.domainName) ? escaped(path) : encoded(path), rawQueryString),
    headers,
    body: bodyOf(event),
    answer: 'cookies',
    maxResultBytes: MAX_RESULT_BYTES,
  }
}

/** An HTTP API decodes the path before it tells it; a function URL does not. */
function isFunctionUrl(domainName: string): boolean {
  return /\.lambda-url\.[a-z0-9-]+\.on\.aws$/.test(domainName)
}

function readVersion1(event: APIGatewayProxyEvent): Incoming {
  // Only the HTTP API says which version it speaks, and there the path is decoded.
  const isHttpApi = (event as { version?: string }).version === '1.0'
  const stage = isHttpApi && event.requestContext.stage !== '$default' ? `/${event.requestContext.stage}` : ''
  const path = withoutPrefix(withoutBasePath(event), stage)
  const query = queryPairs(event.multiValueQueryStringParameters, event.queryStringParameters)
  return {
    method: event.httpMethod,
    target: targetOf(isHttpApi ? encoded(path) : escaped(path), query.map(encodedPair).join('&')),
    headers: headersOf(event),
    body: bodyOf(event),
    answer: 'multi',
    maxResultBytes: MAX_RESULT_BYTES,
  }
}

/** A load balancer hands the query on as it came. */
function readAlb(event: ALBEvent): Incoming {
  const query = queryPairs(event.multiValueQueryStringParameters, event.queryStringParameters)
  return {
    method: event.httpMethod,
    target: targetOf(escaped(event.path), query.map(([name, value]) => `${name}=${value}`).join('&')),
    headers: headersOf(event),
    body: bodyOf(event),
    answer: event.multiValueHeaders === undefined ? 'single' : 'multi',
    maxResultBytes: MAX_BALANCER_RESULT_BYTES,
  }
}

/** On a custom domain the path begins with what the API is mapped to; what the greedy parameter took does not. */
function withoutBasePath({ path, resource, pathParameters }: APIGatewayProxyEvent): string {
  const taken = resource === '/' ? '' : resource === '/{proxy+}' ? pathParameters?.proxy : undefined
  if (taken === undefined) return path
  const tail = path.split('/').slice(-taken.split('/').length).join('/')
  return tail === taken || decoded(tail) === taken ? `/${tail}` : path
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function withoutPrefix(path: string, prefix: string): string {
  if (prefix === '' || !(path === prefix || path.startsWith(`${prefix}/`))) return path
  return path.slice(prefix.length) || '/'
}

const percent = (text: string, characters: RegExp) => text.toWellFormed().replace(characters, encodeURIComponent)
/** A path that is encoded already: only what cannot stand in a request line is mended. */
const escaped = (path: string) => percent(path, /[^\x21-\x7e]|[?#]/gu)
/** A path that was decoded: `%` stands for itself in it. */
const encoded = (path: string) => percent(path, /[^\x21-\x7e]|[?#%"<>\\^`{|}]/gu)

function targetOf(path: string, query: string): string {
  return query === '' ? path : `${path}?${percent(query, /[^\x21-\x7e]|#/gu)}`
}

function queryPairs(lists: Lists | null | undefined, values: Values | null | undefined): Pairs {
  return lists ? pairsOfLists(lists) : pairsOf(values ?? {})
}

const encodedPair = (pair: readonly [string, string]) =>
  pair.map((text) => encodeURIComponent(text.toWellFormed())).join('=')

function headersOf({ headers, multiValueHeaders }: APIGatewayProxyEvent | ALBEvent): Pairs {
  const pairs = multiValueHeaders ? pairsOfLists(multiValueHeaders) : pairsOf(headers ?? {})
  return pairs.map(([name, value]) => [name.toLowerCase(), value])
}

function pairsOf(values: Values): Pairs {
  return Object.entries(values).flatMap(([name, value]): Pairs => (value === undefined ? [] : [[name, value]]))
}

function pairsOfLists(lists: Lists): Pairs {
  return Object.entries(lists).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value]))
}

function bodyOf({ body, isBase64Encoded }: { body?: string | null; isBase64Encoded: boolean }): Buffer | undefined {
  return body ? Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
