import { randomUUID } from 'node:crypto'
import { closeSync, fsync as fsyncCallback, mkdirSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const fsync = promisify(fsyncCallback)

/**
 * The files that hold bytes, one flat folder. A blob has a random name that nobody knows until the index's commit names
 * it; so a file is written at its final name, and whatever the index does not name after a crash is an orphan.
 *
 * Order of a durable write: bytes, fsync of the file, `syncFolder`, then the index. A blob the index names never changes.
 */
export class BlobFolder {
  readonly #folder: string
  /** The folder itself, open for fsync. */
  readonly #descriptor: number
  readonly #removing = new Set<Promise<void>>()
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    this.#descriptor = openSync(folder, 'r')
  }

  newId(): string {
    return randomUUID()
  }

  path(blob: string): string {
    return join(this.#folder, blob)
  }

  create(blob: string): Promise<FileHandle> {
    return open(this.path(blob), 'wx', 0o600)
  }

  /** A second name of the same bytes; durable after `syncFolder`. */
  link(from: string, to: string): Promise<void> {
    return link(this.path(from), this.path(to))
  }

  async takeOver(path: string, blob: string): Promise<void> {
    await rename(path, this.path(blob))
  }

  /** Makes names in the folder durable. Callers that come while one sync runs share the next: it covers all of them. */
  syncFolder(): Promise<void> {
    if (this.#syncing === undefined) return this.#startSync()
    this.#nextSync ??= this.#syncing.then(
      () => this.#startSync(),
      () => this.#startSync(),
    )
    return this.#nextSync
  }

  #startSync(): Promise<void> {
    this.#nextSync = undefined
    const settled = fsync(this.#descriptor).finally(() => {
      if (this.#syncing === settled) this.#syncing = undefined
    })
    this.#syncing = settled
    return settled
  }

  /** Removes files that the index no longer names. A failure leaves an orphan for the next start, so it is no error. */
  remove(blobs: Iterable<string>): void {
    for (const blob of blobs) {
      const removal = unlink(this.path(blob)).catch(() => {})
      this.#removing.add(removal)
      void removal.finally(() => this.#removing.delete(removal))
    }
  }

  /** Waits for removals under way. */
  async close(): Promise<void> {
    await Promise.all(this.#removing)
    closeSync(this.#descriptor)
  }

  /** Removes every file that `isNamed` does not know; for start-up, before anything is served. Returns their number. */
  sweep(isNamed: (blob: string) => boolean): number {
    let removed = 0
    for (const blob of readdirSync(this.#folder)) {
      if (isNamed(blob)) continue
      unlinkSync(this.path(blob))
      removed++
    }
    return removed
  }
}
