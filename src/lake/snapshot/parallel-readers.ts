import { availableParallelism } from 'node:os'
import type pg from 'pg'
import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { createdBy, encodingSettings, type ReaderContext } from './copy-context.ts'
import type { Lake, SnapshotSettings } from './lake.ts'
import type { ReaderData } from './reader-messages.ts'
import { ReaderThread } from './reader-thread.ts'
import { exportSnapshot } from './source.ts'
import type { TableProgress } from './table-progress.ts'
import { tableRanges } from './table-ranges.ts'
import { TableUploads, type WrittenFile } from './table-uploads.ts'

/** As many as fit into 350 MB. */
const USUAL_READERS = 2

/** How many readers share a large table: on two cores one reader is faster. */
export function readerCount(
  { readers }: Pick<SnapshotSettings, 'readers'>,
  cores: number = availableParallelism(),
): number {
  return readers ?? (cores > 2 ? USUAL_READERS : 1)
}

/** A table of which every row is on its way to S3. */
export interface ReadTable {
  /** As Postgres counted them. */
  readonly rows: number
  readonly files: readonly Promise<WrittenFile>[]
}

/** What a range is read with. */
interface RangeTask {
  readonly context: ReaderContext
  readonly contract: TableContract
  readonly holder: pg.Client
  readonly snapshot: string
  readonly progress: TableProgress
}

/**
 * The readers of large tables: each a thread with a connection, an encoder and files of its own, all of them in one snapshot that the
 * holder's transaction keeps. Opened before that transaction, so that an address which does not suit is refused before it.
 *
 * Memory grows by 40 to 50 MB with each reader, whatever the number of rows: 25 MB of its thread; its encoder's open pages; one row
 * group of 64 MiB divided by the readers (at least 16 MiB), compressed, which is gone before the next one begins; and 1 MiB under way
 * to the main thread. All readers together have as many parts under way as one has, and each its open part.
 */
export class ParallelReaders {
  readonly #lake: Lake
  readonly #threads: readonly ReaderThread[]
  readonly #instance: string

  private constructor(lake: Lake, threads: readonly ReaderThread[], instance: string) {
    this.#lake = lake
    this.#threads = threads
    this.#instance = instance
  }

  /**
   * Starts and connects the readers, and lets each import a snapshot for a trial.
   *
   * @param where `instance` is the one that the holder's connection reached.
   * @param signal ends the opening.
   * @throws LakeProblem `load_balanced_endpoint`, `pooler_in_transaction_mode` or `connection_lost`.
   */
  static async open(
    lake: Lake,
    count: number,
    holder: pg.Client,
    where: Pick<ReaderData, 'applicationName' | 'snapshotId'> & { readonly instance: string },
    signal: AbortSignal,
  ): Promise<ParallelReaders> {
    const data: ReaderData = {
      url: lake.sourceUrl,
      applicationName: where.applicationName,
      snapshotId: where.snapshotId,
      maxAgeMs: lake.settings.maxSnapshotAgeMs,
      createdBy: createdBy({ lake }),
    }
    const threads = Array.from({ length: count }, (_, i) => new ReaderThread(data, i))
    const readers = new ParallelReaders(lake, threads, where.instance)
    const stop = () => void readers.kill()
    signal.addEventListener('abort', stop)
    try {
      signal.throwIfAborted()
      await Promise.all(threads.map((thread) => readers.#connect(thread)))
      await readers.#tryAll(holder)
      return readers
    } catch (error) {
      await readers.kill()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  get count(): number {
    return this.#threads.length
  }

  /** Of the connections that are open now. */
  get pids(): readonly number[] {
    return this.#threads.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  }

  /**
   * Reads one table in the transaction of the holder, which locks it. A range whose connection breaks while the holder lives is read
   * again once, into files of other names.
   *
   * @throws the first problem; then every reader has ended, and no upload is under way any more but those that `context.sinks` names.
   */
  async read(
    context: ReaderContext,
    contract: TableContract,
    holder: pg.Client,
    progress: TableProgress,
  ): Promise<ReadTable> {
    const ranges = await tableRanges(holder, contract, this.#threads.length)
    const snapshot = await exportSnapshot(holder)
    const task: RangeTask = { context, contract, holder, snapshot, progress }
    const stop = () => void this.kill()
    context.signal.addEventListener('abort', stop)
    try {
      context.signal.throwIfAborted()
      const reading = ranges.map((range, i) => this.#readRange(task, range, i))
      // One that fails ends the others: the run's signal kills the threads and stops the uploads.
      for (const each of reading) each.catch((error: unknown) => context.fail(error))
      const settled = await Promise.allSettled(reading)
      context.signal.throwIfAborted()
      const parts = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      return { rows: parts.reduce((sum, part) => sum + part.rows, 0), files: parts.flatMap((part) => part.files) }
    } finally {
      context.signal.removeEventListener('abort', stop)
    }
  }

  /** Closes all connections. */
  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()))
  }

  async kill(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.kill()))
  }

  async #connect(thread: ReaderThread): Promise<void> {
    if ((await thread.connect()) === this.#instance) return
    throw new LakeProblem(
      'load_balanced_endpoint',
      'A reader reached another database instance than the connection that holds the snapshot; an endpoint that balances ' +
        'between readers cannot serve a snapshot, give it the address of one instance',
    )
  }

  async #tryAll(holder: pg.Client): Promise<void> {
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    try {
      const snapshot = await exportSnapshot(holder)
      await Promise.all(this.#threads.map((thread) => thread.try(snapshot)))
    } finally {
      await holder.query('ROLLBACK')
    }
  }

  async #readRange(task: RangeTask, range: string, reader: number): Promise<ReadTable> {
    const { context, contract, holder } = task
    const thread = this.#threads[reader] as ReaderThread
    const uploads = new TableUploads(context, contract, reader, this.count)
    try {
      return await this.#copy(task, thread, range, reader, uploads)
    } catch (error) {
      context.signal.throwIfAborted()
      if (!(error instanceof LakeProblem) || error.code !== 'connection_lost') throw error
      // Without the holder nobody can see that instant again.
      await holder.query('SELECT 1')
      this.#lake.logger.warn(
        { table: contract.table, reader },
        'the connection of a reader broke; its range is read again',
      )
      await uploads.abandon()
      await this.#connect(thread)
      const second = this.#threads.length + reader
      const again = new TableUploads(context, contract, second, this.count)
      return await this.#copy(task, thread, range, reader, again)
    }
  }

  async #copy(
    { context, contract, progress, snapshot }: RangeTask,
    thread: ReaderThread,
    range: string,
    reader: number,
    uploads: TableUploads,
  ): Promise<ReadTable> {
    const { taken_at, wal_lsn } = context.facts
    const settings = encodingSettings(context.lake.settings, this.#threads.length)
    const command = { contract, range, snapshot, facts: { taken_at, wal_lsn }, settings }
    const rows = await thread.copy(command, uploads, (count, bytes) => progress.report(reader, count, bytes))
    return { rows, files: uploads.written }
  }
}
