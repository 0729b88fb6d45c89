import {
  type Context,
  context,
  createContextKey,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'
import type { Span, SpanOptions, Tracing } from '../tracing.ts'
import { PatientExporter } from './patient-exporter.ts'
import { flagsOf, formatTraceParent, parseTraceParent } from './trace-parent.ts'
import type { TraceSettings } from './trace-settings.ts'

/** The only file that knows OpenTelemetry's SDK; loaded when there is a collector. */

const SERVICE = 'rocketgames-accounts'
/** More than a snapshot of all tables has children; a span holds few attributes. */
const SPAN_LIMITS = { attributeCountLimit: 32, attributeValueLengthLimit: 256, eventCountLimit: 8, linkCountLimit: 8 }

export interface OpenTelemetryOptions {
  readonly settings: TraceSettings
  readonly version: string
  readonly stage: string | undefined
  readonly logger: () => Logger
}

export interface OpenedTelemetry {
  readonly tracing: Tracing
  stop(): Promise<void>
}

/**
 * Spans wait in a queue of bounded length and are sent in batches; a collector that is away or slow costs spans and nothing else.
 */
export function openTelemetry({ settings, version, stage, logger }: OpenTelemetryOptions): OpenedTelemetry {
  const { batch, timeoutMs, url } = settings
  const exporter = new PatientExporter(new OTLPTraceExporter({ url, timeoutMillis: timeoutMs }), logger)
  const provider = new TracerProvider({
    resource: resourceOf(version, stage),
    sampler: samplerOf(settings.sampler),
    spanLimits: SPAN_LIMITS,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: batch.queue,
        maxExportBatchSize: batch.size,
        scheduledDelayMillis: batch.delayMs,
        // Above that of the exporter, which gives the reason.
        exportTimeoutMillis: timeoutMs + 1_000,
      }),
    ],
  })
  const manager = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(manager)
  return {
    tracing: new OpenTelemetry(provider.getTracer(SERVICE, version)),
    async stop() {
      try {
        // Each delivery is bounded, and all that wait are sent at once.
        await provider.shutdown()
      } catch {
        // The exporter has said why.
      } finally {
        manager.disable()
        context.disable()
      }
    },
  }
}

/** What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes before what we know. */
function resourceOf(version: string, stage: string | undefined): Resource {
  const own = resourceFromAttributes({
    'service.name': SERVICE,
    'service.version': version,
    ...(stage === undefined ? {} : { 'deployment.environment.name': stage }),
  })
  const given = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })
  return defaultResource().merge(own).merge(given)
}

function samplerOf({ kind, ratio, byParent }: TraceSettings['sampler']): Sampler {
  const root =
    kind === 'on'
      ? new AlwaysOnSampler()
      : kind === 'off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio)
  return byParent ? new ParentBasedSampler({ root }) : root
}

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const

/** The stage that the innermost `staged` span is in. */
interface Stages {
  readonly owner: OtelSpan
  current: OtelSpan | undefined
}

const STAGES = createContextKey('stages')
const stagesOf = (active: Context) => active.getValue(STAGES) as Stages | undefined

class OpenTelemetry implements Tracing {
  readonly #tracer: Tracer

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  begin(name: string, { attributes = {}, kind, parent, staged }: SpanOptions): Span {
    const options = { attributes, kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind] }
    const above = parent === undefined ? atStage(context.active()) : remote(parent)
    const span = this.#tracer.startSpan(name, options, above)
    let inside = trace.setSpan(above, span)
    const stages: Stages | undefined = staged ? { owner: span, current: undefined } : undefined
    if (stages !== undefined) inside = inside.setValue(STAGES, stages)
    return {
      set: (more) => void span.setAttributes(more),
      rename: (other) => void span.updateName(other),
      fail: (type) => fail(span, stages, type),
      run: (work) => context.with(inside, work),
      end() {
        stages?.current?.end()
        span.end()
      },
    }
  }

  isInside(): boolean {
    return trace.getActiveSpan()?.isRecording() === true
  }

  stage(name: string): void {
    const active = context.active()
    const stages = stagesOf(active)
    if (stages === undefined) return
    stages.current?.end()
    stages.current = this.#tracer.startSpan(name, {}, trace.setSpan(active, stages.owner))
  }

  fields() {
    const current = atStageSpan()
    if (current === undefined) return undefined
    const { traceId, spanId, traceFlags } = current.spanContext()
    return { trace_id: traceId, span_id: spanId, trace_flags: flagsOf(traceFlags) }
  }

  traceparent(): string | undefined {
    const current = atStageSpan()
    return current && formatTraceParent(current.spanContext())
  }
}

/** What begins directly in a staged span belongs to its present stage. */
function atStage(active: Context): Context {
  const stages = stagesOf(active)
  if (stages?.current === undefined || trace.getSpan(active) !== stages.owner) return active
  return trace.setSpan(active, stages.current)
}

const atStageSpan = () => trace.getSpan(atStage(context.active()))

function remote(parent: string): Context {
  const found = parseTraceParent(parent)
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found)
}

function fail(span: OtelSpan, stages: Stages | undefined, type: string): void {
  for (const each of [stages?.current, span]) {
    each?.setStatus({ code: SpanStatusCode.ERROR, message: type }).setAttribute('error.type', type)
  }
}
