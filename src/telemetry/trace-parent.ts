import { type SpanContext, TraceFlags } from '@opentelemetry/api'

/**
 * The header `traceparent` of W3C Trace Context, section 3.2: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`. A later version
 * may go on after a dash, which is not read; `ff` and zeros as ids are invalid.
 */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
/** Longer than any version needs. */
const MAX_CHARACTERS = 256

/** @returns undefined for what must be ignored: the trace then begins here. */
export function parseTraceParent(text: string): SpanContext | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = FORM.exec(text.trim()) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
}

export function formatTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${flagsOf(traceFlags)}`
}

export const flagsOf = (flags: number): string => (flags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')
