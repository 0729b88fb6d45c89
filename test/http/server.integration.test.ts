import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import supertest from 'supertest'
import { describe, expect, it } from 'vitest'
import { lines, ok } from '../../src/http/answer.ts'
import { type App, createApp } from '../../src/http/app.ts'
import type { IncomingStream } from '../../src/http/body.ts'
import { type Route, route } from '../../src/http/route.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'

const open = {
  method: 'get',
  tag: 'test',
  summary: 'test',
  access: 'open',
  answers: { 200: { description: 'ok' } },
} as const

async function serve(...routes: Route[]): Promise<RunningServer & { app: App; url: string; log(): string }> {
  const written: string[] = []
  const app = createApp({
    info: { title: 'test', version: '0', description: '' },
    groups: [{ routes }],
    enums: {},
    authenticator: { authenticate: async () => undefined },
    cursorKey: randomBytes(32),
    checks: [],
    idempotency: { once: () => Promise.reject(new Error('no operation here changes anything')) },
    logger: createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } }),
    metrics: new Metrics(),
  })
  const server = await startServer(app, { host: '127.0.0.1', port: 0 })
  return { ...server, app, url: `http://127.0.0.1:${server.port}`, log: () => written.join('') }
}

describe('draining', () => {
  it('finishes what runs, is not ready meanwhile, and then refuses connections', async () => {
    const entered = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow = route({
      ...open,
      operation: 'slow',
      path: '/slow',
      async handle() {
        entered.resolve()
        await gate.promise
        return ok({ done: true })
      },
    })
    const server = await serve(slow)
    const running = fetch(`${server.url}/slow`)
    await entered.promise
    const drained = server.drain(10_000)
    gate.resolve()
    expect(await (await running).json()).toEqual({ done: true })
    await drained
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
    await server.drain(0)
  })

  it('cuts what is still running after the grace', async () => {
    const entered = Promise.withResolvers<void>()
    const stuck = route({
      ...open,
      operation: 'stuck',
      path: '/stuck',
      handle({ signal }) {
        entered.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const server = await serve(stuck)
    const running = fetch(`${server.url}/stuck`)
    const outcome = running.then(
      () => 'answered',
      () => 'cut',
    )
    await entered.promise
    await server.drain(20)
    expect(await outcome).toBe('cut')
  })

  it('is not ready meanwhile, and asks whoever is still connected to leave', async () => {
    const entered = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow = route({
      ...open,
      operation: 'slow',
      path: '/slow',
      async handle() {
        entered.resolve()
        await gate.promise
        return ok({ done: true })
      },
    })
    const server = await serve(slow)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    const running = fetch(`${server.url}/slow`)
    await entered.promise
    const drained = server.drain(10_000)
    const probe = await supertest(server.app.express).get('/readyz')
    expect(probe.status).toBe(503)
    expect(probe.headers.connection).toBe('close')
    gate.resolve()
    expect((await running).headers.get('connection')).toBe('close')
    await drained
  })
})

describe('a streamed body', () => {
  it('comes as it is: a coding that would reach the reader still packed is refused', async () => {
    const upload = route({
      ...open,
      operation: 'upload',
      method: 'post',
      path: '/upload',
      body: { kind: 'stream', types: ['text/csv'], maxBytes: 1000, description: 'rows' },
      handle: async ({ body }: { body: IncomingStream }) => ok({ text: await text(body.stream) }),
    })
    const server = await serve(upload)
    const post = (coding: string) =>
      fetch(`${server.url}/upload`, {
        method: 'POST',
        body: 'a,b',
        headers: { 'Content-Type': 'text/csv', 'Content-Encoding': coding },
      })
    const packed = await post('gzip')
    expect(packed.status).toBe(415)
    expect(packed.headers.get('Accept-Encoding')).toBe('identity')
    expect(await (await post('identity')).json()).toEqual({ text: 'a,b' })
    await server.drain(1000)
  })
})

describe('a streamed body that nobody reads', () => {
  it('is thrown away, and the connection serves the next request', async () => {
    const unread = route({
      ...open,
      operation: 'unread',
      method: 'post',
      path: '/unread',
      body: { kind: 'stream', types: ['text/csv'], maxBytes: 10_000_000, description: 'rows' },
      handle: (_: { body: IncomingStream }) => ok({ done: true }),
    })
    const server = await serve(unread)
    const connection = connect(server.port, server.host)
    const answers = text(connection)
    const size = 5_000_000
    connection.write(`POST /unread HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: ${size}\r\n\r\n`)
    connection.write(Buffer.alloc(size, 'a'))
    connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect((await answers).match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    await server.drain(1000)
  })
})

describe('a streamed answer', () => {
  it('is written with back-pressure, and a client that leaves ends it', async () => {
    let produced = 0
    const ended = Promise.withResolvers<void>()
    const endless = route({
      ...open,
      operation: 'endless',
      path: '/endless',
      produces: ['application/x-ndjson'],
      handle() {
        async function* batches() {
          try {
            for (;;) {
              produced += 1
              yield [{ filler: 'x'.repeat(64 * 1024) }]
            }
          } finally {
            ended.resolve()
          }
        }
        return lines(batches())
      },
    })
    const server = await serve(endless)
    const leaving = new AbortController()
    const answer = await fetch(`${server.url}/endless`, { signal: leaving.signal })
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const reader = answer.body?.getReader()
    await reader?.read()
    // The reader stands still: what is produced fits the buffers of two sockets and no more.
    let last = -1
    while (last !== produced) {
      last = produced
      for (let i = 0; i < 50; i++) await setImmediate()
    }
    expect(produced).toBeLessThan(1000)
    leaving.abort()
    await ended.promise
    await server.drain(1000)
    expect(server.log()).toContain('"aborted":true')
  })

  it('that fails in its middle is cut, so that nobody takes it for whole', async () => {
    const failing = route({
      ...open,
      operation: 'failing',
      path: '/failing',
      produces: ['application/x-ndjson'],
      handle() {
        async function* batches() {
          yield [{ line: 1 }]
          throw new Error('broken with zoe@mail.example in it')
        }
        return lines(batches())
      },
    })
    const server = await serve(failing)
    const text = async () => (await fetch(`${server.url}/failing`)).text()
    await expect(text()).rejects.toThrow()
    await server.drain(1000)
    expect(server.log()).toContain('request failed by a defect')
    expect(server.log()).not.toContain('zoe@mail')
  })
})

describe('a defect', () => {
  it('answers 500 without a word of its text, and logs it once with the request', async () => {
    const broken = route({
      ...open,
      operation: 'broken',
      path: '/broken',
      handle() {
        throw new TypeError('secret detail')
      },
    })
    const server = await serve(broken)
    const answer = await fetch(`${server.url}/broken`, { headers: { 'X-Request-Id': 'request-of-defect' } })
    const body = (await answer.json()) as Record<string, unknown>
    await server.drain(1000)
    expect(answer.status).toBe(500)
    expect(body).toMatchObject({ code: 'internal', requestId: 'request-of-defect' })
    expect(JSON.stringify(body)).not.toContain('secret detail')
    const defects = server
      .log()
      .split('\n')
      .filter((line) => line.includes('secret detail'))
    expect(defects).toHaveLength(1)
    expect(defects[0]).toContain('request-of-defect')
  })
})
