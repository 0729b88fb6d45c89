import type { IncomingMessage, ServerResponse } from 'node:http'
import { AwsError } from './ports.ts'

/** Objects and parts have no limit of their own; everything that is read whole has this one. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024

/**
 * The whole body.
 *
 * @throws AwsError 413 above `MAX_MESSAGE_BYTES`, decided by Content-Length before a byte is kept where it is told.
 */
export async function readMessage(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () =>
    new AwsError('MaxMessageLengthExceeded', `Your request was too big: at most ${MAX_MESSAGE_BYTES} bytes.`, 413)
  if (Number(request.headers['content-length'] ?? 0) > MAX_MESSAGE_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // the socket must outlive the refusal, or the client sees a reset in place of the answer
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    sizeBytes += (chunk as Buffer).length
    if (sizeBytes > MAX_MESSAGE_BYTES) throw tooLarge()
    chunks.push(chunk as Buffer)
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

const MAX_DRAINED_BYTES = 64 * 1024 * 1024

/**
 * Reads what is left of a refused request, so that its sender sees the answer and not a broken connection. Gives up on very
 * large bodies, and does not wait for one whose sender was never told to continue.
 */
export function drainBody(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.complete || request.destroyed || response.getHeader('connection') === 'close') return Promise.resolve()
  return new Promise((done) => {
    let sizeBytes = 0
    request
      .on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes > MAX_DRAINED_BYTES) done()
      })
      .once('end', done)
      .once('close', done)
      .once('error', () => done())
      .resume()
  })
}
