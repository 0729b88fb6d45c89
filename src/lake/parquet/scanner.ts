/**
 * PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"): where each field of each row lies, without an object
 * per value.
 */

/** Most rows of one batch. */
export const BATCH_ROWS = 1024

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8

/**
 * Up to 1,024 rows. Field `f` of row `r` lies at `pos[f * 1024 + r]`, `len[…]` bytes long; −1 is NULL. Everything is valid only
 * during the call that hands it over. An encoder may set a `len` to −1: it then counts as NULL.
 */
export interface Batch {
  buf: Buffer
  view: DataView
  pos: Int32Array
  len: Int32Array
  rows: number
}

/** The stream is not what COPY sends: cut off, of another width, or with bytes after its end. */
export class CopyFormatError extends Error {
  override readonly name = 'CopyFormatError'
}

/** Tuples of one COPY, gathered in batches. What both scanners share. */
class TupleBatch {
  readonly batch: Batch
  readonly #fields: number
  readonly #onBatch: (batch: Batch) => void
  rows = 0
  ended = false

  constructor(fields: number, onBatch: (batch: Batch) => void) {
    this.#fields = fields
    this.#onBatch = onBatch
    const empty = Buffer.alloc(0)
    this.batch = {
      buf: empty,
      view: new DataView(empty.buffer, empty.byteOffset, 0),
      pos: new Int32Array(fields * BATCH_ROWS),
      len: new Int32Array(fields * BATCH_ROWS),
      rows: 0,
    }
  }

  use(buf: Buffer, view: DataView): void {
    this.batch.buf = buf
    this.batch.view = view
  }

  /**
   * Takes the tuple or trailer at `at`.
   *
   * @returns where it ends; −1 when `end` comes before that.
   */
  take(at: number, end: number): number {
    if (this.ended) throw new CopyFormatError('COPY sent bytes after its trailer')
    if (at + 2 > end) return -1
    const { view, pos, len } = this.batch
    const fields = view.getInt16(at)
    if (fields !== this.#fields) return this.#other(fields, at)
    let p = at + 2
    const last = this.batch.rows + fields * BATCH_ROWS
    for (let i = this.batch.rows; i < last; i += BATCH_ROWS) {
      if (p + 4 > end) return -1
      const bytes = view.getInt32(p)
      p += 4
      if (bytes > 0) {
        if (p + bytes > end) return -1
      } else if (bytes < -1) throw new CopyFormatError(`COPY sent a field of length ${bytes}`)
      pos[i] = p
      len[i] = bytes
      if (bytes > 0) p += bytes
    }
    if (++this.batch.rows === BATCH_ROWS) this.flush()
    return p
  }

  #other(fields: number, at: number): number {
    if (fields !== -1) throw new CopyFormatError(`COPY sent ${fields} fields in a row, expected ${this.#fields}`)
    this.ended = true
    return at + 2
  }

  /** Hands over what is gathered: before the buffer changes. */
  flush(): void {
    const { rows } = this.batch
    if (rows === 0) return
    this.rows += rows
    try {
      this.#onBatch(this.batch)
    } finally {
      this.batch.rows = 0
    }
  }
}

/** Length of the header at `at`; −1 when it is not whole yet. */
function headerEnd(buf: Buffer, at: number, end: number): number {
  if (end - at < HEADER_BYTES) return -1
  if (SIGNATURE.compare(buf, at, at + SIGNATURE.length) !== 0) {
    throw new CopyFormatError('COPY did not begin with its signature')
  }
  const flags = buf.readInt32BE(at + SIGNATURE.length)
  if (flags !== 0) throw new CopyFormatError(`COPY set flags that are not known: ${flags}`)
  const extension = buf.readInt32BE(at + SIGNATURE.length + 4)
  if (extension < 0) throw new CopyFormatError('COPY sent a header extension of negative length')
  return end - at < HEADER_BYTES + extension ? -1 : at + HEADER_BYTES + extension
}

/**
 * Rows of a COPY whose chunks are cut anywhere, as `pg-copy-streams` gives them. The rest of an incomplete row is kept as a list
 * of chunks and joined once, when it is whole: joining at every chunk would be quadratic for values of many megabytes.
 */
export class CopyScanner {
  readonly #tuples: TupleBatch
  #started = false
  #rest: Buffer[] = []
  #restBytes = 0
  /** The rest is not worth joining before it has this many bytes. */
  #wanted = 0

  constructor(fieldCount: number, onBatch: (batch: Batch) => void) {
    this.#tuples = new TupleBatch(fieldCount, onBatch)
  }

  /** The chunk belongs to the scanner until the next call. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#restBytes > 0 && this.#restBytes + chunk.length < this.#wanted) {
      this.#keep(chunk)
      return
    }
    const buf = this.#restBytes > 0 ? Buffer.concat([...this.#rest, chunk]) : chunk
    this.#rest = []
    this.#restBytes = 0
    this.#wanted = 0
    const used = this.#scan(buf)
    if (used < buf.length) this.#keepFrom(buf, used)
  }

  #scan(buf: Buffer): number {
    let at = 0
    if (!this.#started) {
      const end = headerEnd(buf, 0, buf.length)
      if (end < 0) return 0
      this.#started = true
      at = end
    }
    const tuples = this.#tuples
    tuples.use(buf, new DataView(buf.buffer, buf.byteOffset, buf.length))
    while (at < buf.length) {
      const next = tuples.take(at, buf.length)
      if (next < 0) break
      at = next
    }
    tuples.flush()
    return at
  }

  #keepFrom(buf: Buffer, at: number): void {
    // A large value says how long it is: wait for all of it before joining again.
    const pending = buf.length - at
    this.#wanted = Math.min(2 * pending, pending + (1 << 24))
    this.#keep(Buffer.from(buf.subarray(at)))
  }

  #keep(chunk: Buffer): void {
    this.#rest.push(chunk)
    this.#restBytes += chunk.length
  }

  /** @returns the rows. @throws CopyFormatError unless the trailer was seen, and seen last. */
  end(): number {
    if (this.#restBytes > 0 && this.#tuples.ended) throw new CopyFormatError('COPY sent bytes after its trailer')
    if (this.#restBytes > 0 && this.#wanted > 0) this.#settle()
    if (!this.#tuples.ended) throw new CopyFormatError('COPY ended without its trailer: the stream was cut off')
    return this.#tuples.rows
  }

  /** Chunks that were held back because more was expected may hold whole rows. */
  #settle(): void {
    const buf = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    if (this.#scan(buf) < buf.length && !this.#tuples.ended) {
      throw new CopyFormatError('COPY ended within a row: the stream was cut off')
    }
  }
}

export { headerEnd, TupleBatch }
