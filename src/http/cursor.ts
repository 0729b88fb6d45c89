import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Position } from '../list.ts'

const FORMAT = 1
const MAC_BYTES = 16
const MAX_LENGTH = 4096

/** Hash of everything that a cursor belongs to: the path, filters, sort and the caller's scopes. */
export function listFingerprint(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}

/**
 * Positions as opaque text: base64url of JSON `{v, f, k, id, d}` followed by a 16-byte HMAC-SHA-256. A cursor grants nothing;
 * the HMAC only keeps callers from making or changing one.
 */
export class CursorCodec {
  readonly #key: Buffer

  constructor(key: Buffer) {
    if (key.length < 32) throw new RangeError('the cursor key needs 32 bytes')
    this.#key = key
  }

  encode(position: Position, fingerprint: string): string {
    const { values, id, backward } = position
    const json = Buffer.from(JSON.stringify({ v: FORMAT, f: fingerprint, k: values, id, d: backward ? 'p' : 'n' }))
    return Buffer.concat([json, this.#mac(json)]).toString('base64url')
  }

  /** @throws AppError `invalid-cursor` when it was changed or belongs to another list */
  decode(text: string, fingerprint: string): Position {
    const bytes =
      text.length <= MAX_LENGTH && /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url') : undefined
    if (bytes === undefined || bytes.length <= MAC_BYTES || bytes.toString('base64url') !== text) throw refused()
    const json = bytes.subarray(0, -MAC_BYTES)
    if (!timingSafeEqual(this.#mac(json), bytes.subarray(-MAC_BYTES))) throw refused()
    // Ours, because the HMAC holds: only the format may be an older one.
    const content = JSON.parse(json.toString('utf8')) as {
      v: number
      f: string
      k: Position['values']
      id: string
      d: 'n' | 'p'
    }
    if (content.v !== FORMAT || content.f !== fingerprint) throw refused()
    return { values: content.k, id: content.id, backward: content.d === 'p' }
  }

  #mac(json: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(json).digest().subarray(0, MAC_BYTES)
  }
}

function refused(): AppError {
  return new AppError(
    'invalid-cursor',
    'The cursor was changed, or belongs to another filter, sort or key; start from the first page',
    { errors: [{ parameter: 'cursor', code: 'invalid' }] },
  )
}
