import type { Server } from 'node:http'
import { AppError, describe } from '../errors.ts'
import { PROBLEMS, problemOf } from '../http/problems.ts'
import { requestIdOf } from '../http/request-id.ts'
import type { Logger } from '../logger.ts'
import { askInMemory } from './in-memory-server.ts'
import { type Incoming, MAX_RESULT_BYTES, readEvent } from './incoming.ts'
import { type Result, resultOf } from './result.ts'

/** What of Lambda's context is used. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number
}

/** Before Lambda would end the process without an answer, time to give one. */
const RESERVE_MS = 1_000
const TRACE_ROOT = /(?:^|;)\s*Root=([A-Za-z0-9-]{8,128})/

/**
 * One event, answered: by the application, or by a problem that says why it could not be. Never rejects.
 *
 * @param service the application's server, once that is there
 */
export async function answerEvent(
  service: () => Promise<Server>,
  event: unknown,
  context: InvocationContext,
  logger: Logger,
): Promise<Result> {
  let incoming: Incoming | undefined
  let requestId = requestIdOf(undefined)
  const left = Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS)
  const deadline = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  late.catch(() => undefined)
  const timer = setTimeout(() => {
    deadline.abort(tooLong(left))
    reject(deadline.signal.reason)
  }, left)
  try {
    const read = readEvent(event)
    requestId = requestIdOf(headerOf(read, 'x-request-id') ?? traceRootOf(read))
    incoming = withRequestId(read, requestId)
    const server = await Promise.race([service(), late])
    return resultOf(await askInMemory(server, incoming, deadline.signal), incoming)
  } catch (error) {
    const problem = error instanceof AppError ? error : defect(error)
    // The access log has the request, too; why its caller got something else stands here alone.
    logger.warn({ requestId, code: problem.code, cause: describe(problem) }, 'answered in place of the application')
    return problemResult(problem, requestId, incoming)
  } finally {
    clearTimeout(timer)
  }
}

const headerOf = ({ headers }: Incoming, name: string) => headers.find(([each]) => each === name)?.[1]

/** Without an id of the caller's, the id of the trace: the logs of the gateway, of X-Ray and ours then name a request alike. */
function traceRootOf(incoming: Incoming): string | undefined {
  return TRACE_ROOT.exec(headerOf(incoming, 'x-amzn-trace-id') ?? '')?.[1]
}

function withRequestId(incoming: Incoming, requestId: string): Incoming {
  const others = incoming.headers.filter(([name]) => name !== 'x-request-id')
  return { ...incoming, headers: [...others, ['x-request-id', requestId]] }
}

function tooLong(ms: number): AppError {
  return new AppError(
    'unavailable',
    `The answer took longer than the ${Math.round(ms / 1000)} s that there are for it here. Whether a change was made is not ` +
      'known: send it again with the same Idempotency-Key. What takes so long every time can be sent as a job (Prefer: respond-async).',
  )
}

function defect(cause: unknown): AppError {
  return new AppError('internal', 'The request could not be finished because of a defect in the service', { cause })
}

function problemResult(problem: AppError, requestId: string, incoming: Incoming | undefined): Result {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
    ...(problem.code === 'unavailable' ? { 'Retry-After': '2' } : {}),
    ...problem.headers,
  }
  return resultOf(
    {
      status: PROBLEMS[problem.code].status,
      rawHeaders: Object.entries(headers).flat(),
      body: Buffer.from(incoming?.method === 'HEAD' ? '' : JSON.stringify(problemOf(problem, { requestId }))),
    },
    incoming ?? { answer: 'cookies', maxResultBytes: MAX_RESULT_BYTES },
  )
}
