import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Principal } from '../../src/caller.ts'
import { lines, ok } from '../../src/http/answer.ts'
import { createApp } from '../../src/http/app.ts'
import type { LimitSettings } from '../../src/http/limits.ts'
import { type Route, route } from '../../src/http/route.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'
import { NO_LIMITS } from '../support/api.ts'

const shape = { method: 'get', tag: 'test', summary: 'test', access: 'key' } as const
const answers = { 200: { description: 'ok' } }

const quick = route({ ...shape, operation: 'quick', path: '/quick', answers, handle: () => ok({}) })
const scoped = route({
  ...shape,
  operation: 'scoped',
  path: '/scoped',
  access: ['keys:manage'],
  answers,
  handle: () => ok({}),
})

/** A route whose answers end when they are let go. */
function held(spec: { path: string; bulk?: true }) {
  const gate = Promise.withResolvers<void>()
  let entered = Promise.withResolvers<void>()
  const waiting = route({
    ...shape,
    operation: spec.path.slice(1),
    path: spec.path,
    ...(spec.bulk && { bulk: true, produces: ['application/x-ndjson'] }),
    answers,
    async handle() {
      const now = entered
      entered = Promise.withResolvers()
      now.resolve()
      if (spec.bulk) return lines(after(gate.promise))
      await gate.promise
      return ok({})
    },
  })
  async function* after(until: Promise<void>) {
    await until
    yield [{}]
  }
  return { route: waiting, release: gate.resolve, entered: () => entered.promise }
}

let server: RunningServer | undefined
afterEach(() => server?.drain(0))

async function serve(limits: Partial<LimitSettings>, routes: Route[], maxConnections?: number) {
  const principal = (id: string): Principal => ({ type: 'api_key', id, name: id, scopes: new Set(), expiresAt: null })
  const app = createApp({
    info: { title: 'test', version: '0', description: '' },
    groups: [{ routes }],
    enums: {},
    authenticator: { authenticate: async (secret) => (secret === 'wrong' ? undefined : principal(secret)) },
    cursorKey: randomBytes(32),
    checks: [],
    idempotency: { once: () => Promise.reject(new Error('no operation here changes anything')) },
    limits: { ...NO_LIMITS, ...limits },
    logger: createLogger({ level: 'silent' }),
    metrics: new Metrics(),
  })
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } })
  server = await startServer(app, { host: '127.0.0.1', port: 0, logger, ...(maxConnections && { maxConnections }) })
  const { port } = server
  return {
    port,
    written,
    get: (path: string, key = 'ann') =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${key}` } }),
  }
}

describe('the quota of a key', () => {
  it('is told by every answer, refused ones too, and ends in 429 with the policy and when to come back', async () => {
    const { get } = await serve({ requests: { count: 3, windowSeconds: 3600 } }, [quick, scoped])
    const first = await get('/quick')
    expect(first.headers.get('ratelimit-policy')).toBe('"default";q=3;w=3600')
    expect(first.headers.get('ratelimit')).toMatch(/^"default";r=2;t=3600$/)
    const forbidden = await get('/scoped')
    expect(forbidden.status).toBe(403)
    expect(forbidden.headers.get('ratelimit')).toMatch(/^"default";r=1;t=3(600|59\d)$/)
    expect((await get('/quick')).status).toBe(200)

    const refused = await get('/quick')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('ratelimit')).toMatch(/^"default";r=0;t=3(600|59\d)$/)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3590)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(await refused.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      code: 'quota-exceeded',
      status: 429,
      'violated-policies': ['default'],
    })
    expect((await get('/quick', 'bob')).status, 'another key has its own').toBe(200)
  })

  it('is not touched by a wrong key, and never stops a probe', async () => {
    const { get } = await serve({ requests: { count: 1, windowSeconds: 3600 } }, [quick])
    for (let i = 0; i < 3; i++) {
      const answer = await get('/quick', 'wrong')
      expect(answer.status).toBe(401)
      expect(answer.headers.has('ratelimit')).toBe(false)
    }
    expect((await get('/quick')).status).toBe(200)
    expect((await get('/quick')).status).toBe(429)
    expect((await get('/healthz')).status).toBe(200)
  })

  it('counts bulk requests by a second policy', async () => {
    const bulk = route({
      ...shape,
      operation: 'bulk',
      path: '/bulk',
      bulk: ['text/csv'],
      produces: ['application/json', 'text/csv'],
      answers,
      handle: () => ok({}),
    })
    const { port } = await serve({ bulk: { count: 1, windowSeconds: 60 } }, [bulk])
    const get = (accept: string) =>
      fetch(`http://127.0.0.1:${port}/bulk`, { headers: { Authorization: 'Bearer ann', Accept: accept } })
    const plain = await get('application/json')
    expect(plain.headers.get('ratelimit-policy')).not.toContain('bulk')
    const one = await get('text/csv')
    expect(one.headers.get('ratelimit-policy')).toContain(', "bulk";q=1;w=60')
    expect(one.headers.get('ratelimit')).toMatch(/, "bulk";r=0;t=60$/)
    const two = await get('text/csv')
    expect(two.status).toBe(429)
    expect(await two.json()).toMatchObject({ 'violated-policies': ['bulk'] })
    expect((await get('application/json')).status).toBe(200)
  })
})

describe('places', () => {
  it('for streams are given back: beyond those of a key 429, beyond those of the process 503', async () => {
    const stream = held({ path: '/stream', bulk: true })
    const { get } = await serve({ streamsPerKey: 1, streams: 2 }, [stream.route, quick])
    const running = []
    for (const key of ['ann', 'bob']) {
      const entered = stream.entered()
      running.push(get('/stream', key))
      await entered
    }
    const own = await get('/stream', 'ann')
    expect(own.status).toBe(429)
    expect(await own.json()).toMatchObject({ code: 'quota-exceeded', 'violated-policies': ['streams'] })
    const all = await get('/stream', 'eve')
    expect(all.status).toBe(503)
    expect(Number(all.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await get('/quick', 'ann')).status).toBe(200)

    stream.release()
    for (const answer of await Promise.all(running)) expect(await answer.text()).toBe('{}\n')
    expect(await (await get('/stream', 'ann')).text()).toBe('{}\n')
  })

  it('for requests are given back: beyond them 503 at once, while probes pass', async () => {
    const slow = held({ path: '/slow' })
    const { get } = await serve({ inFlight: 1 }, [slow.route, quick])
    const entered = slow.entered()
    const running = get('/slow')
    await entered
    const refused = await get('/quick', 'bob')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await get('/healthz')).status).toBe(200)
    slow.release()
    expect((await running).status).toBe(200)
    expect((await get('/quick', 'bob')).status).toBe(200)
  })

  it('for connections: one too many is closed, which is logged once, and one that leaves makes room', async () => {
    const { port, written } = await serve({}, [quick], 1)
    const first = connect(port, '127.0.0.1')
    await once(first, 'connect')
    const second = connect(port, '127.0.0.1')
    second.on('error', () => undefined)
    await once(second, 'close')
    const third = connect(port, '127.0.0.1')
    third.on('error', () => undefined)
    await once(third, 'close')
    expect(written.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ refused: 1, maxConnections: 1, msg: expect.stringContaining('MAX_CONNECTIONS') }),
    ])
    expect(first.destroyed).toBe(false)
    first.destroy()
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port}/healthz`).then(
          (a) => a.status,
          () => 0,
        ),
      )
      .toBe(200)
  })
})
