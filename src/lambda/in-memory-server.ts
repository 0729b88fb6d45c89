import { type IncomingMessage, request, type Server } from 'node:http'
import { duplexPair } from 'node:stream'
import { AppError } from '../errors.ts'
import type { Incoming } from './incoming.ts'
import { answerTooLarge, type WholeAnswer } from './result.ts'

/** More than any request may have: an answer may name the address of its request several times over. */
const MAX_ANSWER_HEADER_BYTES = 256 * 1024
/** Request Header Fields Too Large (RFC 6585, section 5): the server's word for it has no body. */
const HEADERS_TOO_LARGE = 431

/** Names that say how a connection is used: this one is another. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'upgrade', 'expect'])

/**
 * Sends a request through a connection in memory to a server that need not listen: HTTP on both sides, so that an application
 * behind it meets what it meets behind a socket.
 *
 * @param signal cuts the connection, which the application sees as a client that leaves
 * @throws AppError `answer-too-large`; `malformed-input` for what no client could have sent; `unavailable` when the answer breaks
 *   off. The reason of `signal` when that is aborted.
 */
export async function askInMemory(server: Server, incoming: Incoming, signal: AbortSignal): Promise<WholeAnswer> {
  signal.throwIfAborted()
  const [near, far] = duplexPair()
  // The end of one side is not told to the other by itself when it is torn down.
  far.once('close', () => setImmediate(() => near.destroy()))
  near.once('close', () => far.destroy())
  const onAbort = () => near.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    server.emit('connection', far)
    return await exchange(incoming, near)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    near.destroy()
  }
}

function exchange({ method, target, headers, body, maxResultBytes }: Incoming, near: ReturnType<typeof duplexPair>[0]) {
  const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>()
  const outgoing = (() => {
    try {
      return request({
        ...{ method, path: target, headers: sentHeaders(headers, body) },
        ...{ createConnection: () => near, maxHeaderSize: MAX_ANSWER_HEADER_BYTES },
      })
    } catch (cause) {
      throw new AppError(
        'malformed-input',
        'The method, the address or a header has characters that HTTP does not allow',
        {
          cause,
        },
      )
    }
  })()
  outgoing.on('error', (cause) => reject(brokenOff(cause)))
  outgoing.once('response', (response) => void whole(response, maxResultBytes).then(resolve, reject))
  outgoing.end(body)
  return promise
}

/** As `rawHeaders`: repeated names stay repeated. */
function sentHeaders(headers: Incoming['headers'], body: Buffer | undefined): string[] {
  const kept = headers.filter(([name]) => !OF_THE_CONNECTION.has(name) && name !== 'content-length')
  const told = headers.some(([name]) => name === 'content-length')
  const length = body !== undefined || told ? [['content-length', String(body?.length ?? 0)]] : []
  const host = kept.some(([name]) => name === 'host') ? [] : [['host', 'localhost']]
  return [...host, ...kept, ...length, ['connection', 'close']].flat()
}

async function whole(response: IncomingMessage, maxBytes: number): Promise<WholeAnswer> {
  if (response.statusCode === HEADERS_TOO_LARGE) {
    response.destroy()
    throw new AppError(
      'malformed-input',
      'The headers of the request are larger than the service takes; send fewer of them',
    )
  }
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) throw answerTooLarge(maxBytes)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof AppError ? error : brokenOff(error)
  }
  return { status: response.statusCode ?? 500, rawHeaders: response.rawHeaders, body: Buffer.concat(chunks) }
}

function brokenOff(cause: unknown): AppError {
  return new AppError('unavailable', 'The answer broke off before its end; ask again', { cause })
}
