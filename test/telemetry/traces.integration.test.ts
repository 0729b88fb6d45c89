import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type RunningTraces, startTracing } from '../../src/telemetry/start-tracing.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'

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
    expect(insert.endNs).toBeLessThanOrEqual(span.endNs)
  })

  it('leaves no value, path, token or text of a statement in what is sent', async () => {
    const sent = { username: 'Secretname78', displayName: 'Geheimnis', email: 'other.mail@example.com' }
    const { body } = await traced().post('/v1/players').send(sent).expect(201)
    await api.as(token).get(`/v1/players/${body.id}?fields=email`).set('X-Request-Id', 'look-at-one').expect(200)
    await collector.span((span) => span.attributes['rocketgames.request_id'] === 'look-at-one')
    const raw = collector.raw().toString('latin1')
    for (const secret of ['Secretname', 'Geheim', 'mail@', token, body.id, 'WHERE', '$1', 'fields='])
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
