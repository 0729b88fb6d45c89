import { ByteColumn } from './byte-column.ts'
import { type EncoderOptions, PAGE_BYTES } from './column.ts'
import { Dictionary } from './dictionary.ts'
import { BATCH_ROWS, type Batch, CopyFormatError, FIELD_STRIDE, rowsOf } from './scanner.ts'

/** Longer values are copied by `Buffer.copy`, shorter ones faster by words. */
const WORD_COPY_BYTES = 64
const JSONB_VERSION = 1

/**
 * text, enum, jsonb -> BYTE_ARRAY STRING. Begins with a dictionary; when it overflows, what was collected becomes PLAIN and the
 * column stays PLAIN for the rest of the file.
 */
export class TextColumn extends ByteColumn {
  #dictionary: Dictionary | undefined
  /** jsonb has a version byte in front. */
  readonly #skip: number

  constructor(options: EncoderOptions, useDictionary: boolean) {
    super(options)
    this.#skip = options.column.pgType === 'jsonb' ? 1 : 0
    this.#dictionary = useDictionary ? new Dictionary() : undefined
  }

  /** Rows of long values one page after another: the open page never grows far beyond its size or the largest value. */
  override append(batch: Batch, field: number): void {
    const { buf, len, rows } = batch
    if (buf.length < PAGE_BYTES) {
      super.append(batch, field)
      return
    }
    const base = field * FIELD_STRIDE
    let from = 0
    let bytes = 0
    for (let row = 0; row < rows; row++) {
      bytes += 4 + Math.max(0, len[base + row] as number)
      if (bytes < PAGE_BYTES && row < rows - 1) continue
      super.append(rowsOf(batch, from, row + 1 - from), field)
      from = row + 1
      bytes = 0
    }
  }

  protected override values(batch: Batch, base: number): void {
    if (this.#skip === 1) this.#checkVersions(batch, base)
    if (this.#dictionary) {
      if (this.#dictionary.add(batch, base, this.#skip, this.sum)) return
      this.#giveUp(this.#dictionary)
    }
    this.#plain(batch, base)
  }

  #checkVersions({ buf, pos, len, rows }: Batch, base: number): void {
    for (let i = base; i < base + rows; i++) {
      if ((len[i] as number) < 0) continue
      if ((len[i] as number) === 0 || buf[pos[i] as number] !== JSONB_VERSION) {
        throw new CopyFormatError(`${this.column.name}: Postgres sent jsonb of a version that is not known`)
      }
    }
  }

  /** Writes the rows that were collected as PLAIN pages. Their sums and NULLs are already counted. */
  #giveUp(dictionary: Dictionary): void {
    this.#dictionary = undefined
    const { bitmap, pageRows: rows } = this
    const present = bitmap?.bytes.slice(0, (rows + 7) >> 3)
    this.pageRows = 0
    this.pageNulls = 0
    const len = new Int32Array(BATCH_ROWS)
    let values = 0
    for (let from = 0; from < rows; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, rows - from)
      for (let i = 0; i < count; i++) {
        const row = from + i
        const isNull = present !== undefined && (((present[row >> 3] as number) >> (row & 7)) & 1) === 0
        len[i] = isNull ? -1 : 0
        if (!isNull) this.#write(dictionary.value(values++))
      }
      if (bitmap) this.pageNulls += bitmap.append(len, 0, count, this.pageRows)
      this.pageRows += count
      if (this.isFull()) this.flush()
    }
  }

  #write(value: Buffer): void {
    this.room(4 + value.length)
    this.outView.setUint32(this.used, value.length, true)
    value.copy(this.out, this.used + 4)
    this.used += 4 + value.length
    this.seen(value)
  }

  #plain(batch: Batch, base: number): void {
    const { buf, view, pos, len, rows } = batch
    const skip = this.#skip
    let total = 0
    for (let i = base; i < base + rows; i++) total += 4 + Math.max(0, len[i] as number)
    this.room(total)
    this.bounds(batch, base, skip)
    const { out, outView, sum } = this
    const lastWord = buf.length - 4
    let { used } = this
    let { a, b } = sum
    for (let i = base; i < base + rows; i++) {
      const bytes = (len[i] as number) - skip
      if ((len[i] as number) < 0) {
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      const p = (pos[i] as number) + skip
      outView.setUint32(used, bytes, true)
      used += 4
      // May write 3 bytes too many; the next value overwrites them.
      if (bytes <= WORD_COPY_BYTES && p + bytes <= lastWord) {
        for (let k = 0; k < bytes; k += 4) outView.setInt32(used + k, view.getInt32(p + k, true), true)
      } else buf.copy(out, used, p, p + bytes)
      a = (a + bytes) | 0
      b = (b + a) | 0
      const whole = bytes & ~3
      for (let k = 0; k < whole; k += 4) {
        a = (a + outView.getInt32(used + k, true)) | 0
        b = (b + a) | 0
      }
      if (whole < bytes) {
        const rest = 32 - (bytes - whole) * 8
        a = (a + ((outView.getInt32(used + whole, true) << rest) >>> rest)) | 0
        b = (b + a) | 0
      }
      used += bytes
    }
    this.used = used
    sum.a = a
    sum.b = b
  }

  protected override size(): number {
    return this.#dictionary ? 0 : super.size()
  }

  override endRowGroup(): void {
    const dictionary = this.#dictionary
    if (!dictionary) {
      super.endRowGroup()
      return
    }
    if (this.pageRows === 0) return
    // Only NULLs: a dictionary without entries is legal and puzzles readers.
    if (dictionary.entries === 0) {
      this.emit(Buffer.alloc(0), 'PLAIN', undefined, false)
      return
    }
    this.target.dictionary(this.index, dictionary.page(), dictionary.entries)
    for (let entry = 0; entry < dictionary.entries; entry++) this.seen(dictionary.entry(entry))
    this.emit(dictionary.indexes(), 'PLAIN_DICTIONARY', this.takeBounds(), false)
    dictionary.reset()
  }
}
