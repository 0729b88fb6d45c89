/**
 * PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"): where each field of each row lies, without an object
 * per value.
 */

/** Most rows of one batch. */
export const BATCH_ROWS = 1024
/**
 * From one field of a row to the next. Not 1,024: at distances of 4 KiB the fields of a row would take the same few lines of the
 * processor's cache from each other.
 */
export const FIELD_STRIDE = BATCH_ROWS + 16

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8

/**
 * Up to 1,024 rows. Field `f` of row `r` lies at `pos[f * FIELD_STRIDE + r]`, `len[…]` bytes long; −1 is NULL. Everything is valid only
 * during the call that hands it over. An encoder may set a `len` to −1: it then counts as NULL.
 */
export interface Batch {
  buf: Buffer
  view: DataView
  pos: Int32Array
  len: Int32Array
  rows: number
}

/** Whoever takes the rows may say after a batch that it takes no more for now. */
export interface BusyConsumer {
  readonly busy: boolean
}

/** The stream is not what COPY sends: cut off, of another width, or with bytes after its end. */
export class CopyFormatError extends Error {
  override readonly name = 'CopyFormatError'
}

/** `rows` rows of a batch from row `from` on, in place. */
export function rowsOf(batch: Batch, from: number, rows: number): Batch {
  if (from === 0 && rows === batch.rows) return batch
  // Field f of row r lies at f * FIELD_STRIDE + r, so leaving out the first `from` positions moves every row.
  return { ...batch, pos: batch.pos.subarray(from), len: batch.len.subarray(from), rows }
}

/** Tuples of one COPY, gathered in batches. What both scanners share. */
class TupleBatch {
  readonly batch: Batch
  readonly #fields: number
  readonly #onBatch: (batch: Batch) => void
  rows = 0
  /** Batches handed over. */
  batches = 0
  ended = false
  /** Bytes that the tuple at which `take()` gave up has at least. */
  needed = 0

  constructor(fields: number, onBatch: (batch: Batch) => void) {
    this.#fields = fields
    this.#onBatch = onBatch
    const empty = Buffer.alloc(0)
    this.batch = {
      buf: empty,
      view: new DataView(empty.buffer, empty.byteOffset, 0),
      pos: new Int32Array(fields * FIELD_STRIDE),
      len: new Int32Array(fields * FIELD_STRIDE),
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
    if (at + 2 > end) return this.#missing(2)
    const { view, pos, len } = this.batch
    const fields = view.getInt16(at)
    if (fields !== this.#fields) return this.#other(fields, at)
    // Where the last length that is whole may begin. A field that reaches beyond `end` is seen at the next length, or behind the last.
    const lastLength = end - 4
    let p = at + 2
    const last = this.batch.rows + fields * FIELD_STRIDE
    for (let i = this.batch.rows; i < last; i += FIELD_STRIDE) {
      if (p > lastLength) return this.#missing(p + 4 - at)
      const bytes = view.getInt32(p)
      p += 4
      pos[i] = p
      len[i] = bytes
      if (bytes > 0) p += bytes
      else if (bytes < -1) throw new CopyFormatError(`COPY sent a field of length ${bytes}`)
    }
    if (p > end) return this.#missing(p - at)
    if (++this.batch.rows === BATCH_ROWS) this.flush()
    return p
  }

  #missing(bytes: number): -1 {
    this.needed = bytes
    return -1
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
    this.batches++
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
 * of chunks and joined when the field that was cut is whole: joining at every chunk would be quadratic for values of many megabytes.
 */
export class CopyScanner {
  readonly #tuples: TupleBatch
  #started = false
  #rest: Buffer[] = []
  #restBytes = 0
  /** The rest holds no more of a row than it did before it has this many bytes. */
  #wanted = 0
  /** The last call ended before its bytes did, because the consumer of the rows was busy. */
  stopped = false

  constructor(fieldCount: number, onBatch: (batch: Batch) => void) {
    this.#tuples = new TupleBatch(fieldCount, onBatch)
  }

  /**
   * The chunk may be reused afterwards.
   *
   * @param consumer a batch after which it is busy is the last one of this call: no row follows a file that is full.
   * @throws CopyFormatError, or what `onBatch` throws.
   */
  push(chunk: Buffer, consumer?: BusyConsumer): void {
    if (chunk.length === 0) return
    if (this.#restBytes > 0 && this.#restBytes + chunk.length < this.#wanted) {
      this.#keep(chunk)
      return
    }
    this.#take(this.#restBytes > 0 ? Buffer.concat([...this.#rest, chunk]) : chunk, consumer)
  }

  /** Goes on where the consumer was busy. @throws as `push` does. */
  resume(consumer: BusyConsumer): void {
    if (this.stopped) this.#take(Buffer.concat(this.#rest), consumer)
  }

  #take(buf: Buffer, consumer: BusyConsumer | undefined): void {
    this.#rest = []
    this.#restBytes = 0
    const used = this.#scan(buf, consumer)
    this.stopped = used < buf.length && consumer?.busy === true
    if (used === buf.length) return
    this.#wanted = this.#started ? this.#tuples.needed : HEADER_BYTES
    this.#keep(buf.subarray(used))
  }

  /** @returns where it stopped: at the end, at an incomplete row, or behind a batch that made the consumer busy. */
  #scan(buf: Buffer, consumer: BusyConsumer | undefined): number {
    let at = 0
    if (!this.#started) {
      const end = headerEnd(buf, 0, buf.length)
      if (end < 0) return 0
      this.#started = true
      at = end
    }
    const tuples = this.#tuples
    tuples.use(buf, new DataView(buf.buffer, buf.byteOffset, buf.length))
    tuples.needed = 0
    let { batches } = tuples
    while (at < buf.length) {
      const next = tuples.take(at, buf.length)
      if (next < 0) break
      at = next
      if (tuples.batches !== batches) {
        batches = tuples.batches
        if (consumer?.busy) return at
      }
    }
    tuples.flush()
    return at
  }

  #keep(chunk: Buffer): void {
    this.#rest.push(Buffer.from(chunk))
    this.#restBytes += chunk.length
  }

  /** @returns the rows. @throws CopyFormatError unless the trailer was seen, and seen last. */
  end(): number {
    if (this.#restBytes > 0 && this.#tuples.ended) throw new CopyFormatError('COPY sent bytes after its trailer')
    if (!this.#tuples.ended) throw new CopyFormatError('COPY ended without its trailer: the stream was cut off')
    return this.#tuples.rows
  }
}

export { headerEnd, TupleBatch }
