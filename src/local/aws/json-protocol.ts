import type { ServerResponse } from 'node:http'
import type { Logger } from '../../logger.ts'
import { AwsError, type JsonObject, type JsonService, type RequestContext } from './ports.ts'

const CONTENT_TYPE = 'application/x-amz-json-1.1'

function send(response: ServerResponse, status: number, body: JsonObject, errorType?: string): void {
  const bytes = Buffer.from(JSON.stringify(body), 'utf8')
  response.statusCode = status
  response.setHeader('content-type', CONTENT_TYPE)
  response.setHeader('content-length', bytes.length)
  if (errorType !== undefined) response.setHeader('x-amzn-errortype', errorType)
  response.end(bytes)
}

function readInput(body: Buffer): JsonObject {
  let input: unknown
  try {
    input = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    throw new AwsError('SerializationException', 'The request body is not valid JSON.')
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new AwsError('SerializationException', 'The request body must be a JSON object.')
  }
  return input as JsonObject
}

/**
 * One call of AWS JSON 1.1: `X-Amz-Target: <service>.<operation>`.
 *
 * @throws AwsError `UnknownOperationException` naming a target that is not offered, and whatever the operation throws.
 */
export async function answerJson(
  response: ServerResponse,
  service: JsonService | undefined,
  target: string,
  body: Buffer,
  context: RequestContext,
): Promise<void> {
  const [prefix, name = ''] = target.split('.', 2)
  const offered: JsonService['operations'] =
    service !== undefined && service.target === prefix ? service.operations : {}
  const operation = Object.hasOwn(offered, name) ? offered[name] : undefined
  if (operation === undefined) {
    throw new AwsError(
      'UnknownOperationException',
      `This endpoint does not offer ${target || 'a request without X-Amz-Target'}.`,
    )
  }
  send(response, 200, await operation(readInput(body), context))
}

/** An error of AWS JSON 1.1. What is no `AwsError` is a defect: logged, answered as `InternalServiceException`. */
export function sendJsonError(response: ServerResponse, requestId: string, error: unknown, log: Logger): void {
  const known = error instanceof AwsError
  if (!known) log.error({ err: error, requestId }, 'AWS JSON request failed')
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const code = known ? error.code : 'InternalServiceException'
  const message = known ? error.message : 'An internal error occurred; the log of the local endpoint tells more.'
  // services disagree on the spelling, so their clients read either
  const body = { __type: code, message, Message: message, ...(known ? error.extra : {}) }
  send(response, known ? error.status : 500, body, code)
}
