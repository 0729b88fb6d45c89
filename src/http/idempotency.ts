import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { splitTarget } from './query-string.ts'
import type { Repeat } from './route.ts'

export const IDEMPOTENCY_KEY = 'Idempotency-Key'
export const REPLAYED = 'Idempotency-Replayed'

/** An answer as it goes over the wire, without the headers that every answer has. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Null: no body. */
  readonly body: Buffer | null
}

/**
 * Lets requests act once. `work` is run at most once with success for a caller's key; a later request with the same key gets the
 * same answer. A failure leaves nothing behind, and the key may be used again.
 *
 * `database`: what `work` does to the database and its stored answer are one transaction; it may be run again after a deadlock.
 * `outside`: `work` makes what it does elsewhere recognisable by the repeat.
 *
 * Throws AppError `idempotency-in-progress`, `idempotency-mismatch`, and what `work` throws.
 */
export interface Idempotency {
  once(
    request: { readonly callerId: string; readonly key: string; readonly fingerprint: Buffer },
    effect: 'database' | 'outside',
    work: (repeat: Repeat) => Promise<WireAnswer>,
  ): Promise<{ readonly answer: WireAnswer; readonly replayed: boolean }>
}

// draft-ietf-httpapi-idempotency-key-header: a string of RFC 8941, section 3.3.3; many clients send the bare text.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const KEY = /^[\x21-\x7e]{8,255}$/

/**
 * The key of the quoted or the bare form; both name the same key.
 *
 * @throws AppError `malformed-header`
 */
export function parseIdempotencyKey(header: string): string {
  const text = header.trim()
  const quoted = QUOTED.exec(text)?.[1]
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, '$1')
  const halfQuoted = quoted === undefined && text.startsWith('"')
  if (KEY.test(key) && !halfQuoted) return key
  const detail =
    'must be 8 to 255 visible ASCII characters without spaces, bare or in double quotes; a UUID is a good one'
  throw new AppError('malformed-header', `${IDEMPOTENCY_KEY} ${detail}`, {
    errors: [{ header: IDEMPOTENCY_KEY, code: 'format', detail }],
  })
}

/** SHA-256 over what makes two requests the same: method, path, query in any order, content type, `If-Match`, body. */
export function fingerprintOf(request: Request, contentType: string, body: Uint8Array): Buffer {
  const { path, query } = splitTarget(request.originalUrl)
  const sorted = query.split('&').filter(Boolean).sort().join('&')
  const facts = JSON.stringify([request.method, path, sorted, contentType, request.get('If-Match') ?? null])
  return createHash('sha256').update(facts).update('\n').update(body).digest()
}

/** The answer as bytes, so that the first one and every replay are the same. */
export function wireAnswer(answer: Answer): WireAnswer {
  switch (answer.kind) {
    case 'json': {
      const body = Buffer.from(JSON.stringify(answer.body))
      return { status: answer.status, headers: { 'Content-Type': 'application/json', ...answer.headers }, body }
    }
    case 'text':
      return { status: answer.status, headers: answer.headers, body: Buffer.from(answer.text) }
    case 'empty':
      return { status: answer.status, headers: answer.headers, body: null }
    default:
      throw new Error(
        `an answer of the kind ${answer.kind} cannot be stored: the operation has to refuse ${IDEMPOTENCY_KEY}`,
      )
  }
}

export function sendWire({ status, headers, body }: WireAnswer, replayed: boolean, response: Response): void {
  response.status(status).set(headers)
  if (replayed) response.setHeader(REPLAYED, 'true')
  if (body === null) {
    response.end()
    return
  }
  response.setHeader('Content-Length', body.length)
  response.end(body)
}
