import { BATCH_ROWS, type Batch } from './scanner.ts'
import { ColumnSum } from './sums.ts'

/** More distinct values, or longer ones, and a dictionary saves nothing. */
export const DICTIONARY_ENTRIES = 4096
const LONGEST_ENTRY_BYTES = 512
const SLOTS = DICTIONARY_ENTRIES * 4

/**
 * The distinct values of a text column in one row group, and the index of each row's value. A hash table with open addressing
 * over the bytes themselves: no string is made.
 */
export class Dictionary {
  readonly #table = new Int32Array(SLOTS).fill(-1)
  readonly #offsets = new Int32Array(DICTIONARY_ENTRIES)
  readonly #lengths = new Int32Array(DICTIONARY_ENTRIES)
  /** First and last four bytes of each value. */
  readonly #firsts = new Int32Array(DICTIONARY_ENTRIES)
  readonly #lasts = new Int32Array(DICTIONARY_ENTRIES)
  /** Of each value's words: their number, their sum, and the sum of their prefix sums. */
  readonly #words = new Int32Array(DICTIONARY_ENTRIES)
  readonly #totals = new Int32Array(DICTIONARY_ENTRIES)
  readonly #prefixes = new Int32Array(DICTIONARY_ENTRIES)
  #bytes = Buffer.allocUnsafeSlow(1 << 13)
  #view = new DataView(this.#bytes.buffer)
  #used = 0
  #indexes = new Uint16Array(1 << 12)
  /** Distinct values. */
  entries = 0
  /** Values that are not NULL. */
  values = 0

  reset(): void {
    this.#table.fill(-1)
    this.#used = 0
    this.entries = 0
    this.values = 0
  }

  /** @returns false when a value is too long or too many are distinct; then nothing of this batch counts. */
  add(batch: Batch, base: number, skip: number, sum: ColumnSum): boolean {
    if (this.values + BATCH_ROWS > this.#indexes.length) {
      const larger = new Uint16Array(this.#indexes.length * 2)
      larger.set(this.#indexes)
      this.#indexes = larger
    }
    const { pos, len, rows } = batch
    const indexes = this.#indexes
    const [words, totals, prefixes] = [this.#words, this.#totals, this.#prefixes]
    let { a, b } = sum
    let at = this.values
    for (let i = base; i < base + rows; i++) {
      if ((len[i] as number) < 0) {
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      const bytes = (len[i] as number) - skip
      const entry = bytes > LONGEST_ENTRY_BYTES ? -1 : this.#find(batch, (pos[i] as number) + skip, bytes)
      if (entry < 0) return false
      indexes[at++] = entry
      // The words of a repeated value as one step.
      b = (b + Math.imul(words[entry] as number, a) + (prefixes[entry] as number)) | 0
      a = (a + (totals[entry] as number)) | 0
    }
    sum.a = a
    sum.b = b
    this.values = at
    return true
  }

  /** A value of up to 8 bytes is told by its length, its first and its last four bytes; only longer ones are compared byte by byte. */
  #find({ buf, view }: Batch, p: number, bytes: number): number {
    let first = 0
    let last = 0
    if (bytes >= 4) {
      first = view.getInt32(p)
      last = view.getInt32(p + bytes - 4)
    } else if (bytes > 0) {
      first = (buf[p] as number) | ((buf[p + (bytes >> 1)] as number) << 8) | ((buf[p + bytes - 1] as number) << 16)
    }
    let hash = Math.imul(first ^ Math.imul(last ^ bytes, 0x2c1b3c6d), 0x5bd1e995)
    for (let k = 4; k + 4 < bytes; k += 4) hash = Math.imul(hash ^ view.getInt32(p + k), 0x5bd1e995) ^ (hash >>> 15)
    hash ^= hash >>> 13
    hash = Math.imul(hash, 0x5bd1e995)
    hash ^= hash >>> 15
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const entry = this.#table[slot] as number
      if (entry < 0) return this.#insert(slot, first, last, buf, p, bytes)
      if (this.#firsts[entry] !== first || this.#lasts[entry] !== last || this.#lengths[entry] !== bytes) continue
      if (bytes <= 8 || this.#equals(entry, buf, view, p, bytes)) return entry
    }
  }

  #equals(entry: number, buf: Buffer, view: DataView, p: number, bytes: number): boolean {
    const at = this.#offsets[entry] as number
    let k = 4
    while (k + 4 <= bytes && this.#view.getInt32(at + k) === view.getInt32(p + k)) k += 4
    while (k < bytes && this.#bytes[at + k] === buf[p + k]) k++
    return k >= bytes
  }

  #insert(slot: number, first: number, last: number, buf: Buffer, p: number, bytes: number): number {
    if (this.entries === DICTIONARY_ENTRIES) return -1
    const entry = this.entries++
    if (this.#used + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2)
      this.#bytes.copy(larger, 0, 0, this.#used)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    buf.copy(this.#bytes, this.#used, p, p + bytes)
    this.#table[slot] = entry
    this.#firsts[entry] = first
    this.#lasts[entry] = last
    this.#offsets[entry] = this.#used
    this.#lengths[entry] = bytes
    this.#used += bytes
    const sum = new ColumnSum()
    sum.addBytes(this.entry(entry))
    this.#words[entry] = 1 + ((bytes + 3) >> 2)
    this.#totals[entry] = sum.a
    this.#prefixes[entry] = sum.b
    return entry
  }

  entry(index: number): Buffer {
    const at = this.#offsets[index] as number
    return this.#bytes.subarray(at, at + (this.#lengths[index] as number))
  }

  /** @param index counts the values that are not NULL. */
  value(index: number): Buffer {
    return this.entry(this.#indexes[index] as number)
  }

  /** The dictionary page: each value with its length in front (PLAIN). */
  page(): Buffer {
    const page = Buffer.allocUnsafe(this.#used + 4 * this.entries)
    let at = 0
    for (let entry = 0; entry < this.entries; entry++) {
      const value = this.entry(entry)
      at = page.writeUInt32LE(value.length, at)
      at += value.copy(page, at)
    }
    return page
  }

  /**
   * The data page's values: bit width, then all indexes in one bit-packed run (Encodings.md, "Dictionary Encoding"). No RLE runs:
   * parquetjs-lite's reader decodes those above 8 bits wrongly.
   */
  indexes(): Buffer {
    let width = 1
    while (1 << width < this.entries) width++
    const groups = (this.values + 7) >> 3
    const body = Buffer.allocUnsafe(8 + groups * width)
    let at = 0
    body[at++] = width
    let header = groups * 2 + 1
    for (; header > 127; header >>>= 7) body[at++] = (header & 127) | 128
    body[at++] = header
    let bits = 0
    let pending = 0
    for (let i = 0; i < groups * 8; i++) {
      pending |= (i < this.values ? (this.#indexes[i] as number) : 0) << bits
      bits += width
      while (bits >= 8) {
        body[at++] = pending & 255
        pending >>>= 8
        bits -= 8
      }
    }
    return body.subarray(0, at)
  }
}
