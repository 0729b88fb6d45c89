import { createHash } from 'node:crypto'
import type { ExportColumn, KeyField } from '../contract.ts'
import { boundText } from './bound-text.ts'
import { type CodecName, codec } from './codecs.ts'
import type { ColumnEncoder, PageBody, PageTarget, UnrepresentableReason } from './column.ts'
import { encoderFor } from './encoders.ts'
import { Envelope, page } from './envelope.ts'
import { type ByteSink, Output } from './output.ts'
import { type Chunk, chunkBounds, type Page } from './page.ts'
import { PageBlocks } from './page-blocks.ts'
import { NullValueError, rowKey, UnrepresentableValueError } from './row-problem.ts'
import { BATCH_ROWS, type Batch, rowsOf } from './scanner.ts'

export type { ByteSink } from './output.ts'

export interface ParquetWriterOptions {
  /** Postgres table, for errors. */
  readonly table: string
  readonly columns: readonly ExportColumn[]
  /** The primary key, for error texts; its fields may follow the exported ones. */
  readonly key: readonly KeyField[]
  readonly codec: CodecName
  readonly rowGroupRows: number
  /** Of page bodies before compression. */
  readonly rowGroupBytes: number
  /** 32 bytes. */
  readonly pseudonymKey: Buffer
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
  readonly createdBy: string
  readonly sink: ByteSink
  /** Finished bytes that may wait for the sink before the writer is busy; default 32 MiB. */
  readonly mostWaitingBytes?: number | undefined
  /** Default true. */
  readonly dictionary?: boolean
}

export interface ColumnFacts {
  readonly nulls: number
  /** Column sum, 16 hex digits. */
  readonly sum: string
  /** Bounds of the file as text; absent without statistics. */
  readonly min?: string
  readonly max?: string
}

/** What the manifest says of a finished file. */
export interface FileFacts {
  readonly rows: number
  readonly bytes: number
  readonly rowGroups: number
  /** Of the whole file, 8 hex digits. */
  readonly crc32: string
  /** Of the whole file, 64 hex digits. */
  readonly sha256: string
  /** From the start of the footer to the end of the file. */
  readonly tail: Buffer
  readonly tailSha256: string
  readonly columns: Readonly<Record<string, ColumnFacts>>
  /** By column and reason; only columns that turn such values into NULL. */
  readonly unrepresentable: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** From this limit on a row group ends with a batch, up to 1,023 rows early: a caller can then change files there. */
const WHOLE_BATCHES_FROM_ROWS = 16 * BATCH_ROWS

/**
 * One Parquet file from batches of COPY rows. Pages are compressed as they fill; the compressed pages of one row group are held
 * and written when it is full. The next row group fills while the sink takes the last one.
 *
 * Memory: the open page of each column (about 1 MiB, or the largest value), the compressed pages of one row group, and 32 MiB plus
 * one row group that wait for the sink.
 */
export class ParquetWriter {
  readonly #options: ParquetWriterOptions
  readonly #encoders: readonly ColumnEncoder[]
  readonly #envelope: Envelope
  readonly #output: Output
  readonly #bounds: (readonly [Buffer, Buffer] | undefined)[]
  /** Columns of which a chunk with values had no bounds: the file has none either. */
  readonly #unbounded = new Set<number>()
  readonly #unrepresentable: Record<string, Record<string, number>> = {}
  #pages: Page[][]
  /** Where the pages of the open row group lie; undefined before its first. */
  #blocks: PageBlocks | undefined
  /** Those of row groups that the sink has copied. */
  readonly #freeBlocks: PageBlocks[] = []
  #groupRows = 0
  #groupBytes = 0
  #lastSection: Buffer = Buffer.alloc(0)

