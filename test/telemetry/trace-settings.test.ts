import { describe, expect, it } from 'vitest'
import { formatTraceParent, parseTraceParent } from '../../src/telemetry/trace-parent.ts'
import { traceSettings } from '../../src/telemetry/trace-settings.ts'
import { errorType } from '../../src/tracing.ts'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

describe('the settings of traces', () => {
  it('are none without a collector, and none when they are turned off', () => {
    expect(traceSettings({})).toBeUndefined()
    expect(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined()
    expect(traceSettings({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined()
    expect(traceSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined()
  })

  it('have the defaults of OpenTelemetry, but for a collector that is near', () => {
    expect(traceSettings(endpoint)).toEqual({
      url: 'http://collector:4318/v1/traces',
      sampler: { kind: 'on', byParent: true, ratio: 1 },
      timeoutMs: 3000,
      batch: { queue: 2048, size: 512, delayMs: 5000 },
    })
  })

  it.each([
    ['http://collector:4318/', 'http://collector:4318/v1/traces'],
    ['https://host/base', 'https://host/base/v1/traces'],
  ])('send to %s at %s', (given, url) => {
    expect(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: given })?.url).toBe(url)
  })

  it('take an address for traces as it is, and limits and samplers as they are given', () => {
    const settings = traceSettings({
      ...endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/in',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.05',
      OTEL_EXPORTER_OTLP_TIMEOUT: '900',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
    })
    expect(settings).toMatchObject({
      url: 'http://other/in',
      sampler: { kind: 'ratio', byParent: true, ratio: 0.05 },
      timeoutMs: 900,
      batch: { queue: 100, size: 100 },
    })
  })

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'not an address'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_SAMPLER', 'toString'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ])('refuse %s=%s by its name', (name, value) => {
    const env = { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', [name]: value }
    expect(() => traceSettings(env)).toThrow(name)
  })
})

describe('a traceparent', () => {
  const valid = `00-${'4'.repeat(32)}-${'5'.repeat(16)}-01`

  it('comes back as it was', () => {
    const found = parseTraceParent(valid)
    expect(found).toMatchObject({ traceId: '4'.repeat(32), spanId: '5'.repeat(16), traceFlags: 1, isRemote: true })
    expect(found && formatTraceParent(found)).toBe(valid)
  })

  it('of a later version is read as far as this one knows it', () => {
    expect(parseTraceParent(`cc-${'4'.repeat(32)}-${'5'.repeat(16)}-09-more`)).toMatchObject({ traceFlags: 1 })
  })

  it.each([
    `ff${valid.slice(2)}`,
    `${valid}-more`,
    valid.toUpperCase().replace('00-4', '00-A'),
    `00-${'0'.repeat(32)}-${'5'.repeat(16)}-01`,
    `00-${'4'.repeat(32)}-${'0'.repeat(16)}-01`,
    valid.slice(1),
    '',
    `cc${valid.slice(2)}-${'x'.repeat(300)}`,
  ])('is ignored when it is %j', (text) => {
    expect(parseTraceParent(text)).toBeUndefined()
  })
})

describe('what is said of an error', () => {
  it.each([
    [Object.assign(new Error('max@example.com'), { code: '23505' }), '23505'],
    [Object.assign(new Error('x'), { code: 'a b@c' }), 'Error'],
    [new TypeError('x'), 'TypeError'],
    ['max@example.com', 'unknown'],
    [undefined, 'unknown'],
  ])('of %s is %s', (error, type) => {
    expect(errorType(error)).toBe(type)
  })
})
