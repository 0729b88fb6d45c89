import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { beginSpan, isTracing, type Span } from '../tracing.ts'
import { REPLAYED } from './idempotency.ts'
import { rememberFacts, UNMATCHED } from './request-facts.ts'
import { requestIdOf } from './request-id.ts'

/** Asked every few seconds by machines: they would bury the other traces. */
const PROBES = new Set(['/healthz', '/readyz', '/metrics'])

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * First in the chain: gives the request its id and its span, and when the answer is over writes one log line and one measurement.
 * The line has the route pattern, status, time, request id and key id - no path, no query, no address.
 */
export function accessLog(logger: Logger, metrics: Metrics): RequestHandler {
  // Each line has these fields and no others, none of which is ever redacted; looking for some would cost more than the line.
  const lines = logger.child({}, { redact: [] })
  return (request: Request, response: Response, next: NextFunction) => {
    const requestId = requestIdOf(request.get('X-Request-Id'))
    const facts = { requestId, startedNs: process.hrtime.bigint(), route: UNMATCHED, keyId: undefined, isStream: false }
    rememberFacts(request, facts)
    response.setHeader('X-Request-Id', requestId)
    metrics.httpInFlight.inc()
    const span = spanOf(request)
    response.once('close', () => {
      metrics.httpInFlight.dec()
      const seconds = Number(process.hrtime.bigint() - facts.startedNs) / 1e9
      const method = methodOf(request)
      const { isStream, route } = facts
      const isProbe = PROBES.has(request.url)
      metrics.end({ method, route, status: response.statusCode, seconds, isProbe, isStream })
      if (response.hasHeader(REPLAYED)) metrics.idempotencyReplays.inc()
      const line = {
        method,
        route,
        status: response.statusCode,
        ms: Math.round(seconds * 10_000) / 10,
        requestId,
        ...(facts.keyId === undefined ? {} : { keyId: facts.keyId }),
        ...(response.writableFinished ? {} : { aborted: true }),
      }
      if (span === undefined) return void lines.info(line, 'request')
      endSpan(span, line)
      span.run(() => lines.info(line, 'request'))
    })
    if (span === undefined) next()
    else span.run(next)
  }
}

const methodOf = ({ method }: Request) => (METHODS.has(method) ? method : 'other')

function spanOf(request: Request): Span | undefined {
  if (!isTracing() || PROBES.has(request.url)) return undefined
  return beginSpan(methodOf(request), { kind: 'server', parent: request.get('traceparent') })
}

interface Line {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly requestId: string
  readonly keyId?: string
  readonly aborted?: boolean
}

/** Names of OpenTelemetry's conventions for HTTP, where there are some. */
function endSpan(span: Span, { aborted, keyId, method, requestId, route, status }: Line): void {
  span.rename(`${method} ${route}`)
  span.set({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'rocketgames.request_id': requestId,
    ...(keyId === undefined ? {} : { 'rocketgames.key_id': keyId }),
    ...(aborted ? { 'rocketgames.aborted': true } : {}),
  })
  if (status >= 500) span.fail(String(status))
  span.end()
}
