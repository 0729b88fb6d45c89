import { createReadStream } from 'node:fs'
import { access, constants, type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { LakeProblem } from '../lake-problem.ts'
import { isSnapshotId } from '../object-keys.ts'
import type { ByteSink } from '../parquet/output.ts'

export interface SpoolOptions {
  /** `LAKE_SPOOL_DIR`. */
  readonly dir: string
  /** Lakes of several buckets may share a folder. */
  readonly bucket: string
  readonly snapshotId: string
  /** So much must be free at the start. */
  readonly leastFreeBytes: number
}

const MOST_WAITING_BYTES = 8 << 20
const READ_BYTES = 1 << 20

/**
 * Files on local disk on their way to S3, for a database that must be read faster than S3 takes. One folder per run, mode 0700, its
 * files 0600: they hold what the lake holds. The folder is removed when the run ends; what a crash left goes when the next one starts.
 */
export class Spool {
  readonly #folder: string
  readonly #files: SpoolFile[] = []
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Only under the lease: another run's folder would be removed.
   *
   * @throws LakeProblem `spool_unusable` or `spool_full`.
   */
  static async open({ bucket, dir, leastFreeBytes, snapshotId }: SpoolOptions): Promise<Spool> {
    await assertUsable(dir)
    await sweepSpool(dir, bucket)
    const { bavail, bsize } = await statfs(dir)
    if (bavail * bsize < leastFreeBytes) {
      throw new LakeProblem(
        'spool_full',
        `LAKE_SPOOL_DIR ${dir} has ${bavail * bsize} bytes free, fewer than one file needs (${leastFreeBytes}); make room`,
        { freeBytes: bavail * bsize, leastFreeBytes },
      )
    }
    const folder = path.join(dir, `${bucket}.${snapshotId}`)
    await mkdir(folder, { mode: 0o700 }).catch(named)
    return new Spool(folder)
  }

  /** Opens the file that a key will get. */
  async create(key: string): Promise<SpoolFile> {
    const name = path.join(this.#folder, key.replaceAll('/', '_'))
    const file = new SpoolFile(name, await open(name, 'wx', 0o600).catch(named), (work) => this.#inTurn(work))
    this.#files.push(file)
    return file
  }

  /** Removes every file; never throws. */
  async remove(): Promise<void> {
    await Promise.allSettled(this.#files.map((file) => file.close()))
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** Removes what processes that are gone left of this bucket's runs. Only under the lease. */
export async function sweepSpool(dir: string, bucket: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const id = name.startsWith(`${bucket}.`) ? name.slice(bucket.length + 1) : ''
    if (isSnapshotId(id)) await rm(path.join(dir, name), { recursive: true, force: true, maxRetries: 3 })
  }
}

async function assertUsable(dir: string): Promise<void> {
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error('it is no folder')
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LakeProblem('spool_unusable', `LAKE_SPOOL_DIR ${dir} cannot be written to: ${reason}`, { dir }, error)
  }
}

function named(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  throw new LakeProblem(
    full ? 'spool_full' : 'spool_unusable',
    full ? 'LAKE_SPOOL_DIR is full; make room, or unset it' : `LAKE_SPOOL_DIR failed: ${message}`,
    { errno: code ?? '' },
    error,
  )
}

/** One file of a spool: written once from start to end, then read once. */
export class SpoolFile implements ByteSink {
  readonly #path: string
  readonly #handle: FileHandle
  /** Runs the work when the files before this one are done. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  #waiting: Promise<void> = Promise.resolve()
  #waitingBytes = 0
  #closed: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #waiters: (() => void)[] = []

  constructor(file: string, handle: FileHandle, inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#path = file
    this.#handle = handle
    this.inTurn = inTurn
  }

  get busy(): boolean {
    return this.#failure === undefined && this.#waitingBytes > MOST_WAITING_BYTES
  }

  write(bytes: Uint8Array): void {
    this.#throwFailure()
    const copy = Buffer.from(bytes)
    this.#waitingBytes += copy.length
    this.#waiting = this.#waiting.then(() => this.#writeNow(copy))
  }

  async drained(): Promise<void> {
    while (this.busy) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    this.#throwFailure()
  }

  /** Resolves when the file is whole on disk. @throws LakeProblem `spool_full` or `spool_unusable`. */
  async close(): Promise<void> {
    await this.#waiting
    this.#closed ??= this.#handle.close().catch((error: unknown) => this.#fail(error))
    await this.#closed
    this.#throwFailure()
  }

  async *read(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of createReadStream(this.#path, { highWaterMark: READ_BYTES })) yield chunk as Buffer
    } catch (error) {
      named(error)
    }
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true }).catch(named)
  }

  async #writeNow(bytes: Buffer): Promise<void> {
    if (this.#failure === undefined) await this.#handle.appendFile(bytes).catch((error: unknown) => this.#fail(error))
    this.#waitingBytes -= bytes.length
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
  }

  #throwFailure(): void {
    if (this.#failure) named(this.#failure.error)
  }
}
