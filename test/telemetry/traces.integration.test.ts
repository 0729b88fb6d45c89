import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { to } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { ChildStarter } from '../../src/lake/lake-starter.ts'
import { createLogger } from '../../src/logger.ts'
import { type RunningTraces, startTracing } from '../../src/telemetry/start-tracing.ts'
import { enterStage, inSpan, traceFields, traceparent } from '../../src/tracing.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'

const TRACE = 'a'.repeat(32)
const CALLER = 'b'.repeat(16)

let collector: OtlpReceiver
let traces: RunningTraces | undefined
let api: TestApi
let token: string
const warnings: string[] = []

beforeAll(async () => {
  collector = await startOtlpReceiver()
  traces = await startTracing({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    },
    version: '1.2.3',
    stage: 'test',
    logger: () => createLogger({ level: 'info', destination: { write: (line) => void warnings.push(line) } }),
  })
  api = await createTestApi()
  token = await api.token('players:write', 'players:read', 'players:read.personal')
})

afterAll(async () => {
  await api?.close()
  await traces?.stop()
  await collector?.close()
})

const traced = (flags = '01') => api.as(token).set('traceparent', `00-${TRACE}-${CALLER}-${flags}`)

describe('a traced request', () => {
  it('goes on with the trace of its caller: the route, then its statements by operation and table', async () => {
    const server = collector.span((span) => span.name === 'POST /v1/players' && span.traceId === TRACE)
    const sent = { username: 'Secretname77', displayName: 'Geheim', email: 'secret.mail@example.com' }
    await api.as(token).post('/v1/players').set('traceparent', `00-${TRACE}-${CALLER}-01`).send(sent).expect(201)
    const span = await server
    expect(span).toMatchObject({
      parentSpanId: CALLER,
      kind: 2,
      status: { code: 0 },
      attributes: { 'http.route': '/v1/players', 'http.request.method': 'POST', 'http.response.status_code': 201 },
      resource: {
        'service.name': 'rocketgames-accounts',
        'service.version': '1.2.3',
        'deployment.environment.name': 'test',
      },
    })
    const insert = await collector.span((each) => each.name === 'INSERT player' && each.traceId === TRACE)
    expect(insert).toMatchObject({
      parentSpanId: span.spanId,
      kind: 3,
      attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'INSERT', 'db.collection.name': 'player' },
    })
    expect(insert.startNs).toBeGreaterThanOrEqual(span.startNs)
    // Each counts its own time from a whole millisecond on.
    expect(insert.endNs).toBeLessThan(span.endNs + 1_000_000n)
  })

  it('leaves no value, path, token or text of a statement in what is sent', async () => {
    const sent = { username: 'Secretname78', displayName: 'Geheimnis', email: 'other.mail@example.com' }
    const { body } = await traced().post('/v1/players').send(sent).expect(201)
    await api.as(token).get(`/v1/players/${body.id}?fields=email`).set('X-Request-Id', 'look-at-one').expect(200)
    await collector.span((span) => span.attributes['rocketgames.request_id'] === 'look-at-one')
    const raw = collector.raw().toString('latin1')
    // As long as this, no random id of a trace holds them, nor the length of an id before it.
    for (const secret of ['Secretname', 'Geheim', 'mail@', token, body.id, 'WHERE', 'VALUES', ' = $1', 'fields='])
      expect(raw, secret).not.toContain(secret)
  })

  it('names its trace in its log line and in its problem, and is a failure from 500 on', async () => {
    const { body } = await traced().get('/v1/players/nobody').expect(404)
    expect(body.traceId).toBe(TRACE)
    const lines = api.log().trim().split('\n')
    const line = lines.map((each) => JSON.parse(each)).findLast((each) => each.requestId === body.requestId)
    expect(line).toMatchObject({ trace_id: TRACE, trace_flags: '01', route: '/v1/players/{id}', status: 404 })
    const span = await collector.span((each) => each.spanId === line.span_id)
    expect(span.status.code).toBe(0)
  })

  it('begins a trace of its own when the caller has none or a broken one', async () => {
    const broken = `00-${'0'.repeat(32)}-${CALLER}-01`
    await api.as(token).get('/v1/studios').set({ traceparent: broken, 'X-Request-Id': 'broken-parent' }).expect(403)
    const span = await collector.span((each) => each.attributes['rocketgames.request_id'] === 'broken-parent')
    expect(span.parentSpanId).toBe('')
    expect(span.traceId).not.toBe(TRACE)
  })

  it('is not recorded when its caller does not record, and probes never are', async () => {
    const before = collector.spans.length
    const { body } = await traced('00').get('/v1/players/nobody').expect(404)
    expect(body.traceId).toBe(TRACE)
    await api.anonymous.get('/healthz').expect(200)
    await traced().get('/v1/players').set('X-Request-Id', 'recorded-after').expect(200)
    await collector.span((each) => each.attributes['rocketgames.request_id'] === 'recorded-after')
    const names = collector.spans.slice(before).map(({ name }) => name)
    expect(names).not.toContain('GET /v1/players/{id}')
    expect(names.filter((name) => name.includes('healthz'))).toEqual([])
  })
})

