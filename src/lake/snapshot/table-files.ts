import { keyFields, type TableContract } from '../contract.ts'
import type { Batch } from '../parquet/scanner.ts'
import { ParquetWriter } from '../parquet/writer.ts'
import type { FileOutlet } from './file-outlet.ts'
import { footerMetadata } from './footer-metadata.ts'
import type { SnapshotSettings } from './lake.ts'
import type { SourceFacts } from './source.ts'

export type EncodingSettings = Pick<
  SnapshotSettings,
  'codec' | 'fileTargetBytes' | 'pseudonymKeyVersion' | 'rowGroupBytes' | 'rowGroupRows'
> & {
  readonly pseudonymKey: Buffer
  /** Finished bytes that may wait for the outlet before reading stops; undefined: as the writer has it. */
  readonly mostWaitingBytes?: number
}

export interface TableFilesOptions {
  readonly contract: TableContract
  readonly snapshotId: string
  readonly facts: Pick<SourceFacts, 'taken_at' | 'wal_lsn'>
  readonly settings: EncodingSettings
  /** As the footer names the software. */
  readonly createdBy: string
  readonly outlet: FileOutlet
}

/**
 * The files of one table from one reader, one after another. A file ends at the row-group boundary that passes the target size;
 * its last parts are sent while the next file or table is read. An empty table gives one file without rows.
 */
export class TableFiles {
  readonly #o: TableFilesOptions
  #writer: ParquetWriter | undefined
  /** Of the open file. */
  #number = 0
  #rows = 0
  #bytes = 0

  constructor(options: TableFilesOptions) {
    this.#o = options
  }

  /** Rows given to the encoder so far. */
  get rows(): number {
    return this.#rows
  }

  /** Bytes of all files so far. */
  get bytes(): number {
    return this.#bytes + (this.#writer?.bytes ?? 0)
  }

  /** Reading has to stop: the encoder or the sink is at its memory bound, or the next file has to be opened. */
  get busy(): boolean {
    return this.#isFull || this.#current.busy
  }

  /** Opens the first file; before any row. */
  async open(): Promise<void> {
    this.#writer = await this.#newWriter()
  }

  append(batch: Batch): void {
    this.#current.append(batch)
    this.#rows += batch.rows
  }

  async drained(): Promise<void> {
    await this.#current.drained()
    if (this.#isFull) {
      await this.#closeFile()
      this.#number++
      this.#writer = await this.#newWriter()
    }
  }

  /** Ends the last file: all bytes are in the outlet. */
  async close(): Promise<void> {
    await this.#current.drained()
    await this.#closeFile()
  }

  get #current(): ParquetWriter {
    if (!this.#writer) throw new Error('No file is open')
    return this.#writer
  }

  get #isFull(): boolean {
    const { bytes, rowGroups } = this.#current
    return rowGroups > 0 && bytes >= this.#o.settings.fileTargetBytes
  }

  async #newWriter(): Promise<ParquetWriter> {
    const { contract, createdBy, facts, outlet, settings, snapshotId } = this.#o
    const number = this.#number
    return new ParquetWriter({
      table: contract.table,
      columns: contract.columns,
      key: keyFields(contract),
      codec: settings.codec,
      rowGroupRows: settings.rowGroupRows,
      rowGroupBytes: settings.rowGroupBytes,
      mostWaitingBytes: settings.mostWaitingBytes,
      pseudonymKey: settings.pseudonymKey,
      metadata: footerMetadata(
        { contract, facts, snapshotId, pseudonymKeyVersion: settings.pseudonymKeyVersion },
        number,
      ),
      createdBy,
      sink: await outlet.open(number),
    })
  }

  async #closeFile(): Promise<void> {
    const facts = await this.#current.close()
    this.#bytes += facts.bytes
    this.#writer = undefined
    this.#o.outlet.finish(this.#number, facts)
  }
}
