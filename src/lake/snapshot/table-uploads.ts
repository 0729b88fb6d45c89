import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { sha256Hex } from '../manifest.ts'
import { partKey } from '../object-keys.ts'
import type { ByteSink } from '../parquet/output.ts'
import { checkTail } from '../parquet/read.ts'
import type { FileFacts } from '../parquet/writer.ts'
import { base64OfHex, MultipartSink } from '../storage/multipart-sink.ts'
import type { ReaderContext } from './copy-context.ts'
import type { FileOutlet } from './file-outlet.ts'
import { SpoolFile } from './spool.ts'

/** A finished, invisible file: what the encoder says of it. */
export interface WrittenFile {
  readonly key: string
  readonly facts: FileFacts
}

/**
 * The uploads of one table from one reader: opened under control rows, never completed here. With a spool a file is written to disk first
 * and uploaded when it is whole.
 */
export class TableUploads implements FileOutlet {
  readonly #context: ReaderContext
  readonly #contract: TableContract
  readonly #reader: number
  readonly #mostParts: number
  readonly #open = new Map<number, MultipartSink | SpoolFile>()
  readonly #uploads: MultipartSink[] = []
  readonly #written: Promise<WrittenFile>[] = []
  #abandoned = false

  /**
   * @param reader which reader the files come from: a part of their keys, so one that reads again has another number.
   * @param readers how many share the memory for parts.
   */
  constructor(context: ReaderContext, contract: TableContract, reader: number, readers = 1) {
    this.#context = context
    this.#contract = contract
    this.#reader = reader
    this.#mostParts = Math.max(0, Math.ceil((context.slots.limit + 1) / readers) - 1)
  }

  /** Of the finished files: each resolves when S3 has acknowledged all its parts. */
  get written(): readonly Promise<WrittenFile>[] {
    return this.#written
  }

  async open(number: number): Promise<ByteSink> {
    const key = this.#key(number)
    const { spool } = this.#context
    const sink = spool ? await spool.create(key) : await this.#openUpload(key)
    this.#open.set(number, sink)
    return sink
  }

  finish(number: number, facts: FileFacts): void {
    const sink = this.#open.get(number)
    if (!sink) throw new Error(`File ${number} is not open`)
    this.#open.delete(number)
    const written = sink instanceof SpoolFile ? this.#uploadSpooled(number, sink, facts) : this.#finish(sink, facts)
    // Whoever reads hears of a failure at once, also of one that an earlier file meets while a later one is read.
    written.catch((error: unknown) => {
      if (!this.#abandoned) this.#context.fail(error)
    })
    this.#written.push(written)
  }

  /** Ends every upload: what was read is read again, under other keys. */
  async abandon(): Promise<void> {
    this.#abandoned = true
    for (const sink of this.#uploads) sink.cancel()
    await Promise.allSettled(this.#written)
    for (const sink of this.#uploads) {
      await sink.abort()
      await this.#context.rows.markUpload(sink.key, 'aborted')
    }
  }

  #key(number: number): string {
    return partKey(this.#contract.name, this.#context.rows.snapshotId, this.#reader, number)
  }

  /** The upload's id is stored before its first part is sent. */
  async #openUpload(key: string): Promise<MultipartSink> {
    const { lake, rows, signal, sinks, slots } = this.#context
    signal.throwIfAborted()
    if (this.#abandoned) throw new LakeProblem('cancelled', `${key} is read again under another key`, { key })
    const uploadId = await lake.bucket.multipart.create(key, rows.snapshotId)
    await rows.openUpload(key, this.#contract.name, uploadId)
    const { partBytes } = lake.settings
    const mostParts = this.#mostParts
    const sink = new MultipartSink({ bucket: lake.bucket, key, uploadId, partBytes, slots, mostParts })
    sinks.push(sink)
    this.#uploads.push(sink)
    return sink
  }

  /** One file of the run after another: the disk is the buffer, memory is not. */
  async #uploadSpooled(number: number, file: SpoolFile, facts: FileFacts): Promise<WrittenFile> {
    await file.close()
    return file.inTurn(async () => {
      const sink = await this.#openUpload(this.#key(number))
      for await (const chunk of file.read()) {
        if (sink.busy) await sink.drained()
        sink.write(chunk)
      }
      const written = await this.#finish(sink, facts)
      await file.remove()
      return written
    })
  }

  async #finish(sink: MultipartSink, facts: FileFacts): Promise<WrittenFile> {
    const { lake, rows } = this.#context
    const parts = await sink.finish()
    lake.measurements.partsSent += parts.length
    const uploaded = parts.reduce((sum, part) => sum + part.bytes, 0)
    if (uploaded !== facts.bytes || sink.bytes !== facts.bytes) {
      throw new LakeProblem('count_mismatch', `${sink.key}: ${facts.bytes} bytes were encoded, ${uploaded} uploaded`, {
        table: this.#contract.table,
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
    const { columns, table } = this.#contract
    try {
      const footer = checkTail(facts.tail, facts.bytes, columns)
      if (
        footer.rows === facts.rows &&
        footer.rowGroups === facts.rowGroups &&
        sha256Hex(facts.tail) === facts.tailSha256
      )
        return
    } catch (error) {
      throw new LakeProblem('footer_invalid', `The footer of ${key} is not valid`, { table, key }, error)
    }
    throw new LakeProblem('count_mismatch', `The footer of ${key} counts other rows than the encoder`, { table, key })
  }
}
