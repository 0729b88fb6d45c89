import { ColumnEncoder, type Compare, HEADROOM_BYTES, PAGE_BYTES, pageCapacity } from './column.ts'
import type { Batch } from './scanner.ts'

/** Readers take bytes as unsigned, the shorter one first: not the order of JavaScript's strings. */
const compareBytes: Compare = (a, b) => Buffer.compare(a, b)
/** A cut bound is no bound, and a long one bloats the footer: such a page goes without. */
export const LONGEST_BOUND_BYTES = 256

/** Of every column that has no value yet: what is written in front of it is read before anybody else writes there. */
const NO_BYTES = bytesWithHeadroom(0)

/** Common part of columns of byte strings: values with their length in front, bounds in byte order. */
export abstract class ByteColumn extends ColumnEncoder {
  override readonly compare = compareBytes
  protected override readonly hasHeadroom = true
  protected out = NO_BYTES
  protected outView = new DataView(this.out.buffer, this.out.byteOffset)
  protected used = 0
  #min: Buffer | undefined
  #max: Buffer | undefined

  /** Makes room for `bytes` more, and a few of slack for copies by words. */
  protected room(bytes: number): void {
    if (this.used + bytes + 8 <= this.out.length) return
    const larger = bytesWithHeadroom(pageCapacity(this.out.length, this.used + bytes + 8))
    this.out.copy(larger, 0, 0, this.used)
    this.out = larger
    this.outView = new DataView(larger.buffer, larger.byteOffset)
  }

  protected override size(): number {
    return this.used
  }

  protected override take(): Uint8Array {
    const values = this.out.subarray(0, this.used)
    this.used = 0
    // One huge value must not keep its memory for the rest of the table.
    if (this.out.length > 8 * PAGE_BYTES) {
      this.out = NO_BYTES
      this.outView = new DataView(this.out.buffer, this.out.byteOffset)
    }
    return values
  }

  /** Smallest and largest field of the batch, found in place: at most two copies a batch. */
  protected bounds(batch: Batch, base: number, skip: number): void {
    if (!this.column.stats) return
    const { buf, view, pos, len, rows } = batch
    let low = -1
    let lowBytes = 0
    let high = -1
    let highBytes = 0
    // First words of the bounds: a value whose own lies between them needs no closer look.
    let lowWord = Number.POSITIVE_INFINITY
    let highWord = Number.NEGATIVE_INFINITY
    for (let i = base; i < base + rows; i++) {
      const bytes = (len[i] as number) - skip
      if (bytes < 0) continue
      const p = (pos[i] as number) + skip
      if (bytes >= 4) {
        const word = view.getUint32(p)
        if (word > lowWord && word < highWord) continue
      }
      if (low < 0 || order(buf, view, p, bytes, low, lowBytes) < 0) {
        low = p
        lowBytes = bytes
        lowWord = bytes >= 4 ? view.getUint32(p) : Number.POSITIVE_INFINITY
      }
      if (high < 0 || order(buf, view, p, bytes, high, highBytes) > 0) {
        high = p
        highBytes = bytes
        highWord = bytes >= 4 ? view.getUint32(p) : Number.NEGATIVE_INFINITY
      }
    }
    if (low < 0) return
    this.seen(buf.subarray(low, low + lowBytes))
    this.seen(buf.subarray(high, high + highBytes))
  }

  /** A bound that is too long is kept with one byte too many: enough to be recognised, and to compare rightly. */
  protected seen(value: Uint8Array): void {
    if (!this.column.stats) return
    const kept = value.length > LONGEST_BOUND_BYTES ? value.subarray(0, LONGEST_BOUND_BYTES + 1) : value
    if (this.#min === undefined || Buffer.compare(kept, this.#min) < 0) this.#min = Buffer.from(kept)
    if (this.#max === undefined || Buffer.compare(kept, this.#max) > 0) this.#max = Buffer.from(kept)
  }

  protected override takeBounds(): readonly [Buffer, Buffer] | undefined {
    const [min, max] = [this.#min, this.#max]
    this.#min = undefined
    this.#max = undefined
    if (!min || !max || min.length > LONGEST_BOUND_BYTES || max.length > LONGEST_BOUND_BYTES) return undefined
    return [this.bound(min), this.bound(max)]
  }

  /** The bound as it is written, where values are written otherwise than sent. */
  protected bound(value: Buffer): Buffer {
    return value
  }
}

function bytesWithHeadroom(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(HEADROOM_BYTES + bytes).subarray(HEADROOM_BYTES)
}

/** Unsigned byte order of two ranges of one buffer; compares by words while they are equal. */
function order(buf: Buffer, view: DataView, p: number, pBytes: number, q: number, qBytes: number): number {
  const shared = pBytes < qBytes ? pBytes : qBytes
  let k = 0
  while (k + 4 <= shared && view.getUint32(p + k) === view.getUint32(q + k)) k += 4
  while (k < shared && buf[p + k] === buf[q + k]) k++
  return k < shared ? (buf[p + k] as number) - (buf[q + k] as number) : pBytes - qBytes
}