describe('statements', () => {
  it('that fail say with which code, COPY ends with its stream, and those outside of a span have none', async () => {
    const before = collector.spans.length
    await api.database.query({ text: 'SELECT 1 FROM studio' })
    await inSpan('a test', {}, async () => {
      await api.database.withClient(async (client) => {
        await pipeline(client.query(to("COPY (SELECT 'hidden') TO STDOUT")), new PassThrough().resume())
        await new Promise<void>((resolve, reject) => {
          client.query('SELECT 1 FROM game', (error) => (error ? reject(error) : resolve()))
        })
      })
      await expect(api.database.query({ text: "SELECT 'secret'::integer FROM game" })).rejects.toThrow()
    })
    const test = await collector.span((each) => each.name === 'a test')
    const below = collector.spans.slice(before).filter((each) => each.parentSpanId === test.spanId)
    expect(below.map(({ name, status }) => `${name} ${status.message}`.trim())).toEqual([
      'COPY',
      'SELECT game',
      'SELECT game 22P02',
    ])
    expect(collector.spans.slice(before).map(({ name }) => name)).not.toContain('SELECT studio')
    expect(collector.raw().toString('latin1')).not.toMatch(/hidden|secret'/)
  })

  it('wait for a connection in a span of their own where none is idle', async () => {
    await inSpan('crowded', {}, async () => {
      await Promise.all(Array.from({ length: 8 }, () => api.database.query({ text: 'SELECT pg_sleep(0.01)' })))
    })
    const crowd = await collector.span((each) => each.name === 'crowded')
    const waited = collector.spans.filter((each) => each.parentSpanId === crowd.spanId && each.name.startsWith('wait'))
    expect(waited.length).toBeGreaterThan(0)
  })
})

describe('a connection', () => {
  it('belongs to no trace of the request that opened it', async () => {
    const database = openDatabase({ url: api.databaseUrl, poolSize: 1 })
    try {
      const told: unknown[] = []
      await inSpan('opens', {}, () =>
        database.withClient(async (client) => void client.once('notice', () => told.push(traceFields()))),
      )
      await database.withClient((client) => client.query("DO $$ BEGIN RAISE WARNING 'later'; END $$"))
      expect(told).toEqual([undefined])
    } finally {
      await database.close()
    }
  })
})

describe('work', () => {
  it('in stages hangs below the stage that it is in, and a failure fails both', async () => {
    const call = () => api.database.query({ text: 'SELECT 1 FROM game' })
    const run = inSpan('staged', { staged: true }, async () => {
      await call()
      enterStage('first stage')
      await call()
      await inSpan('part', {}, call)
      enterStage('second stage')
      throw Object.assign(new Error('with a value'), { code: 'lost' })
    })
    await expect(run).rejects.toThrow()
    const whole = await collector.span((each) => each.name === 'staged')
    const trace = collector.spans.filter((each) => each.traceId === whole.traceId)
    const above = (span: ReceivedSpan) => trace.find((each) => each.spanId === span.parentSpanId)?.name
    expect(trace.map((each) => `${above(each)} > ${each.name} ${each.status.message}`.trim()).sort()).toEqual([
      'first stage > SELECT game',
      'first stage > part',
      'part > SELECT game',
      'staged > SELECT game',
      'staged > first stage',
      'staged > second stage lost',
      'undefined > staged lost',
    ])
  })

  it('that another process does goes on in its trace', async () => {
    const { promise: said, resolve } = Promise.withResolvers<string>()
    const starter = new ChildStarter({
      command: [process.execPath, '--eval', 'console.error(process.env.TRACEPARENT)', '--'],
      env: process.env,
      logger: createLogger({ level: 'info', destination: { write: resolve } }),
    })
    let expected: string | undefined
    await inSpan('asks for care', {}, async () => {
      expected = traceparent()
      await starter.recover()
    })
    expect(JSON.parse(await said)).toMatchObject({ line: expected, command: 'recover' })
    expect(expected).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    await starter.close(10_000)
  })
})

describe('a job', () => {
  it('is a trace of its own', async () => {
    await api.worker.start()
    const answer = await api.admin
      .post('/v1/imports/studios')
      .set({ 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async' })
      .send('{"slug":"traced-studio","name":"Traced"}\n')
    expect(answer.status).toBe(202)
    const span = await collector.span((each) => each.name === 'job import')
    expect(span).toMatchObject({ kind: 5, parentSpanId: '', attributes: { 'rocketgames.job_id': answer.body.id } })
    expect(collector.spans.some((each) => each.parentSpanId === span.spanId)).toBe(true)
  })
})

describe('a collector', () => {
  it('that is away or says nothing is told of once and costs no request; when it is back, that is told', async () => {
    warnings.length = 0
    for (const answer of [503, 'silent'] as const) {
      collector.answer(answer)
      const sent = collector.headers.length
      while (collector.headers.length === sent) await traced().get('/v1/players').expect(200)
    }
    collector.answer(200)
    while (warnings.length < 2) {
      await traced().get('/v1/players').expect(200)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(warnings.map((line) => JSON.parse(line).msg)).toEqual([
      'traces do not arrive at the collector; the service goes on without',
      'traces arrive at the collector again',
    ])
  })

  it('gets what waits when the process ends, and one that says nothing does not keep it', async () => {
    await traced().get('/v1/players').set('X-Request-Id', 'the-last-one').expect(200)
    collector.answer('silent')
    const started = performance.now()
    await traces?.stop()
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