  constructor(options: ParquetWriterOptions) {
    this.#options = options
    const { columns, createdBy, rowGroupRows } = options
    if (!(rowGroupRows >= 1)) throw new RangeError(`rowGroupRows is ${rowGroupRows}; it must be at least 1`)
    this.#output = new Output(options.sink, options.mostWaitingBytes)
    this.#envelope = new Envelope({
      columns,
      codec: codec(options.codec),
      createdBy,
      write: (bytes) => {
        this.#lastSection = bytes
        this.#output.write(bytes)
      },
    })
    this.#pages = columns.map(() => [])
    this.#bounds = columns.map(() => undefined)
    this.#encoders = columns.map((column, index) => this.#encoder(column, index))
    this.#envelope.writeHeader()
  }

  #encoder(column: ExportColumn, index: number): ColumnEncoder {
    const { pseudonymKey, dictionary = true } = this.#options
    if (column.onUnrepresentable === 'null')
      this.#unrepresentable[column.name] = { infinity: 0, bc: 0, out_of_range: 0, nan: 0 }
    return encoderFor(
      {
        index,
        column,
        target: this.#target,
        reject: (batch, row, reason) => this.#reject(column, batch, row, reason),
        refuseNull: (batch, row) => {
          throw new NullValueError(this.#place(column, batch, row))
        },
      },
      { pseudonymKey, dictionary },
    )
  }

  readonly #target: PageTarget = {
    data: (column, body) => this.#addPage(column, body),
    dictionary: (column, body, entries) => {
      this.#groupBytes += body.length
      const facts = {
        rows: 0,
        nulls: 0,
        isDictionary: true,
        encoding: 'PLAIN_DICTIONARY',
        min: undefined,
        max: undefined,
      } as const
      this.#pages[column]?.push(page(codec(this.#options.codec), this.#openBlocks(), body, { ...facts, entries }))
    },
  }

  #openBlocks(): PageBlocks {
    this.#blocks ??= this.#freeBlocks.pop() ?? new PageBlocks()
    return this.#blocks
  }

  #addPage(column: number, { body, ...facts }: PageBody): void {
    this.#groupBytes += body.length
    this.#pages[column]?.push(
      page(codec(this.#options.codec), this.#openBlocks(), body, { ...facts, isDictionary: false }),
    )
  }

  #place(column: ExportColumn, batch: Batch, row: number) {
    const { key, table } = this.#options
    return { table, column: column.source, key: rowKey(batch, row, key) }
  }

  #reject(column: ExportColumn, batch: Batch, row: number, reason: UnrepresentableReason): void {
    const counts = this.#unrepresentable[column.name]
    if (counts === undefined) throw new UnrepresentableValueError(this.#place(column, batch, row), reason)
    counts[reason] = (counts[reason] ?? 0) + 1
  }

  /** Rows in the file so far, those of the open row group included. */
  get rows(): number {
    return this.#envelope.rowCount + this.#groupRows
  }

  /** Bytes of the header and all closed row groups, those that wait for the sink included. */
  get bytes(): number {
    return this.#envelope.offset
  }

  /** Row groups that are closed. */
  get rowGroups(): number {
    return this.#envelope.rowGroups.length
  }

  /** Too much waits for the sink: append nothing more until `drained()`. */
  get busy(): boolean {
    return this.#output.busy
  }

  /** Resolves when the writer is not busy any more. @throws what the sink throws. */
  drained(): Promise<void> {
    return this.#output.drained()
  }

  /**
   * Fields of a batch: the exported columns in order, then the key.
   *
   * @throws UnrepresentableValueError, NullValueError: the file is lost then.
   */
  append(batch: Batch): void {
    this.#output.pump()
    const { rowGroupRows } = this.#options
    for (let from = 0; from < batch.rows; ) {
      const rows = Math.min(batch.rows - from, rowGroupRows - this.#groupRows)
      this.#encode(rowsOf(batch, from, rows))
      from += rows
    }
    const nextMightNotFit = this.#groupRows + BATCH_ROWS > rowGroupRows
    if (rowGroupRows >= WHOLE_BATCHES_FROM_ROWS && nextMightNotFit) this.#endRowGroup()
  }

  #encode(batch: Batch): void {
    for (let field = 0; field < this.#encoders.length; field++) this.#encoders[field]?.append(batch, field)
    this.#groupRows += batch.rows
    const { rowGroupRows, rowGroupBytes } = this.#options
    if (this.#groupRows >= rowGroupRows || this.#groupBytes >= rowGroupBytes) this.#endRowGroup()
  }

  #endRowGroup(): void {
    if (this.#groupRows === 0) return
    for (const encoder of this.#encoders) encoder.endRowGroup()
    const chunks: Chunk[] = this.#encoders.map(({ column, compare }, i) => ({
      column,
      compare,
      pages: this.#pages[i] as Page[],
    }))
    for (const [i, chunk] of chunks.entries()) this.#widenBounds(i, chunk)
    this.#envelope.writeChunks(this.#groupRows, chunks)
    this.#pages = this.#pages.map(() => [])
    const blocks = this.#openBlocks()
    this.#blocks = undefined
    this.#output.whenHandedOver(() => {
      blocks.clear()
      this.#freeBlocks.push(blocks)
    })
    this.#groupRows = 0
    this.#groupBytes = 0
    this.#output.pump()
  }

  #widenBounds(index: number, chunk: Chunk): void {
    if (!chunk.column.stats) return
    const bounds = chunkBounds(chunk)
    if (bounds === undefined) {
      if (chunk.pages.some((each) => each.nulls < each.rows)) this.#unbounded.add(index)
      return
    }
    const known = this.#bounds[index]
    const [min, max] = bounds
    this.#bounds[index] = [
      known && chunk.compare(known[0], min) < 0 ? known[0] : min,
      known && chunk.compare(known[1], max) > 0 ? known[1] : max,
    ]
  }

  /** Ends the file. Its last bytes are in the sink when this resolves, not necessarily beyond it. */
  async close(): Promise<FileFacts> {
    this.#endRowGroup()
    this.#envelope.writeEnd(this.#options.metadata)
    // The footer is the last section that was written.
    const tail = this.#lastSection
    const checksums = await this.#output.finish()
    return {
      rows: this.#envelope.rowCount,
      bytes: this.#envelope.offset,
      rowGroups: this.#envelope.rowGroups.length,
      ...checksums,
      tail,
      tailSha256: createHash('sha256').update(tail).digest('hex'),
      columns: Object.fromEntries(
        this.#encoders.map((encoder, i) => [encoder.column.name, this.#columnFacts(encoder, i)]),
      ),
      unrepresentable: this.#unrepresentable,
    }
  }

  #columnFacts({ column, nulls, sum }: ColumnEncoder, index: number): ColumnFacts {
    const bounds = this.#unbounded.has(index) ? undefined : this.#bounds[index]
    const facts = { nulls, sum: sum.toString() }
    if (!bounds) return facts
    return { ...facts, min: boundText(column, bounds[0]), max: boundText(column, bounds[1]) }
  }
}
