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
const UUID_WORDS = Int32Array.of(36, 0, 0, 0, 0, 0, 0, 0, 0, 0)

function hex(byte: number | undefined): number {
  return HEX[byte as number] as number
}

/**
 * The 36 characters as nine little-endian words behind their length: written and summed without touching single characters.
 * Dashes stand at 8, 13, 18 and 23, so the digits of bytes 5 and 8 fall into two words each.
 */
function uuidWords(buf: Buffer, p: number, words: Int32Array): void {
  const fifth = hex(buf[p + 5])
  const eighth = hex(buf[p + 8])
  words[1] = hex(buf[p]) | (hex(buf[p + 1]) << 16)
  words[2] = hex(buf[p + 2]) | (hex(buf[p + 3]) << 16)
  words[3] = DASH | (hex(buf[p + 4]) << 8) | (fifth << 24)
  words[4] = (fifth >> 8) | (DASH << 8) | (hex(buf[p + 6]) << 16)
  words[5] = hex(buf[p + 7]) | (DASH << 16) | (eighth << 24)
  words[6] = (eighth >> 8) | (hex(buf[p + 9]) << 8) | (DASH << 24)
  words[7] = hex(buf[p + 10]) | (hex(buf[p + 11]) << 16)
  words[8] = hex(buf[p + 12]) | (hex(buf[p + 13]) << 16)
  words[9] = hex(buf[p + 14]) | (hex(buf[p + 15]) << 16)
}

/** uuid -> 36 lower-case characters, since Athena's tables have no uuid type. */
export class UuidColumn extends ByteColumn {
  protected override values(batch: Batch, base: number): void {
    const { buf, pos, len, rows } = batch
    this.room(rows * 40)
    this.bounds(batch, base, 0)
    const { outView, sum } = this
    const words = UUID_WORDS
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
      uuidWords(buf, p, words)
      for (let w = 0; w < 10; w++) {
        const word = words[w] as number
        outView.setInt32(used + w * 4, word, true)
        a = (a + word) | 0
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
  readonly #idWords = new Int32Array(this.#ids.buffer)

  constructor(options: EncoderOptions, key: Buffer) {
    super(options)
    // ECB of single blocks is exactly the permutation that is wanted; blocks do not depend on each other.
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  }

  protected override values(batch: Batch, base: number): void {
    const { view, pos, len, rows } = batch
    this.room(rows * 36)
    const idWords = this.#idWords
    let ids = 0
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes < 0) continue
      if (bytes !== 16) this.wrongWidth(bytes)
      const p = pos[i] as number
      idWords[ids] = view.getInt32(p, true)
      idWords[ids + 1] = view.getInt32(p + 4, true)
      idWords[ids + 2] = view.getInt32(p + 8, true)
      idWords[ids + 3] = view.getInt32(p + 12, true)
      ids += 4
    }
    const blocks = this.#cipher.update(this.#ids.subarray(0, ids * 4))
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
      outView.setInt32(used, 32, true)
      a = (a + 32) | 0
      b = (b + a) | 0
      for (let w = 0; w < 8; w++) {
        const word = hex(blocks[at + 2 * w]) | (hex(blocks[at + 2 * w + 1]) << 16)
        outView.setInt32(used + 4 + w * 4, word, true)
        a = (a + word) | 0
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
