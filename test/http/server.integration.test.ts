import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import supertest from 'supertest'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Principal } from '../../src/caller.ts'
import { lines, ok } from '../../src/http/answer.ts'
import { type App, createApp } from '../../src/http/app.ts'
import { type IncomingStream, jsonBody } from '../../src/http/body.ts'
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

async function serve(...routes: Route[]): Promise<Served> {
  return serveWith({}, ...routes)
}

type Served = RunningServer & { app: App; url: string; log(): string }

async function serveWith(
  options: { lingerMs?: number; authenticate?: () => Promise<Principal | undefined> },
  ...routes: Route[]
): Promise<Served> {
  const written: string[] = []
  const app = createApp({
    info: { title: 'test', version: '0', description: '' },
    groups: [{ routes }],
    enums: {},
    authenticator: { authenticate: options.authenticate ?? (async () => undefined) },
    cursorKey: randomBytes(32),
    checks: [],
    idempotency: { once: () => Promise.reject(new Error('no operation here changes anything')) },
    logger: createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } }),
    metrics: new Metrics(),
  })
  const server = await startServer(app, { host: '127.0.0.1', port: 0, ...options })
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

  it('takes requests for a while longer, each as the last one of its connection, and leaves idle connections alone', async () => {
    const server = await serve(route({ ...open, operation: 'quick', path: '/quick', handle: () => ok({}) }))
    const idle = connect(server.port, '127.0.0.1')
    const closed = once(idle, 'close')
    let isClosed = false
    void closed.then(() => {
      isClosed = true
    })
    idle.write('GET /quick HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(idle, 'data')
    const drained = server.drain(10_000, 2_000)
    for (let turn = 0; turn < 3; turn++) {
      expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
      const answer = await fetch(`${server.url}/quick`)
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    }
    expect(isClosed).toBe(false)
    await drained
    await closed
    await expect(fetch(`${server.url}/quick`)).rejects.toThrow()
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
  it('comes as it is: a coding that nobody unpacks is refused', async () => {
    const upload = route({
      ...open,
      operation: 'upload',
      method: 'post',
      path: '/upload',
      refusedHeaders: { 'Idempotency-Key': 'A stream is read once.' },
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
    const packed = await post('br')
    expect(packed.status).toBe(415)
    expect(packed.headers.get('Accept-Encoding')).toBe('gzip, identity')
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
      refusedHeaders: { 'Idempotency-Key': 'A stream is read once.' },
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

describe('a body that still comes after its answer', () => {
  const small = route({
    ...open,
    operation: 'small',
    method: 'post',
    path: '/small',
    access: 'key',
    body: jsonBody(z.strictObject({})),
    handle: () => ok({}),
  })
  const head = 'POST /small HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{'

  it('holds its connection for a while and no longer', async () => {
    const server = await serveWith({ lingerMs: 50 }, small)
    const connection = connect(server.port, server.host)
    const answer = text(connection)
    connection.write(head)
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /)
    await server.drain(1000)
  })

  it('is thrown away when it comes in time, and the connection serves the next request', async () => {
    const server = await serve(small)
    const connection = connect(server.port, server.host)
    const answers = text(connection)
    connection.write(head)
    await once(connection, 'readable')
    connection.write(Buffer.alloc(999_999, ' '))
    connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect((await answers).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    await server.drain(1000)
  })
})

describe('a target with scheme and host', () => {
  it('is that without them, and a host that is none does no harm', async () => {
    const server = await serve()
    const ask = async (target: string) => {
      const connection = connect(server.port, server.host)
      connection.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      return text(connection)
    }
    for (const target of ['http://accounts.example/healthz', 'HTTPS://x:1/healthz', 'http://[::1/healthz']) {
      expect(await ask(target), target).toMatch(/^HTTP\/1\.1 200 /)
    }
    for (const target of ['http://accounts.example', 'http://accounts.example?a=1', 'http://[::1', '*']) {
      const answer = await ask(target)
      expect(answer, target).toMatch(/^HTTP\/1\.1 404 /)
      expect(answer, target).toContain('application/problem+json')
    }
    await server.drain(1000)
  })
})

describe('a client who leaves while the key is checked', () => {
  it('has left when the operation begins', async () => {
    const asked = Promise.withResolvers<void>()
    const known = Promise.withResolvers<Principal>()
    const left = Promise.withResolvers<boolean>()
    const late = route({
      ...open,
      operation: 'late',
      path: '/late',
      access: 'key',
      handle({ signal }) {
        left.resolve(signal.aborted)
        return ok({})
      },
    })
    const authenticate = () => {
      asked.resolve()
      return known.promise
    }
    const server = await serveWith({ authenticate }, late)
    const connection = connect(server.port, server.host)
    connection.write('GET /late HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n\r\n')
    await asked.promise
    connection.destroy()
    while (!server.log().includes('"aborted":true')) await setImmediate()
    known.resolve({ type: 'api_key', id: 'ann', name: 'ann', scopes: new Set(), expiresAt: null })
    expect(await left.promise).toBe(true)
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
