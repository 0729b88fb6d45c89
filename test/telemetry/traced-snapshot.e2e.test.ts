import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted } from '../support/counts.ts'
import { emfProblems, metricsOf } from '../support/emf-check.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { removeFolder, runCommand, type Service, startService } from '../support/service.ts'

const TRACE = 'c'.repeat(32)
const CALLER = 'd'.repeat(16)

let collector: OtlpReceiver
let service: Service
let api: { readonly API_URL: string; readonly API_KEY: string }

/** 12 s of CPU: its parts are tested by `npm test` one by one. */
describe.runIf(counted(0, 1) === 1)('the whole service with traces and metrics', () => {
  beforeAll(async () => {
    collector = await startOtlpReceiver()
    service = await startService({
      env: {
        ...{ SAMPLE_DATA: 'off', LOG_LEVEL: 'info', METRICS: 'emf', STAGE: 'e2e' },
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '200' },
        ...{ OTEL_RESOURCE_ATTRIBUTES: 'team=accounts', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=games' },
      },
    })
    await service.saw(/ready to use/i)
    api = JSON.parse((await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })).stdout)
  }, 120_000)

  afterAll(async () => {
    await service?.stop()
    await collector?.close()
    if (service) removeFolder(service.dir)
  })

  it('a snapshot is one trace from the request over the process that takes it to each phase, table and call', async () => {
    const answer = await fetch(`${api.API_URL}/v1/lake/snapshots`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${api.API_KEY}`, traceparent: `00-${TRACE}-${CALLER}-01` },
    })
    expect(answer.status).toBe(202)
    const { id } = (await answer.json()) as { id: string }
    const command = await collector.span((span) => span.name === 'rocketgames snapshot' && span.traceId === TRACE)
    const of = (name: string) => collector.spans.find((span) => span.traceId === TRACE && span.name === name)
    const above = (span: ReceivedSpan | undefined) =>
      collector.spans.find((each) => each.spanId === span?.parentSpanId && each.traceId === TRACE)?.name

    expect(above(command)).toBe('POST /v1/lake/snapshots')
    expect(of('snapshot')).toMatchObject({ attributes: { 'rocketgames.snapshot_id': id }, status: { code: 0 } })
    expect(above(of('snapshot'))).toBe('rocketgames snapshot')
    for (const phase of ['planning', 'uploading', 'completing', 'manifest', 'catalogue', 'crawl', 'views']) {
      expect(above(of(phase)), phase).toBe('snapshot')
    }
    expect(above(of('copy players'))).toBe('uploading')
    expect(above(of('S3.CompleteMultipartUpload'))).toBe('completing')
    expect(above(of('Athena.StartQueryExecution'))).toBe('views')
    expect(of('S3.CompleteMultipartUpload')?.attributes).toMatchObject({
      'aws.attempts': 1,
      'http.response.status_code': 200,
    })
    expect(command.resource).toMatchObject({ 'deployment.environment.name': 'e2e', team: 'accounts' })
    expect(collector.headers.every((each) => each['x-tenant'] === 'games')).toBe(true)
  }, 60_000)

  it('its end leaves the last metrics on standard output and its trace in the lines of the log', async () => {
    expect(await service.stop()).toBe(0)
    const lines = service.output().split('\n')
    const emf = lines.filter((line) => line.startsWith('{"_aws"'))
    expect(emf.flatMap(emfProblems)).toEqual([])
    const written = emf.map(metricsOf)
    expect(written.reduce((sum, { Requests: [requests = 0] = [] }) => sum + requests, 0)).toBeGreaterThan(0)
    const logged = lines.filter((line) => line.includes(`"trace_id":"${TRACE}"`)).map((line) => JSON.parse(line))
    expect(logged.some((line) => line.route === '/v1/lake/snapshots' && line.status === 202)).toBe(true)
  })
})
