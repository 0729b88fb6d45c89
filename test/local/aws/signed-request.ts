/** A signer of the tests' own, written from AWS's description, for requests the SDK would never send. */
import { createHash, createHmac } from 'node:crypto'
import { type IncomingHttpHeaders, request as send } from 'node:http'
import type { TestAws } from '../../support/local-aws.ts'

export interface RawRequest {
  readonly method?: string
  /** Already percent-encoded. */
  readonly path: string
  /** Decoded pairs. */
  readonly query?: Readonly<Record<string, string>>
  /** Values as text; they travel as UTF-8. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly payload?: string
  readonly service?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly date?: Date
  /** Added after signing. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>
  /** Replaces the Authorization header; null sends none. */
  readonly authorization?: string | null
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** `<Code>` of an XML error, or `__type` of a JSON one. */
  readonly code: string | undefined
}

const hash = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
export const percent = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const stamp = (date: Date) => date.toISOString().replace(/[-:]|\.\d{3}/g, '')

const queryString = (query: Readonly<Record<string, string>>) =>
  Object.entries(query)
    .map(([name, value]) => `${percent(name)}=${percent(value)}`)
    .sort()
    .join('&')

function signature(secret: string, scope: readonly string[], timestamp: string, canonical: string): string {
  const key = scope.reduce<string | Buffer>((k, part) => hmac(k, part), `AWS4${secret}`) as Buffer
  return hmac(key, ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), hash(canonical)].join('\n')).toString('hex')
}

export function signedRequest(aws: TestAws, raw: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path, query = {}, body = '', service = 's3', date = new Date() } = raw
  const timestamp = stamp(date)
  const payload = raw.payload ?? hash(body)
  const host = new URL(aws.endpoint).host
  const headers: Record<string, string> = { ...raw.headers, host, 'x-amz-date': timestamp }
  if (service === 's3') headers['x-amz-content-sha256'] = payload
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    path,
    queryString(query),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    payload,
  ].join('\n')
  const scope = [timestamp.slice(0, 8), aws.region, service, 'aws4_request']
  const secret = raw.secretAccessKey ?? aws.credentials.secretAccessKey
  const id = raw.accessKeyId ?? aws.credentials.accessKeyId
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature(secret, scope, timestamp, canonical)}`
  const all: Record<string, string> = { ...headers, ...raw.unsignedHeaders }
  if (raw.authorization !== null) all.authorization = raw.authorization ?? authorization
  const search = Object.keys(query).length > 0 ? `?${queryString(query)}` : ''
  return rawRequest(aws, method, path + search, all, body)
}

/** A presigned URL's path and query. */
export function presign(
  aws: TestAws,
  options: {
    method?: string
    path: string
    expires?: string
    date?: Date
    query?: Record<string, string>
    without?: string
  },
): string {
  const { method = 'GET', path, expires = '60', date = new Date() } = options
  const timestamp = stamp(date)
  const scope = [timestamp.slice(0, 8), aws.region, 's3', 'aws4_request']
  const query: Record<string, string> = {
    ...options.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${aws.credentials.accessKeyId}/${scope.join('/')}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': expires,
    'X-Amz-SignedHeaders': 'host',
  }
  if (options.without !== undefined) delete query[options.without]
  const host = new URL(aws.endpoint).host
  const canonical = [method, path, queryString(query), `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const signed = signature(aws.credentials.secretAccessKey, scope, timestamp, canonical)
  return `${path}?${queryString(query)}${options.without === 'X-Amz-Signature' ? '' : `&X-Amz-Signature=${signed}`}`
}

export function rawRequest(
  aws: TestAws,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): Promise<RawAnswer> {
  const { hostname, port } = new URL(aws.endpoint)
  const bytes = Buffer.from(body as Uint8Array)
  const wire = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]),
  )
  const lengths = 'content-length' in wire || 'transfer-encoding' in wire ? {} : { 'content-length': bytes.length }
  return new Promise((done, fail) => {
    const outgoing = send(
      { hostname, port, method, path: target, headers: { ...wire, ...lengths }, agent: false },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', fail)
        answer.on('end', () => {
          const received = Buffer.concat(chunks)
          const text = received.toString('utf8')
          const code = /<Code>([^<]*)</.exec(text)?.[1] ?? /"__type":"([^"]*)"/.exec(text)?.[1]
          done({ status: answer.statusCode ?? 0, headers: answer.headers, body: received, text, code })
        })
      },
    )
    outgoing.on('error', fail)
    outgoing.end(bytes)
  })
}
