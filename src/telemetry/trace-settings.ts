import { UsageError } from '../errors.ts'

/** What the environment says of traces, in OpenTelemetry's own variables. */
export interface TraceSettings {
  /** Where spans go by OTLP/HTTP. */
  readonly url: string
  readonly sampler: { readonly kind: 'on' | 'off' | 'ratio'; readonly ratio: number; readonly byParent: boolean }
  /** How long one delivery may take, its repeats included. */
  readonly timeoutMs: number
  readonly batch: {
    readonly queue: number
    readonly size: number
    readonly delayMs: number
  }
}

/** A collector is near. At the end of the process nobody waits longer than this for one that says nothing. */
const TIMEOUT_MS = 3_000

const SAMPLERS = {
  always_on: { kind: 'on', byParent: false },
  always_off: { kind: 'off', byParent: false },
  traceidratio: { kind: 'ratio', byParent: false },
  parentbased_always_on: { kind: 'on', byParent: true },
  parentbased_always_off: { kind: 'off', byParent: true },
  parentbased_traceidratio: { kind: 'ratio', byParent: true },
} as const

type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT), OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_PROTOCOL,
 * OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_TRACES_SAMPLER and its argument, OTEL_BSP_*. Names, headers, compression and certificates are
 * read by the libraries: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS, …
 *
 * @returns undefined: no traces
 * @throws UsageError naming the variable and what it allows
 */
export function traceSettings(env: Env): TraceSettings | undefined {
  const url = endpointOf(env)
  if (url === undefined || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined
  if (env.OTEL_TRACES_EXPORTER === 'none') return undefined
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf'
  if (protocol !== 'http/protobuf') {
    throw new UsageError('OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: the collector listens to it on port 4318')
  }
  const queue = positive(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2048)
  return {
    url,
    sampler: samplerOf(env),
    timeoutMs: positive(
      env,
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
      positive(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', TIMEOUT_MS),
    ),
    batch: {
      queue,
      size: Math.min(queue, positive(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)),
      delayMs: positive(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000),
    },
  }
}

function endpointOf(env: Env): string | undefined {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  if (own) return httpUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own).href
  const shared = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!shared) return undefined
  const base = httpUrl('OTEL_EXPORTER_OTLP_ENDPOINT', shared)
  base.pathname = `${base.pathname.replace(/\/$/, '')}/v1/traces`
  return base.href
}

function httpUrl(name: string, value: string): URL {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${name} must be an http or https URL such as http://localhost:4318`)
  }
  return url
}

function samplerOf(env: Env): TraceSettings['sampler'] {
  const name = env.OTEL_TRACES_SAMPLER || 'parentbased_always_on'
  const found = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name as keyof typeof SAMPLERS] : undefined
  if (found === undefined) {
    throw new UsageError(`OTEL_TRACES_SAMPLER must be one of ${Object.keys(SAMPLERS).join(', ')}`)
  }
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG || 1)
  if (found.kind === 'ratio' && !(ratio >= 0 && ratio <= 1)) {
    throw new UsageError('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1: the share of traces that is recorded')
  }
  return { ...found, ratio }
}

function positive(env: Env, name: string, fallback: number): number {
  const text = env[name]
  if (!text) return fallback
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`${name} must be a whole number from 1 to 999999999`)
}
