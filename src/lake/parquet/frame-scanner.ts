import { type Batch, type BusyConsumer, CopyFormatError, headerEnd, TupleBatch } from './scanner.ts'

/** Message types of the server (PostgreSQL documentation, "Message Formats"). */
const COPY_DATA = 0x64 // d
const COPY_DONE = 0x63 // c
const COPY_OUT_RESPONSE = 0x48 // H
const COMMAND_COMPLETE = 0x43 // C
const ERROR_RESPONSE = 0x45 // E
const READY_FOR_QUERY = 0x5a // Z
/** May come at any moment: NoticeResponse, NotificationResponse, ParameterStatus. */
const PASSED_OVER = new Set([0x4e, 0x41, 0x53])

/** Fields of an ErrorResponse by their letter: `C` SQLSTATE, `M` message. */
export type ErrorFields = Readonly<Record<string, string>>

/**
 * The answer to one COPY … TO STDOUT (FORMAT binary) as raw protocol bytes, framing and rows in one loop: for sockets that read
 * into one reused buffer. Pure parsing, no socket: the caller keeps the bytes from `scan()`'s result on, puts what arrives next
 * behind them and calls again, until `ready`.
 *
 * PostgreSQL puts each row into one CopyData message, the first one behind the header; anything else is refused.
 */
export class CopyFrameScanner {
  readonly #tuples: TupleBatch
  #started = false
  #done = false
  /** Whole length of the message that was not complete at the last `scan()`; the buffer must be able to hold it. */
  needed = 0
  /** The last `scan()` ended before its bytes did, because the consumer of the rows was busy. */
  stopped = false
  /** ReadyForQuery was seen: nothing more comes for this COPY. */
  ready = false
  /** `COPY 2000000`; undefined until CommandComplete. */
  commandTag: string | undefined
  error: ErrorFields | undefined

  constructor(fieldCount: number, onBatch: (batch: Batch) => void) {
    this.#tuples = new TupleBatch(fieldCount, onBatch)
  }

  /** Rows scanned so far. */
  get rows(): number {
    return this.#tuples.rows
  }

  /** Rows that the server counted; undefined until CommandComplete. */
  get serverRows(): number | undefined {
    return this.commandTag === undefined ? undefined : Number(this.commandTag.split(' ').at(-1))
  }

  /**
   * Takes every whole message in `buf[start, end)` up to ReadyForQuery: what follows is no part of the answer. All batches are handed over before it returns, so the bytes may be moved.
   *
   * @param view over exactly the bytes of `buf`.
   * @param consumer a batch after which it is busy is the last one of this call: no row follows a file that is full.
   * @returns where the first message begins that was not taken.
   */
  scan(buf: Buffer, view: DataView, start: number, end: number, consumer?: BusyConsumer): number {
    const tuples = this.#tuples
    tuples.use(buf, view)
    let at = start
    this.needed = 0
    this.stopped = false
    let { batches } = tuples
    while (at + 5 <= end && !this.ready) {
      const bytes = view.getUint32(at + 1)
      if (bytes < 4) throw new CopyFormatError(`the server sent a message of length ${bytes}`)
      const next = at + 1 + bytes
      if (next > end) {
        this.needed = next - at
        break
      }
      if (buf[at] === COPY_DATA) this.#data(buf, at + 5, next)
      else this.#message(buf[at] as number, buf, at + 5, next)
      at = next
      if (tuples.batches !== batches) {
        batches = tuples.batches
        if (consumer?.busy) {
          this.stopped = true
          return at
        }
      }
    }
    tuples.flush()
    return at
  }

  /** Only looks for what the server said when it ended the session in mid-answer: an error, behind rows that nobody needs any more. */
  lastWords(buf: Buffer, start: number, end: number): void {
    for (let at = start; at + 5 <= end; ) {
      const next = at + 1 + buf.readUInt32BE(at + 1)
      if (next < at + 5 || next > end) return
      if (buf[at] === ERROR_RESPONSE) this.#message(ERROR_RESPONSE, buf, at + 5, next)
      at = next
    }
  }

  #data(buf: Buffer, start: number, end: number): void {
    let at = start
    if (!this.#started) {
      at = headerEnd(buf, start, end)
      if (at < 0) throw new CopyFormatError('COPY cut its header in two messages')
      this.#started = true
    }
    while (at < end) {
      at = this.#tuples.take(at, end)
      if (at < 0) throw new CopyFormatError('COPY cut a row in two messages')
    }
  }

  #message(type: number, buf: Buffer, start: number, end: number): void {
    switch (type) {
      case COPY_OUT_RESPONSE:
        if (buf[start] !== 1) throw new CopyFormatError('COPY answers in text format')
        return
      case COPY_DONE:
        if (!this.#tuples.ended) throw new CopyFormatError('COPY ended without its trailer')
        this.#done = true
        return
      case COMMAND_COMPLETE:
        this.commandTag = buf.toString('utf8', start, end - 1)
        return
      case ERROR_RESPONSE:
        this.error = errorFields(buf.toString('utf8', start, end))
        return
      case READY_FOR_QUERY:
        this.ready = true
        if (this.error === undefined && !this.#done) throw new CopyFormatError('COPY was answered without data')
        return
      default:
        if (!PASSED_OVER.has(type)) throw new CopyFormatError(`COPY was answered with message type ${type}`)
    }
  }
}

function errorFields(text: string): ErrorFields {
  const fields = text.split('\0').filter((field) => field.length > 0)
  return Object.fromEntries(fields.map((field) => [field.charAt(0), field.slice(1)]))
}
