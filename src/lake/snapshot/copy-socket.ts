import net from 'node:net'
import type pg from 'pg'
import type { CopyFrameScanner } from '../parquet/frame-scanner.ts'

/** Large enough that a call handles hundreds of rows, small enough to stay in the processor's cache. */
const BUFFER_BYTES = 512 * 1024

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
 * buffer per chunk a large part of that. Login, queries and errors stay with `pg`, which gets copies; only the answer to a COPY is
 * scanned in place. Not for TLS, which decrypts into buffers of its own.
 */
export class CopySocket {
  readonly socket: net.Socket
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #view = new DataView(this.#buffer.buffer)
  /** Bytes at the buffer's beginning that belong to an incomplete message. */
  #kept = 0
  #copy: RunningCopy | undefined

  constructor() {
    this.socket = new net.Socket({
      onread: { buffer: () => this.#buffer.subarray(this.#kept), callback: (bytes) => this.#received(bytes) },
    })
  }

  /**
   * Runs `sql`, a COPY … TO STDOUT (FORMAT binary), and hands its rows to the scanner. Resolves at the server's ReadyForQuery; the
   * scanner then tells counts, or the server's error.
   *
   * @throws what the scanner or the consumer threw (the connection is closed then), or pg's error when the connection breaks.
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
      throw copy.failure ? copy.failure.error : error
    } finally {
      this.#copy = undefined
      this.#kept = 0
      if (this.#buffer.length > BUFFER_BYTES) this.#replaceBuffer(BUFFER_BYTES)
    }
  }

  #received(bytes: number): boolean {
    const copy = this.#copy
    if (copy === undefined) {
      this.socket.emit('data', Buffer.from(this.#buffer.subarray(0, bytes)))
      return true
    }
    const end = this.#kept + bytes
    try {
      const used = copy.scanner.scan(this.#buffer, this.#view, 0, end)
      this.#keep(used, end, copy.scanner.needed)
    } catch (error) {
      this.#fail(copy, error)
      return false
    }
    if (copy.scanner.ready) this.#hand(copy.scanner.error === undefined ? 'T' : 'E')
    else if (copy.consumer.busy) this.#wait(copy)
    return true
  }

  /** Moves an incomplete message to the front; a longer one than the buffer gets a larger buffer. */
  #keep(from: number, end: number, needed: number): void {
    if (needed > this.#buffer.length) {
      const old = this.#buffer
      this.#replaceBuffer(2 ** Math.ceil(Math.log2(needed)))
      old.copy(this.#buffer, 0, from, end)
    } else if (from > 0 && from < end) {
      this.#buffer.copyWithin(0, from, end)
    }
    this.#kept = end - from
  }

  #replaceBuffer(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** Tells `pg`, which saw nothing of the answer, that the connection is free again: ReadyForQuery with the transaction's state. */
  #hand(transaction: 'T' | 'E'): void {
    this.#kept = 0
    this.#copy = undefined
    this.socket.emit('data', Buffer.from([0x5a, 0, 0, 0, 5, transaction.charCodeAt(0)]))
  }

  #wait(copy: RunningCopy): void {
    this.socket.pause()
    copy.consumer.drained().then(
      () => this.socket.resume(),
      (error: unknown) => this.#fail(copy, error),
    )
  }

  #fail(copy: RunningCopy, error: unknown): void {
    copy.failure ??= { error }
    this.socket.destroy()
  }
}
