import { mkdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from '../../../logger.ts'
import { AwsError, type RequestContext } from '../ports.ts'
import { drainBody } from '../request-body.ts'
import { element, xmlDocument } from '../xml-writer.ts'
import { BlobFolder } from './blob-folder.ts'
import { Multipart } from './multipart.ts'
import { S3ObjectStore } from './object-store.ts'
import { checkHeaders } from './refused-headers.ts'
import { chooseOperation } from './routes.ts'
import { type S3Answer, S3Call } from './s3-call.ts'
import { S3Index } from './s3-index.ts'

export interface S3Service {
  readonly store: S3ObjectStore
  /**
   * Answers one request whose signature is proved, errors included.
   *
   * @param payload `x-amz-content-sha256`, or `UNSIGNED-PAYLOAD` of a presigned URL.
   */
  handle(request: IncomingMessage, response: ServerResponse, context: RequestContext, payload: string): Promise<void>
  /** Nothing acknowledged is lost; requests under way fail. */
  close(): Promise<void>
}

/** Opens the objects below `<dir>/s3`; files that an earlier process left half done are removed. */
export function openS3({ dir, log }: { dir: string; log: Logger }): S3Service {
  const root = join(dir, 's3')
  mkdirSync(root, { recursive: true })
  const index = new S3Index(join(root, 'index.sqlite'))
  const store = new S3ObjectStore(index, new BlobFolder(join(root, 'blobs')))
  const uploads = new Multipart(store)
  removeOrphans(store, uploads, log)

  async function handle(request: IncomingMessage, response: ServerResponse, context: RequestContext, payload: string) {
    try {
      const call = new S3Call(request, context.requestId, context.region, payload)
      const operation = chooseOperation(call)
      checkHeaders(call)
      call.checkBucketOwner()
      await sendAnswer(request, response, await operation.run({ store, uploads }, call))
    } catch (error) {
      if (!response.headersSent) await drainBody(request, response)
      sendS3Error(request, response, context.requestId, error, log)
    }
  }

  return {
    store,
    handle,
    async close() {
      await store.blobs.close()
      index.close()
    },
  }
}

function removeOrphans(store: S3ObjectStore, uploads: Multipart, log: Logger): void {
  const named = new Set<string>()
  for (const blob of store.objects.blobs()) named.add(blob)
  for (const blob of uploads.table.blobs()) named.add(blob)
  const removed = store.blobs.sweep((blob) => named.has(blob))
  if (removed > 0) log.info({ removed }, 'removed files of unfinished S3 writes')
}

/** Header values go out as the bytes of UTF-8; Node writes a string's characters as bytes. */
const wireValue = (value: string | number) =>
  typeof value === 'number' ? value : Buffer.from(value, 'utf8').toString('latin1')

async function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: S3Answer): Promise<void> {
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (value !== undefined) response.setHeader(name, wireValue(value))
  }
  response.statusCode = answer.status
  if (answer.stream !== undefined) {
    // a reader that goes away is no error of ours; pipeline closes the file
    await pipeline(answer.stream, response).catch(() => {})
    return
  }
  if (answer.xml !== undefined) {
    const body = Buffer.from(answer.xml, 'utf8')
    response.setHeader('content-type', 'application/xml')
    response.setHeader('content-length', body.length)
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  if (answer.status === 200 && request.method !== 'HEAD') {
    if (!response.hasHeader('content-length')) response.setHeader('content-length', 0)
  }
  response.end()
}

/** An error in S3's form. What is no `AwsError` is a defect: logged, answered as `InternalError`. */
export function sendS3Error(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  error: unknown,
  log: Logger,
): void {
  const known = error instanceof AwsError
  // a request read to its end is `destroyed` too
  const isGone = request.destroyed && !request.complete
  if (!known && !isGone) log.error({ err: error, requestId, method: request.method }, 'S3 request failed')
  if (response.headersSent || isGone) {
    response.destroy()
    return
  }
  const { code, message, status, extra } = known
    ? error
    : { code: 'InternalError', message: 'We encountered an internal error. Please try again.', status: 500, extra: {} }
  for (const name of response.getHeaderNames()) {
    if (!name.startsWith('x-amz') && name !== 'connection') response.removeHeader(name)
  }
  response.statusCode = status
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const body = Buffer.from(
    xmlDocument(
      element(
        'Error',
        element('Code', code),
        element('Message', message),
        ...Object.entries(extra).map(([name, value]) => element(name, String(value))),
        element('RequestId', requestId),
        element('HostId', 'local'),
      ),
    ),
    'utf8',
  )
  response.setHeader('content-type', 'application/xml')
  response.setHeader('content-length', body.length)
  response.end(body)
}
