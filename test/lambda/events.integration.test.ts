import { type IncomingMessage, request } from 'node:http'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, serverOf, startServer } from '../../src/http/server.ts'
import { answerEvent } from '../../src/lambda/invocation.ts'
import type { Result } from '../../src/lambda/result.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { EVENT_NAMES, type RecordedEvent, recordedEvent } from './recorded-event.ts'

let api: TestApi
let listening: RunningServer
const silent = createLogger({ level: 'silent' })
const PATIENT = { getRemainingTimeInMillis: () => 29_000 }

beforeAll(async () => {
  api = await createTestApi()
  listening = await startServer(api.app, { host: '127.0.0.1', port: 0 })
  for (const slug of ['aurora-forge', 'brass-lantern', 'copper-kettle']) {
    await api.admin
      .post('/v1/studios')
      .send({ slug, name: `${slug} ü` })
      .expect(201)
  }
})
afterAll(async () => {
  await listening?.drain(0)
  await api?.close()
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const REQUEST_ID = 'the-same-for-both'

/** What differs between two requests that are alike: their time, the counting of quotas, what they have made. */
const OF_ONE_REQUEST = ['date', 'ratelimit', 'connection', 'keep-alive', 'transfer-encoding', 'content-length']
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const alike = (text: string) => text.replace(UUID, '<id>').replace(INSTANT, '<time>').replace(/u\d+-/g, '<unique>-')

let unique = 0
function recorded(name: string): RecordedEvent {
  unique++
  return recordedEvent(name, { token: api.adminToken, unique: `u${unique}` })
}

async function overHttp({ http }: RecordedEvent): Promise<Answer> {
  const body = http.base64 === undefined ? Buffer.from(http.body ?? '') : Buffer.from(http.base64, 'base64')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = {
      'x-request-id': REQUEST_ID,
      ...http.headers,
      ...(body.length > 0 ? { 'content-length': body.length } : {}),
    }
    request({ host: '127.0.0.1', port: listening.port, method: http.method, path: http.path, headers: sent })
      .once('error', reject)
      .once('response', resolve)
      .end(body)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) }
}

async function asFunction({ event }: RecordedEvent): Promise<Answer & { result: Result }> {
  const given = structuredClone(event) as {
    headers?: Record<string, string>
    multiValueHeaders?: Record<string, string[]>
  }
  if (given.headers) given.headers['x-request-id'] = REQUEST_ID
  if (given.multiValueHeaders) given.multiValueHeaders['x-request-id'] = [REQUEST_ID]
  const server = serverOf(api.app)
  const result = await answerEvent(async () => server, given, PATIENT, silent)
  const lists = Object.entries(result.multiValueHeaders ?? {}).map(([name, values]) => [name, values.join(', ')])
  return {
    status: result.statusCode,
    headers: { ...result.headers, ...Object.fromEntries(lists) },
    body: Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8'),
    result,
  }
}

function decompressed({ headers, body }: Answer): Buffer {
  const coding = headers['content-encoding']
  if (coding === 'zstd') return zstdDecompressSync(body)
  return coding === 'gzip' ? gunzipSync(body) : body
}

const comparable = ({ headers }: Answer) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OF_ONE_REQUEST.includes(name))
      .map(([name, value]) => [name, alike(value)]),
  )

describe('an event gets the answer of the same request over HTTP', () => {
  it.each(EVENT_NAMES)('%s', async (name) => {
    const http = await overHttp(recorded(name))
    const event = recorded(name)
    const answer = await asFunction(event)
    expect([http.status, answer.status]).toEqual([event.status, event.status])
    expect(comparable(answer)).toEqual(comparable(http))
    if (http.headers.ratelimit !== undefined) expect(answer.headers.ratelimit).toMatch(/"default";r=\d+;t=\d+/)
    const isText =
      /json|html|text/.test(http.headers['content-type'] ?? '') && http.headers['content-encoding'] === undefined
    if (isText) expect(alike(answer.body.toString())).toBe(alike(http.body.toString()))
    // How a stream is cut into blocks is the moment's: what comes out of them is compared.
    else expect(decompressed(answer).equals(decompressed(http))).toBe(true)
    // Whoever writes the answer counts its bytes: the ones that the application counted.
    if (http.headers['content-length'] !== undefined && event.http.method !== 'HEAD') {
      expect(Number(http.headers['content-length'])).toBe(http.body.length)
    }
  })

  it('as text where it is text, as base64 where it is not', async () => {
    const { result: text } = await asFunction(recorded('http-api-export-ndjson'))
    const { result: bytes } = await asFunction(recorded('http-api-export-zstd'))
    expect([text.isBase64Encoded, bytes.isBase64Encoded]).toEqual([false, true])
    expect(text.body).toContain('aurora-forge ü')
    expect(Buffer.from(bytes.body, 'base64').subarray(0, 4).toString('hex')).toBe('28b52ffd')
  })

  it('in the form that each of them takes', async () => {
    const forms = await Promise.all(
      ['http-api-cookies', 'rest-api-list-filtered', 'load-balancer', 'load-balancer-multi'].map(async (name) => {
        const { result } = await asFunction(recorded(name))
        return [typeof result.headers, typeof result.multiValueHeaders, result.statusDescription]
      }),
    )
    expect(forms).toEqual([
      ['object', 'undefined', undefined],
      ['undefined', 'object', '200 OK'],
      ['object', 'undefined', '200 OK'],
      ['undefined', 'object', '200 OK'],
    ])
  })

  it('with every change made once, by an Idempotency-Key that both ways know', async () => {
    const event = recorded('http-api-create-text')
    const first = await overHttp(event)
    const again = await asFunction(event)
    expect(again.status).toBe(201)
    expect(again.body.toString()).toBe(first.body.toString())
    expect(again.headers['idempotency-replayed']).toBe('true')
  })
})

describe('a request without an id of its own', () => {
  it('has the id of its trace', async () => {
    const { event } = recorded('http-api-slug')
    const server = serverOf(api.app)
    const { headers } = await answerEvent(async () => server, event, PATIENT, silent)
    expect(headers?.['x-request-id']).toBe('1-65b2f0d1-3f1c2a5e7d9b4c6a8e0f1a2b')
    expect(api.log()).toContain('"requestId":"1-65b2f0d1-3f1c2a5e7d9b4c6a8e0f1a2b"')
  })
})
