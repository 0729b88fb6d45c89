/**
 * Traces, seen from the rest of the program: spans around the few places where time goes. Without a collector nothing is loaded
 * and each call here is one comparison; `telemetry/start-tracing.ts` puts the real thing in place.
 *
 * Names and attributes say what is done, on which route or table, how often and with which code; never an id of a person, a path, a
 * value or a statement's text: traces are kept elsewhere, and by other rules, than the data.
 */

export type Attributes = Readonly<Record<string, string | number | boolean>>

export interface SpanOptions {
  readonly kind?: 'server' | 'client' | 'consumer'
  readonly attributes?: Attributes
  /** W3C `traceparent` of the caller; what cannot be read begins a trace of its own. Default: the current span. */
  readonly parent?: string | undefined
  /** `enterStage` inside of it, directly or below, begins spans that follow each other. */
  readonly staged?: true
}

export interface Span {
  set(attributes: Attributes): void
  rename(name: string): void
  /** It failed. @param type a code or the name of an error, never its message */
  fail(type: string): void
  /** Runs `work`, and whatever that starts, inside of the span. */
  run<T>(work: () => T): T
  end(): void
}

/** Members of a log line that is written inside of a trace; names as OpenTelemetry's logging conventions have them. */
export interface TraceFields {
  readonly trace_id: string
  readonly span_id: string
  /** `01`: the trace is recorded. */
  readonly trace_flags: string
}

/** What records. */
export interface Tracing {
  begin(name: string, options: SpanOptions): Span
  /** Is there a current span that is recorded? */
  isInside(): boolean
  stage(name: string): void
  fields(): TraceFields | undefined
  traceparent(): string | undefined
}

let tracing: Tracing | undefined

/** From now on, in the whole process; undefined: no traces. */
export function useTracing(given: Tracing | undefined): void {
  tracing = given
}

export const isTracing = (): boolean => tracing !== undefined

/** For spans that mean nothing alone: a statement, a call. Without traces always false. */
export const isInsideSpan = (): boolean => tracing?.isInside() === true

/** For work whose end is an event; undefined without traces. */
export function beginSpan(name: string, options: SpanOptions = {}): Span | undefined {
  return tracing?.begin(name, options)
}

/** Runs `work` in a span of its own; when it rejects, the span says with which code. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (tracing === undefined) return work(undefined)
  const span = tracing.begin(name, options)
  try {
    return await span.run(() => work(span))
  } catch (error) {
    span.fail(errorType(error))
    throw error
  } finally {
    span.end()
  }
}

/** The next stage of the `staged` span that this code runs in; the one before is over. */
export function enterStage(name: string): void {
  tracing?.stage(name)
}

/** Of the current span; undefined outside of a trace. */
export const traceFields = (): TraceFields | undefined => tracing?.fields()

/** W3C `traceparent` of the current span, for what goes on in another process; undefined outside of a trace. */
export const traceparent = (): string | undefined => tracing?.traceparent()

const CODE = /^[A-Za-z0-9_.-]{1,64}$/

/** Code or name of an error: what may be said of it where its message may not. */
export function errorType(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  for (const each of [code, name]) if (typeof each === 'string' && CODE.test(each)) return each
  return 'unknown'
}
