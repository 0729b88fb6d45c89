import type { FileHandle } from 'node:fs/promises'

const BATCH_BYTES = 1024 * 1024

/**
 * Writes a stream of pieces to a file from an offset on. One batch is written while the next is gathered, so a writer holds
 * at most two batches (2 MiB and a piece) however large the body is.
 */
export class BlobWriter {
  readonly #handle: FileHandle
  #position: number
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #writing: Promise<void> | undefined

  constructor(handle: FileHandle, position = 0) {
    this.#handle = handle
    this.#position = position
  }

  /** Resolves when there is room for more. The piece must not be changed afterwards. */
  async write(piece: Uint8Array): Promise<void> {
    this.#batch.push(piece)
    this.#batchBytes += piece.length
    if (this.#batchBytes >= BATCH_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    const position = this.#position
    this.#position += this.#batchBytes
    this.#batch = []
    this.#batchBytes = 0
    await this.#writing
    const writing = this.#writeAll(batch, position)
    // failed writes surface at the next await of the same promise; without a handler they would end the process before
    writing.catch(() => {})
    this.#writing = writing
  }

  async #writeAll(batch: Uint8Array[], position: number): Promise<void> {
    let rest = batch
    let at = position
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, at)
      at += bytesWritten
      rest = skip(rest, bytesWritten)
    }
  }

  /** Everything written and on the disk. */
  async finish(): Promise<void> {
    if (this.#batchBytes > 0) await this.#flush()
    await this.#writing
    await this.#handle.sync()
  }

  /** Waits until no write is under way, whatever became of it; then the file may be closed. */
  async abandon(): Promise<void> {
    this.#batch = []
    this.#batchBytes = 0
    await this.#writing?.catch(() => {})
  }
}

/** What is left of the pieces behind `bytes`. */
function skip(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  let index = 0
  while (index < pieces.length && left >= pieces[index]!.length) left -= pieces[index++]!.length
  const rest = pieces.slice(index)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}
