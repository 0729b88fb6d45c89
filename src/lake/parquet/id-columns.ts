import { createCipheriv } from 'node:crypto'
import { ByteColumn } from './byte-column.ts'
import type { EncoderOptions } from './column.ts'
import { BATCH_ROWS, type Batch } from './scanner.ts'

/** Two hex digits of a byte as one little-endian 16-bit word. */
const HEX = new Uint16Array(256)
for (let i = 0; i < 256; i++) {
  const [high, low] = i.toString(16).padStart(2, '0')
  HEX[i] = (high as string).charCodeAt(0) | ((low as string).charCodeAt(0) << 8)
}
const DASH = 45
/** Where the two digits of each byte stand in the 36 characters. */
const UUID_OFFSETS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]

/** uuid -> 36 lower-case characters, since Athena's tables have no uuid type. */
export class UuidColumn extends ByteColumn {
  protected override values(batch: Batch, base: number): void {
    const { buf, pos, len, rows } = batch
    this.room(rows * 40)
    this.bounds(batch, base, 0)
    const { out, outView, sum } = this
    let { used } = this
    let { a, b } = sum
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes !== 16) {
        if (bytes >= 0) this.wrongWidth(bytes)
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      const p = pos[i] as number
      outView.setUint32(used, 36, true)
      const text = used + 4
      out[text + 8] = out[text + 13] = out[text + 18] = out[text + 23] = DASH
      for (let k = 0; k < 16; k++) {
        outView.setUint16(text + (UUID_OFFSETS[k] as number), HEX[buf[p + k] as number] as number, true)
      }
      for (let w = used; w < used + 40; w += 4) {
        a = (a + outView.getInt32(w, true)) | 0
        b = (b + a) | 0
      }
      used += 40
    }
    this.used = used
    sum.a = a
    sum.b = b
  }

  protected override bound(value: Buffer): Buffer {
    return Buffer.from(value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
  }
}

/**
 * A person's uuid -> 32 hex digits of its AES-256 block under the lake key: a keyed permutation, so the same person has the same
 * value everywhere, two never collide, and nothing can be computed without the key. One call of the cipher per batch.
 */
export class PseudonymColumn extends ByteColumn {
  readonly #cipher: ReturnType<typeof createCipheriv>
  readonly #ids = Buffer.allocUnsafeSlow(BATCH_ROWS * 16)

  constructor(options: EncoderOptions, key: Buffer) {
    super(options)
    // ECB of single blocks is exactly the permutation that is wanted; blocks do not depend on each other.
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  }

  protected override values(batch: Batch, base: number): void {
    const { buf, pos, len, rows } = batch
    this.room(rows * 36)
    let ids = 0
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes < 0) continue
      if (bytes !== 16) this.wrongWidth(bytes)
      buf.copy(this.#ids, ids, pos[i] as number, (pos[i] as number) + 16)
      ids += 16
    }
    const blocks = this.#cipher.update(this.#ids.subarray(0, ids))
    const { outView, sum } = this
    let { used } = this
    let { a, b } = sum
    let at = 0
    for (let i = base; i < base + rows; i++) {
      if ((len[i] as number) < 0) {
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      outView.setUint32(used, 32, true)
      for (let k = 0; k < 16; k++) outView.setUint16(used + 4 + 2 * k, HEX[blocks[at + k] as number] as number, true)
      for (let w = used; w < used + 36; w += 4) {
        a = (a + outView.getInt32(w, true)) | 0
        b = (b + a) | 0
      }
      at += 16
      used += 36
    }
    this.used = used
    sum.a = a
    sum.b = b
  }
}

/** The pseudonym of one uuid, for tests and authorised look-ups. */
export function pseudonym(uuid: string, key: Buffer): string {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return cipher.update(Buffer.from(uuid.replaceAll('-', ''), 'hex')).toString('hex')
}
