import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { sha256Hex } from '../manifest.ts'
import { partKey } from '../object-keys.ts'
import { checkTail } from '../parquet/read.ts'
import type { Batch } from '../parquet/scanner.ts'
import { type FileFacts, ParquetWriter } from '../parquet/writer.ts'
import { base64OfHex, MultipartSink, type PartSlots } from '../storage/multipart-sink.ts'
import type { ControlRows } from './control-rows.ts'
import type { Lake } from './lake.ts'
import type { SourceFacts } from './source.ts'

/** A finished, invisible file: what the encoder says of it. */
export interface WrittenFile {
  readonly key: string
  readonly facts: FileFacts
}

export interface TableFilesOptions {
  readonly lake: Lake
  readonly rows: ControlRows
  readonly contract: TableContract
  readonly facts: SourceFacts
  readonly slots: PartSlots
  /** Which reader these files come from. */
  readonly reader: number
  /** Every sink that was opened, so that a failed run can abort all. */
  readonly sinks: MultipartSink[]
}

/**
 * The files of one table from one reader, one after another. A file ends at the row-group boundary that passes the target size;
 * its last parts are sent while the next file or table is read. An empty table gives one file without rows.
 */
export class TableFiles {
  readonly #o: TableFilesOptions
  readonly #finished: Promise<WrittenFile>[] = []
  #writer: ParquetWriter | undefined
  #sink: MultipartSink | undefined
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
    const { contract, lake, reader, rows, slots } = this.#o
    const number = this.#finished.length
    const key = partKey(contract.name, rows.snapshotId, reader, number)
    const uploadId = await lake.bucket.createUpload(key, rows.snapshotId)
    await rows.openUpload(key, contract.name, uploadId)
    this.#sink = new MultipartSink({
      bucket: lake.bucket,
      key,
      uploadId,
      partBytes: lake.settings.partBytes,
      slots,
    })
    this.#o.sinks.push(this.#sink)
    this.#writer = this.#newWriter(this.#sink, number)
  }

  append(batch: Batch): void {
    this.#current.append(batch)
    this.#rows += batch.rows
  }

  async drained(): Promise<void> {
    await this.#current.drained()
    if (this.#isFull) {
      await this.#closeFile()
      await this.open()
    }
  }

  /** Ends the last file. @returns the files; each resolves when S3 has acknowledged all its parts. */
  async close(): Promise<readonly Promise<WrittenFile>[]> {
    await this.#current.drained()
    await this.#closeFile()
    return this.#finished
  }

  get #current(): ParquetWriter {
    if (!this.#writer) throw new Error('No file is open')
    return this.#writer
  }

  get #isFull(): boolean {
    const { bytes, rowGroups } = this.#current
    return rowGroups > 0 && bytes >= this.#o.lake.settings.fileTargetBytes
  }

  #newWriter(sink: MultipartSink, number: number): ParquetWriter {
    const { contract, facts, lake, rows } = this.#o
    const { settings, software } = lake
    return new ParquetWriter({
      table: contract.table,
      columns: contract.columns,
      keyNames: contract.primaryKey,
      codec: settings.codec,
      rowGroupRows: settings.rowGroupRows,
      rowGroupBytes: settings.rowGroupBytes,
      pseudonymKey: settings.pseudonymKey,
      metadata: {
        'rocketgames.snapshot_id': rows.snapshotId,
        'rocketgames.table': contract.name,
        'rocketgames.contract_version': String(contract.version),
        'rocketgames.fingerprint': contract.fingerprint,
        'rocketgames.taken_at': facts.taken_at,
        'rocketgames.wal_lsn': facts.wal_lsn,
        'rocketgames.part': String(number),
        'rocketgames.pseudonym_key_version': String(settings.pseudonymKeyVersion),
      },
      createdBy: `rocketgames-accounts version ${software.version} (build ${software.gitSha ?? 'unknown'})`,
      sink,
    })
  }

  async #closeFile(): Promise<void> {
    const sink = this.#sink
    if (!sink) throw new Error('No file is open')
    const facts = await this.#current.close()
    this.#bytes += facts.bytes
    this.#writer = undefined
    this.#sink = undefined
    const finished = this.#finish(sink, facts)
    // Whoever collects the files hears of a failure; until then it must not count as unhandled.
    finished.catch(() => undefined)
    this.#finished.push(finished)
  }

  async #finish(sink: MultipartSink, facts: FileFacts): Promise<WrittenFile> {
    const { contract, rows } = this.#o
    const parts = await sink.finish()
    this.#o.lake.measurements.partsSent += parts.length
    const uploaded = parts.reduce((sum, part) => sum + part.bytes, 0)
    if (uploaded !== facts.bytes || sink.bytes !== facts.bytes) {
      throw new LakeProblem('count_mismatch', `${sink.key}: ${facts.bytes} bytes were encoded, ${uploaded} uploaded`, {
        table: contract.table,
        key: sink.key,
      })
    }
    this.#checkFooter(sink.key, facts)
    await rows.finishUpload(sink.key, {
      parts,
      bytes: facts.bytes,
      rows: facts.rows,
      crc32: base64OfHex(facts.crc32),
      sha256: facts.sha256,
      tailBytes: facts.tail.length,
      tailSha256: facts.tailSha256,
    })
    return { key: sink.key, facts }
  }

  /** Opens the footer with another reader than the one that wrote it. */
  #checkFooter(key: string, facts: FileFacts): void {
    const { contract } = this.#o
    try {
      const footer = checkTail(facts.tail, facts.bytes, contract.columns)
      if (
        footer.rows === facts.rows &&
        footer.rowGroups === facts.rowGroups &&
        sha256Hex(facts.tail) === facts.tailSha256
      )
        return
    } catch (error) {
      throw new LakeProblem(
        'footer_invalid',
        `The footer of ${key} is not valid`,
        { table: contract.table, key },
        error,
      )
    }
    throw new LakeProblem('count_mismatch', `The footer of ${key} counts other rows than the encoder`, {
      table: contract.table,
      key,
    })
  }
}
