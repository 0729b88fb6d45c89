import type { ExportColumn } from '../contract.ts'
import { definitionLevels, NullBitmap } from './levels.ts'
import { BATCH_ROWS, type Batch, CopyFormatError, FIELD_STRIDE } from './scanner.ts'
import { ColumnSum } from './sums.ts'

/** A page body of about this size is closed at the next batch. */
export const PAGE_BYTES = 1 << 20

/**
 * So is a page of so many rows. Engines skip pages by their bounds, and all columns of a row together: a page of narrow values of 1 MiB
 * would be half a row group, and nothing could be skipped. Other writers have the same bound.
 */
export const PAGE_ROWS = 20 * BATCH_ROWS

/** Kept free in front of the values of an open page: definition levels of 262,144 rows and more go there without a copy of the page. */
export const HEADROOM_BYTES = 33_024

/** What an open page holds at most, unless one value or batch is larger. */
const FULL_PAGE_BYTES = PAGE_BYTES + 131_072
const SMALL_PAGE_BYTES = 65_536

/**
 * Size for the values of an open page that must hold `needed` bytes. Most tables are small, and every column of every file has a
 * page: one of full size for each would be hundreds of megabytes to clear and to collect.
 */
export function pageCapacity(current: number, needed: number): number {
  if (needed <= SMALL_PAGE_BYTES) return SMALL_PAGE_BYTES
  return needed <= FULL_PAGE_BYTES ? FULL_PAGE_BYTES : Math.max(current * 2, needed)
}

export type PageEncoding = 'PLAIN' | 'PLAIN_DICTIONARY'

/** A page of a column, not compressed yet. Bounds are encoded as statistics are: little-endian numbers, bytes of text. */
export interface PageBody {
  /** Reused for the next page: to be compressed or copied before the call returns. */
  readonly body: Buffer
  readonly rows: number
  readonly nulls: number
  readonly encoding: PageEncoding
  /** Undefined: only NULLs, or the column has no statistics. */
  readonly min: Buffer | undefined
  readonly max: Buffer | undefined
}

/** Where an encoder puts its pages: the row group that is being filled. */
export interface PageTarget {
  data(column: number, page: PageBody): void
  /** Before the data page that refers to it. */
  dictionary(column: number, body: Buffer, entries: number): void
}

/** Called for a value that Parquet or its readers cannot hold: throws, or counts it, and then it is NULL. */
export type Reject = (batch: Batch, row: number, reason: UnrepresentableReason) => void
export type UnrepresentableReason = 'infinity' | 'bc' | 'out_of_range' | 'nan'

export interface EncoderOptions {
  readonly index: number
  readonly column: ExportColumn
  readonly target: PageTarget
  readonly reject: Reject
  /** Called with the row of a NULL in a column that has none. */
  readonly refuseNull: (batch: Batch, row: number) => never
}

/** Order of encoded bounds, for the page index. */
export type Compare = (a: Buffer, b: Buffer) => number

/**
 * Encodes one column: fields of COPY batches become page bodies of definition levels and values. Keeps bounds of the open page,
 * and the column sum and null count of the whole file.
 */
export abstract class ColumnEncoder {
  readonly column: ExportColumn
  readonly sum = new ColumnSum()
  /** NULLs in the file so far, those of the open page included. */
  nulls = 0
  protected readonly index: number
  protected readonly target: PageTarget
  protected readonly reject: Reject
  readonly #refuseNull: EncoderOptions['refuseNull']
  /** Undefined for a column without NULLs. */
  protected readonly bitmap: NullBitmap | undefined
  /** Rows and NULLs of the open page. */
  protected pageRows = 0
  protected pageNulls = 0

  constructor({ index, column, target, reject, refuseNull }: EncoderOptions) {
    this.index = index
    this.column = column
    this.target = target
    this.reject = reject
    this.#refuseNull = refuseNull
    const hasNulls = column.nullable || column.onUnrepresentable === 'null'
    this.bitmap = hasNulls ? new NullBitmap() : undefined
  }

