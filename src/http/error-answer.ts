import type { ErrorRequestHandler, Request, Response } from 'express'
import { AppError, describe } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { traceFields } from '../tracing.ts'
import { expected, problemOf } from './problems.ts'
import { splitTarget } from './query-string.ts'
import { factsOf, UNMATCHED } from './request-facts.ts'
import { sendJson } from './send.ts'

const RETRY_AFTER_SECONDS = '2'
/** Paths of such characters hold ids and slugs; anything else might be a name or an address. */
const PLAIN_PATH = /^[A-Za-z0-9/_:.-]{1,512}$/

/**
 * The boundary: every error becomes one problem, and a defect is logged once.
 *
 * @param translate turns errors of the layers below (a lost database) into expected ones; returns anything else unchanged
 */
export function errorAnswer(
  logger: Logger,
  translate: (error: unknown) => unknown,
  metrics: Metrics,
): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, _next) => {
    const problem = expected(translate(parserError(error)))
    log(logger, problem, error, request)
    if (problem.code === 'quota-exceeded') countRefusal(metrics, problem)
    if (response.headersSent) {
      // A stream failed in its middle: only a cut connection tells the client that it is not whole.
      response.destroy()
      return
    }
    for (const name of ['ETag', 'Location', 'Link', 'Content-Length']) response.removeHeader(name)
    response.set({ 'Cache-Control': 'no-store', ...problem.headers })
    if (problem.code === 'unavailable' && problem.headers['Retry-After'] === undefined) {
      response.set('Retry-After', RETRY_AFTER_SECONDS)
    }
    const instance = instanceOf(request)
    const { requestId } = factsOf(request)
    const traceId = traceFields()?.trace_id
    const body = problemOf(problem, {
      ...(instance === undefined ? {} : { instance }),
      requestId,
      ...(traceId === undefined ? {} : { traceId }),
    })
    response.status(body.status)
    sendJson(response, body, 'application/problem+json')
  }
}

function countRefusal({ rateLimited }: Metrics, { extra }: AppError): void {
  for (const policy of (extra['violated-policies'] ?? []) as string[]) rateLimited.inc({ policy })
}

function instanceOf(request: Request): string | undefined {
  const { path } = splitTarget(request.originalUrl)
  const { route } = factsOf(request)
  return PLAIN_PATH.test(path) ? path : route === UNMATCHED ? undefined : route
}

/** A path that cannot be percent-decoded: Express throws a URIError with the path in its text. */
function parserError(error: unknown): unknown {
  const { status, name } = error as { status?: number; name?: string }
  return name === 'URIError' && status === 400
    ? new AppError('malformed-input', 'The address is not percent-encoded UTF-8')
    : error
}

function log(logger: Logger, problem: AppError, error: unknown, request: Request): void {
  const { requestId, route } = factsOf(request)
  const where = { requestId, route, code: problem.code }
  if (problem.code === 'internal') logger.error({ ...where, ...traceOf(error) }, 'request failed by a defect')
  else if (problem.code === 'unavailable') logger.warn({ ...where, cause: safeText(describe(error)) }, 'unavailable')
}

/** Where a defect happened and what it was, without the values that libraries like to quote. */
function traceOf(error: unknown): Record<string, unknown> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (!(cause instanceof Error)) return { cause: typeof cause }
  // Prisma prints the whole argument of a call that it finds invalid.
  const message = cause.name === 'PrismaClientValidationError' ? '(arguments withheld)' : safeText(describe(cause))
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return { name: cause.name, message, stack: frames.slice(0, 20).join('\n') }
}

function safeText(text: string): string {
  return text.replace(/[^\s@"'`]+@[^\s@"'`]+/gu, '[address]').slice(0, 1000)
}
