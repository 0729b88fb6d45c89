import net from 'node:net'
import type pg from 'pg'
import type { CopyFrameScanner } from '../parquet/frame-scanner.ts'

/** What one read may bring. */
const READ_BYTES = 128 * 1024
/** Rows are scanned in pieces of this size: hundreds of rows a call, and still in the processor's cache. */
const SCAN_BYTES = 256 * 1024
const BUFFER_BYTES = 2 * SCAN_BYTES
/** ReadyForQuery, the last message of every answer: type, length 5, then the transaction's state. */
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5])
const READY_BYTES = READY_FOR_QUERY.length + 1

/** Whoever takes the rows; reading stops while it is busy. */
export interface RowConsumer {
  readonly busy: boolean
  drained(): Promise<void>
}

interface RunningCopy {
  readonly scanner: CopyFrameScanner
  readonly consumer: RowConsumer
  failure: { readonly error: unknown } | undefined
}

/**
 * A plain TCP socket for `pg` that reads into one buffer, used again for every read: receiving is half of the client's work, and a new
 * buffer per chunk a large part of that. Reads are gathered into pieces worth scanning, because a server that is slower than its
 * client sends a few dozen rows at a time. Login, queries and errors stay with `pg`, which gets copies; only the answer to a COPY is
 * scanned in place. Not for TLS, which decrypts into buffers of its own.
 */
export class CopySocket {
  readonly socket: net.Socket
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #view = new DataView(this.#buffer.buffer)
  /** Bytes in the buffer that have not been scanned. */
  #filled = 0
  /** The buffer must be this full before scanning it again is worth anything. */
  #wanted = SCAN_BYTES
  #copy: RunningCopy | undefined
  /** Settles when the consumer is drained or has failed. */
  #waiting: Promise<void> | undefined

  constructor() {
    const landing = Buffer.allocUnsafeSlow(READ_BYTES)
    this.socket = new net.Socket({
      onread: { buffer: landing, callback: (bytes) => this.#received(landing, bytes) },
    })
  }

  /**
   * Runs `sql`, a COPY … TO STDOUT (FORMAT binary), and hands its rows to the scanner. Resolves at the server's ReadyForQuery; the
   * scanner then tells counts, or the server's error, also one with which the server ended the session.
   *
   * @throws what the scanner or the consumer threw (the connection is closed then), or pg's error when the connection breaks without a word.
   */
  async copy(client: pg.Client, sql: string, scanner: CopyFrameScanner, consumer: RowConsumer): Promise<void> {
    const copy: RunningCopy = { scanner, consumer, failure: undefined }
    try {
      await new Promise<void>((resolve, reject) => {
        client.query({
          submit: (connection: { query(text: string): void }) => {
            this.#copy = copy
            connection.query(sql)
          },
          handleError: reject,
          handleReadyForQuery: () => resolve(),
        } as pg.Submittable)
      })
    } catch (error) {
      // What the consumer has begun, such as to open its next file, ends before this does: nobody tidies up too early.
      await this.#waiting
      if (copy.failure) throw copy.failure.error
      scanner.lastWords(this.#buffer, 0, this.#filled)
      if (scanner.error === undefined) throw error
    } finally {
      this.#copy = undefined
      this.#waiting = undefined
      this.#filled = 0
      this.#wanted = SCAN_BYTES
      if (this.#buffer.length > BUFFER_BYTES) this.#replaceBuffer(BUFFER_BYTES)
    }
  }

  #received(landing: Buffer, bytes: number): boolean {
    const copy = this.#copy
    if (copy === undefined) {
      this.socket.emit('data', Buffer.from(landing.subarray(0, bytes)))
      return true
    }
    landing.copy(this.#buffer, this.#filled, 0, bytes)
    this.#filled += bytes
    if (this.#filled < this.#wanted && !this.#mayBeOver()) return true
    return this.#scan(copy)
  }

  #scan(copy: RunningCopy): boolean {
    try {
      const used = copy.scanner.scan(this.#buffer, this.#view, 0, this.#filled, copy.consumer)
      this.#keepFrom(used, copy.scanner.needed)
    } catch (error) {
      this.#fail(copy, error)
      return false
    }
    if (copy.scanner.ready) this.#hand(copy.scanner.error === undefined ? 'T' : 'E')
    else if (copy.consumer.busy) this.#wait(copy)
    return true
  }

  /** Does the buffer end as an answer does? A row may look like that as well: then it is scanned a little early. */
  #mayBeOver(): boolean {
    const at = this.#filled - READY_BYTES
    return at >= 0 && READY_FOR_QUERY.compare(this.#buffer, at, at + READY_FOR_QUERY.length) === 0
  }

  /** Moves an incomplete message to the front; one that would not fit with the next read gets a larger buffer. */
  #keepFrom(used: number, messageBytes: number): void {
    const kept = this.#filled - used
    this.#wanted = Math.max(SCAN_BYTES, messageBytes)
    if (this.#wanted + READ_BYTES > this.#buffer.length) {
      const old = this.#buffer
      this.#replaceBuffer(2 ** Math.ceil(Math.log2(this.#wanted + READ_BYTES)))
      old.copy(this.#buffer, 0, used, this.#filled)
    } else if (used > 0 && kept > 0) {
      this.#buffer.copyWithin(0, used, this.#filled)
    }
    this.#filled = kept
  }

  #replaceBuffer(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
    this.#view = new DataView(this.#buffer.buffer)
  }

  /**
   * Tells `pg`, which saw nothing of the answer, that the connection is free again: ReadyForQuery with the transaction's state, and
   * whatever the server sent behind it.
   */
  #hand(transaction: 'T' | 'E'): void {
    const behind = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    this.#copy = undefined
    this.socket.emit('data', Buffer.concat([READY_FOR_QUERY, Buffer.from(transaction), behind]))
  }

  #wait(copy: RunningCopy): void {
    this.socket.pause()
    this.#waiting = copy.consumer.drained().then(
      () => {
        if (this.#copy !== copy || this.socket.destroyed) return
        this.#waiting = undefined
        // Rows that came with those after which the consumer was busy.
        if (copy.scanner.stopped) this.#scan(copy)
        if (this.#waiting === undefined) this.socket.resume()
      },
      (error: unknown) => this.#fail(copy, error),
    )
  }

  #fail(copy: RunningCopy, error: unknown): void {
    copy.failure ??= { error }
    this.socket.destroy()
  }
}
