import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Position } from '../list.ts'

const FORMAT = 2
const TAG_BYTES = 16
const MAX_LENGTH = 4096

/** Hash of everything that a cursor belongs to: the path, filters, sort and the caller's scopes. */
export function listFingerprint(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}

/**
 * Positions as opaque text. A position has the sort values of a row, a person's country for one, and a cursor stands in URLs,
 * which proxies and browsers keep: so it is encrypted, not only signed.
 *
 * base64url of a 16-byte tag and the JSON `{v, f, k, id, d}` (format, fingerprint, sort values, id, direction). The tag is
 * HMAC-SHA-256 over the JSON and the initial counter of AES-256-CTR over it at once (the SIV construction of RFC 5297, section
 * 2.6, with these two primitives): no nonce that could repeat, and the same position always has the same cursor. It grants
 * nothing; nobody else can make, change or read one.
 */
export class CursorCodec {
  readonly #keys: readonly CursorKeys[]

  /** @param keys the first makes cursors; those of all are taken, so that a list that is being read outlives a rotation */
  constructor(keys: Buffer | readonly Buffer[]) {
    this.#keys = [keys].flat().map(derived)
  }

  encode(position: Position, fingerprint: string): string {
    const { values, id, backward } = position
    const json = Buffer.from(JSON.stringify({ v: FORMAT, f: fingerprint, k: values, id, d: backward ? 'p' : 'n' }))
    const [keys] = this.#keys as [CursorKeys]
    const tag = tagOf(keys, json)
    const cipher = createCipheriv('aes-256-ctr', keys.cipher, tag)
    return Buffer.concat([tag, cipher.update(json), cipher.final()]).toString('base64url')
  }

  /** @throws AppError `invalid-cursor` when it was changed or belongs to another list */
  decode(text: string, fingerprint: string): Position {
    const bytes =
      text.length <= MAX_LENGTH && /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url') : undefined
    if (bytes === undefined || bytes.length <= TAG_BYTES || bytes.toString('base64url') !== text) throw invalidCursor()
    const json = this.#opened(bytes)
    if (json === undefined) throw invalidCursor()
    // Ours, because the tag holds.
    const content = JSON.parse(json.toString('utf8')) as {
      v: number
      f: string
      k: Position['values']
      id: string
      d: 'n' | 'p'
    }
    if (content.f !== fingerprint) throw invalidCursor()
    return { values: content.k, id: content.id, backward: content.d === 'p' }
  }

  #opened(bytes: Buffer): Buffer | undefined {
    const tag = bytes.subarray(0, TAG_BYTES)
    for (const keys of this.#keys) {
      const decipher = createDecipheriv('aes-256-ctr', keys.cipher, tag)
      const json = Buffer.concat([decipher.update(bytes.subarray(TAG_BYTES)), decipher.final()])
      if (timingSafeEqual(tagOf(keys, json), tag)) return json
    }
    return undefined
  }
}

interface CursorKeys {
  readonly tag: Buffer
  readonly cipher: Buffer
}

function derived(key: Buffer): CursorKeys {
  if (key.length < 32) throw new RangeError('the cursor key needs 32 bytes')
  const of = (use: string) => Buffer.from(hkdfSync('sha256', key, '', `list cursor ${FORMAT}: ${use}`, 32))
  return { tag: of('tag'), cipher: of('cipher') }
}

function tagOf({ tag }: CursorKeys, json: Uint8Array): Buffer {
  return createHmac('sha256', tag).update(json).digest().subarray(0, TAG_BYTES)
}

/** One that the list did not make. */
export function invalidCursor(): AppError {
  return new AppError(
    'invalid-cursor',
    'The cursor was changed, or belongs to another filter, sort or key; start from the first page',
    { errors: [{ parameter: 'cursor', code: 'invalid' }] },
  )
}