  abstract readonly compare: Compare
  /** Encodes the values and adds every row, NULL too, to the sum. */
  protected abstract values(batch: Batch, base: number): void
  /** Bytes of the open page's values. */
  protected abstract size(): number
  /** The values of the open page, valid until the next value is encoded; the next page begins. */
  protected abstract take(): Uint8Array
  /** Whether what `take()` returns has free bytes in front. */
  protected abstract readonly hasHeadroom: boolean
  /** Bounds of the open page, and a new beginning. */
  protected abstract takeBounds(): readonly [Buffer, Buffer] | undefined

  /** @param field position of the column in the batch. */
  append(batch: Batch, field: number): void {
    const base = field * FIELD_STRIDE
    const { len, rows } = batch
    // Before the values: a column that turns values into NULL may still not have NULLs of its own.
    if (!this.column.nullable) this.#requireValues(batch, base)
    this.values(batch, base)
    if (this.bitmap) {
      const nulls = this.bitmap.append(len, base, rows, this.pageRows)
      this.pageNulls += nulls
      this.nulls += nulls
    }
    this.pageRows += rows
    if (this.isFull()) this.flush()
  }

  #requireValues(batch: Batch, base: number): void {
    const { len, rows } = batch
    let signs = 0
    for (let i = base; i < base + rows; i++) signs |= len[i] as number
    if (signs >= 0) return
    for (let i = base; i < base + rows; i++) if ((len[i] as number) < 0) this.#refuseNull(batch, i - base)
  }

  /** The wire type is not the contract's: every byte would be read wrongly. */
  protected wrongWidth(bytes: number): never {
    throw new CopyFormatError(
      `${this.column.name}: COPY sent a field of ${bytes} bytes, which is no ${this.column.pgType}`,
    )
  }

  /** A page without a byte of values never is: only NULLs, or values that a dictionary still collects. */
  protected isFull(): boolean {
    const bytes = this.size()
    return bytes >= PAGE_BYTES || (bytes > 0 && this.pageRows >= PAGE_ROWS)
  }

  /** Hands over the open page. */
  flush(): void {
    if (this.pageRows === 0) return
    const values = this.take()
    this.emit(values, 'PLAIN', this.takeBounds(), this.hasHeadroom)
  }

  protected emit(
    values: Uint8Array,
    encoding: PageEncoding,
    bounds: readonly [Buffer, Buffer] | undefined,
    hasHeadroom: boolean,
  ): void {
    const { pageRows: rows, pageNulls: nulls } = this
    const levels = definitionLevels(this.bitmap?.bytes ?? NO_BITMAP, rows, nulls)
    const fits = hasHeadroom && levels.length <= HEADROOM_BYTES
    const body = fits ? inFront(levels, values) : Buffer.concat([levels, values])
    this.pageRows = 0
    this.pageNulls = 0
    const [min, max] = this.column.stats && bounds ? bounds : []
    this.target.data(this.index, { body, rows, nulls, encoding, min, max })
  }

  endRowGroup(): void {
    this.flush()
  }
}

const NO_BITMAP = new Uint8Array(0)

function inFront(levels: Buffer, values: Uint8Array): Buffer {
  const start = values.byteOffset - levels.length
  const body = Buffer.from(values.buffer as ArrayBuffer, start, levels.length + values.length)
  body.set(levels)
  return body
}

function wordsWithHeadroom(words: number): Int32Array {
  return new Int32Array(new ArrayBuffer(HEADROOM_BYTES + words * 4), HEADROOM_BYTES, words)
}

/** Of every column that has no value yet: what is written in front of it is read before anybody else writes there. */
const NO_WORDS = wordsWithHeadroom(0)

/** Common part of columns whose values have a fixed number of 32-bit words. */
export abstract class WordColumn extends ColumnEncoder {
  protected override readonly hasHeadroom = true
  protected out = NO_WORDS
  /** Words in the open page. */
  protected used = 0

  protected room(words: number): Int32Array {
    if (this.used + words > this.out.length) {
      const larger = wordsWithHeadroom(pageCapacity(this.out.length * 4, (this.used + words) * 4) >> 2)
      larger.set(this.out)
      this.out = larger
    }
    return this.out
  }

  protected override size(): number {
    return this.used * 4
  }

  protected override take(): Uint8Array {
    const values = new Uint8Array(this.out.buffer, HEADROOM_BYTES, this.used * 4)
    this.used = 0
    return values
  }
}
