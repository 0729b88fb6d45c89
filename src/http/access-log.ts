import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { rememberFacts, UNMATCHED } from './request-facts.ts'
import { requestIdOf } from './request-id.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * First in the chain: gives the request its id, and when the answer is over writes one log line and one measurement. The line
 * has the route pattern, status, time, request id and key id - no path, no query, no address.
 */
export function accessLog(logger: Logger, metrics: Metrics): RequestHandler {
  // Each line has these fields and no others, none of which is ever redacted; looking for some would cost more than the line.
  const lines = logger.child({}, { redact: [] })
  return (request: Request, response: Response, next: NextFunction) => {
    const requestId = requestIdOf(request.get('X-Request-Id'))
    const facts = { requestId, startedNs: process.hrtime.bigint(), route: UNMATCHED, keyId: undefined }
    rememberFacts(request, facts)
    response.setHeader('X-Request-Id', requestId)
    metrics.httpInFlight.inc()
    response.once('close', () => {
      metrics.httpInFlight.dec()
      const seconds = Number(process.hrtime.bigint() - facts.startedNs) / 1e9
      const method = METHODS.has(request.method) ? request.method : 'other'
      metrics.httpRequests.observe({ method, route: facts.route, status: String(response.statusCode) }, seconds)
      const line = {
        method,
        route: facts.route,
        status: response.statusCode,
        ms: Math.round(seconds * 10_000) / 10,
        requestId,
        ...(facts.keyId === undefined ? {} : { keyId: facts.keyId }),
        ...(response.writableFinished ? {} : { aborted: true }),
      }
      lines.info(line, 'request')
    })
    next()
  }
}
