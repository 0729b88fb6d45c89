import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Where the file goes. `write` copies what it keeps: the writer uses the memory again. */
export interface ByteSink {
  write(bytes: Uint8Array): void
  /** At its memory bound: it is given nothing more until `drained()` resolves. */
  readonly busy: boolean
  drained(): Promise<void>
}

/** The sink is given no more while it is busy; beyond this many bytes that wait for it, the output is busy too. */
const MOST_WAITING_BYTES = 32 << 20

/** The finished bytes of a file on their way to the sink: keeps their checksums, and those that the sink cannot take yet. */
export class Output {
  readonly #sink: ByteSink
  readonly #mostWaitingBytes: number
  readonly #sha256 = createHash('sha256')
  #crc32 = 0
  #waiting: (Uint8Array | (() => void))[] = []
  #waitingBytes = 0

  constructor(sink: ByteSink, mostWaitingBytes = MOST_WAITING_BYTES) {
    this.#sink = sink
    this.#mostWaitingBytes = mostWaitingBytes
  }

  write(bytes: Uint8Array): void {
    this.#crc32 = crc32(bytes, this.#crc32)
    this.#sha256.update(bytes)
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
  }

  /** Called when the sink has copied everything written so far: that memory may be used again. */
  whenHandedOver(done: () => void): void {
    this.#waiting.push(done)
  }

  get busy(): boolean {
    return this.#waitingBytes > this.#mostWaitingBytes
  }

  /** Gives the sink what it takes now. */
  pump(): void {
    const sink = this.#sink
    let given = 0
    for (; given < this.#waiting.length; given++) {
      const next = this.#waiting[given]
      if (typeof next === 'function') next()
      else if (sink.busy) break
      else if (next) {
        this.#waitingBytes -= next.length
        sink.write(next)
      }
    }
    if (given > 0) this.#waiting = this.#waiting.slice(given)
  }

  /** Resolves when the output is not busy any more. @throws what the sink throws. */
  async drained(): Promise<void> {
    while (this.busy) await this.#handOver()
  }

  /** Resolves when the sink has all bytes. @returns CRC32 (8 hex digits) and SHA-256 of all that was written. */
  async finish(): Promise<{ readonly crc32: string; readonly sha256: string }> {
    while (this.#waiting.length > 0) await this.#handOver()
    return { crc32: this.#crc32.toString(16).padStart(8, '0'), sha256: this.#sha256.digest('hex') }
  }

  async #handOver(): Promise<void> {
    this.pump()
    if (this.#waiting.length > 0) await this.#sink.drained()
  }
}
