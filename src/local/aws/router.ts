import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../../logger.ts'
import { answerJson, sendJsonError } from './json-protocol.ts'
import { AwsError, type JsonService, type RequestContext } from './ports.ts'
import { drainBody, readMessage } from './request-body.ts'
import { type S3Service, sendS3Error } from './s3/service.ts'
import { type Claim, type Credentials, readClaim, signatureErrorFor, verifySignature } from './sigv4.ts'
import { answerSts, queryError } from './sts.ts'

export interface Services {
  readonly s3: S3Service
  /** By the service's name in a credential scope: `glue`, `athena`. */
  readonly json: ReadonlyMap<string, JsonService>
}

type Protocol = 's3' | 'json' | 'query'

/** The protocol a request speaks, by its form; needed even where no signature tells the service. */
function protocolOf(request: IncomingMessage, service: string | undefined): Protocol {
  if (service === 's3') return 's3'
  if (request.headers['x-amz-target'] !== undefined) return 'json'
  const type = request.headers['content-type'] ?? ''
  if (service === 'sts' || type.startsWith('application/x-www-form-urlencoded')) return 'query'
  if (/^application\/(?:x-amz-json-1\.[01]|json)/.test(type)) return 'json'
  return service === undefined ? 's3' : 'json'
}

/** Answers any request of any service. The service is the one the signature is for; nothing is answered before it is proved. */
export function createRouter({
  services,
  credentials,
  log,
}: {
  services: Services
  credentials: Credentials
  log: Logger
}): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  async function answer(request: IncomingMessage, response: ServerResponse, claim: Claim, context: RequestContext) {
    if (claim.service === 's3') {
      const header = request.headers['x-amz-content-sha256']
      const payload = typeof header === 'string' ? header : claim.presigned ? 'UNSIGNED-PAYLOAD' : undefined
      if (payload === undefined) {
        throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256', 400)
      }
      verifySignature(request, claim, credentials, claim.presigned ? 'UNSIGNED-PAYLOAD' : payload)
      allowBody(request, response)
      await services.s3.handle(request, response, context, payload)
      return
    }
    allowBody(request, response)
    const body = await readMessage(request)
    verifySignature(request, claim, credentials, createHash('sha256').update(body).digest('hex'))
    if (claim.service === 'sts') {
      sendXml(response, 200, answerSts(body.toString('utf8'), context))
      return
    }
    const service = services.json.get(claim.service)
    if (service === undefined) throw unknownService(request, claim)
    await answerJson(response, service, String(request.headers['x-amz-target'] ?? ''), body, context)
  }

  return async (request, response) => {
    const requestId = randomUUID()
    response.setHeader('x-amz-request-id', requestId)
    response.setHeader('x-amzn-requestid', requestId)
    // a sender that waits for "100 Continue" and is refused may or may not send its body: the connection is of no more use
    if (expectsContinue(request)) response.setHeader('connection', 'close')
    let claim: Claim | undefined
    try {
      claim = readClaim(request)
      const { region, accessKeyId } = claim
      await answer(request, response, claim, { requestId, region, accessKeyId })
    } catch (error) {
      const protocol = protocolOf(request, claim?.service)
      await drainBody(request, response)
      if (protocol === 's3') sendS3Error(request, response, requestId, error, log)
      else sendOther(response, protocol, requestId, translate(protocol, error), log)
    }
  }
}

const expectsContinue = (request: IncomingMessage) => request.headers.expect?.toLowerCase() === '100-continue'

function allowBody(request: IncomingMessage, response: ServerResponse): void {
  if (!expectsContinue(request)) return
  response.removeHeader('connection')
  response.writeContinue()
}

function unknownService(request: IncomingMessage, claim: Claim): AwsError {
  const operation = request.headers['x-amz-target'] ?? request.method
  return new AwsError(
    protocolOf(request, claim.service) === 'query' ? 'InvalidAction' : 'UnknownOperationException',
    `This endpoint offers s3, glue, athena and sts; the request is signed for ${claim.service} (${operation}).`,
  )
}

const SIGNATURE_CODES = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
  'AuthorizationQueryParametersError',
  'InvalidRequest',
])

const translate = (protocol: 'json' | 'query', error: unknown) =>
  error instanceof AwsError && SIGNATURE_CODES.has(error.code) ? signatureErrorFor(protocol, error) : error

function sendOther(
  response: ServerResponse,
  protocol: 'json' | 'query',
  requestId: string,
  error: unknown,
  log: Logger,
): void {
  if (protocol === 'json') {
    sendJsonError(response, requestId, error, log)
    return
  }
  if (!(error instanceof AwsError)) log.error({ err: error, requestId }, 'STS request failed')
  const known = error instanceof AwsError ? error : new AwsError('InternalFailure', 'An internal error occurred.', 500)
  sendXml(response, known.status, queryError(known, requestId))
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(xml, 'utf8')
  response.statusCode = status
  response.setHeader('content-type', 'text/xml')
  response.setHeader('content-length', body.length)
  response.end(body)
}
