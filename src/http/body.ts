import { type Readable, Transform } from 'node:stream'
import express, { type Request, type Response } from 'express'
import type { z } from 'zod'
import { AppError, invalid } from '../errors.ts'
import { parseJsonText } from './json-text.ts'
import { check } from './validation.ts'

/** Of a JSON body, after decompression. */
export const MAX_JSON_BODY_BYTES = 256 * 1024

/** 256 KB in this time is 9 KB a second: slower than any line that callers have. */
const BODY_TIMEOUT_MS = 30_000

/** Of a streamed body: how long its sender may say nothing. */
const IDLE_TIMEOUT_MS = 60_000

export interface JsonBody<T> {
  readonly kind: 'json'
  readonly types: readonly string[]
  readonly schema: z.ZodType
  readonly read: (input: unknown) => T
}

/** A body that the handler reads itself: `maxBytes` is enforced while it flows. */
export interface StreamBody {
  readonly kind: 'stream'
  readonly types: readonly string[]
  readonly maxBytes: number
  readonly description: string
  /** A body for the API document, by media type. */
  readonly examples?: Readonly<Record<string, string>>
}

export interface IncomingStream {
  /** The media type without parameters, one of the operation's. */
  readonly type: string
  readonly stream: Readable
}

/** A JSON body checked by a strict schema. */
export function jsonBody<S extends z.ZodType>(schema: S, types = ['application/json']): JsonBody<z.output<S>> {
  return {
    kind: 'json',
    types,
    schema,
    read(input) {
      const checked = check(schema, input)
      if (checked.ok) return checked.value
      throw invalid(checked.errors)
    },
  }
}

/** A merge patch, RFC 7396: absent is unchanged, null empties. The plain JSON type is accepted as well. */
export function mergePatch<S extends z.ZodType>(schema: S): JsonBody<z.output<S>> {
  return jsonBody(schema, ['application/merge-patch+json', 'application/json'])
}

/**
 * The media type of the body, if the operation takes it.
 *
 * @throws AppError `unsupported-media-type`
 */
export function mediaType(header: string | undefined, allowed: readonly string[]): string {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  const charset = parameters.map((p) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(p)?.[1]).find((c) => c !== undefined)
  const utf8 = charset === undefined || charset === 'utf-8' || charset === 'utf8'
  if (allowed.includes(type.trim()) && utf8) return type.trim()
  throw new AppError('unsupported-media-type', `Content-Type must be ${allowed.join(' or ')}, in UTF-8`, {
    headers: { Accept: allowed.join(', ') },
  })
}

const readRaw = express.raw({ type: () => true, limit: MAX_JSON_BODY_BYTES })

/** The bytes of a small body, decompressed. One that trickles in is given up: it would hold its connection for ever. */
export async function rawBody(request: Request, response: Response, timeoutMs = BODY_TIMEOUT_MS): Promise<Buffer> {
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(tooSlow(timeoutMs)), timeoutMs)
      readRaw(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)))
    })
  } catch (error) {
    throw error instanceof AppError ? error : bodyError(error)
  } finally {
    clearTimeout(timer)
  }
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/**
 * JSON in UTF-8, strictly.
 *
 * @throws AppError `malformed-json`
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new AppError('malformed-json', 'The body is not in UTF-8')
  }
  return parseJsonText(text)
}

/**
 * The body as a stream that fails with `payload-too-large` beyond `maxBytes`, and with `malformed-input` when its sender is
 * silent for `idleMs`; the time that its reader lets it wait does not count.
 */
export function limited(source: Readable, maxBytes: number, idleMs = IDLE_TIMEOUT_MS): Readable {
  let seen = 0
  const silence = setTimeout(() => {
    if (source.isPaused()) silence.refresh()
    else counter.destroy(tooSlow(idleMs))
  }, idleMs)
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      silence.refresh()
      seen += chunk.length
      if (seen > maxBytes) done(tooLarge(maxBytes))
      else done(null, chunk)
    },
  })
  counter.once('close', () => clearTimeout(silence))
  // Also a connection that broke: its error has the code of a database that is away.
  source.once('error', (cause) => counter.destroy(tooShort(cause)))
  source.once('close', () => {
    if (!source.readableEnded) counter.destroy(tooShort())
  })
  return source.pipe(counter)
}

/** Does the request bring a body? */
export function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload-too-large', `The body has more than ${maxBytes} bytes`, { extra: { maxBytes } })
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError('malformed-input', `The body did not arrive within ${timeoutMs} ms`, {
    headers: { Connection: 'close' },
  })
}

function tooShort(cause?: Error): AppError {
  return new AppError('malformed-input', 'The body ended before its end', { cause })
}

/** Errors of the body parser have a `type`; those of decompression a zlib `code`. */
function bodyError(error: unknown): AppError {
  const { type, code } = error as { type?: string; code?: string }
  if (type === 'entity.too.large') return tooLarge(MAX_JSON_BODY_BYTES)
  if (type === 'encoding.unsupported') {
    return new AppError('unsupported-media-type', 'Content-Encoding must be gzip, deflate, br or identity')
  }
  if (
    type === 'request.aborted' ||
    type === 'request.size.invalid' ||
    code?.startsWith('Z_') ||
    code?.startsWith('ERR_')
  ) {
    return new AppError('malformed-input', 'The body could not be read to its end', { cause: error })
  }
  return new AppError('internal', 'The body could not be read', { cause: error })
}
