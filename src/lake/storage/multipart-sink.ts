import { crc32 } from 'node:zlib'
import { LakeProblem } from '../lake-problem.ts'
import type { LakeBucket } from './lake-bucket.ts'
import type { UploadedPart } from './multipart-uploads.ts'

/** S3 allows 10,000 parts; a file that comes near has been planned wrongly and must not end short. */
export const PART_LIMIT = 9000

export interface SinkHooks {
  /** A part's request has been handed to the client, its answer is not there yet. */
  readonly partStarted?: (number: number) => void
}

/** Lets at most `limit` parts be under way, whichever sink they belong to, and counts those that wait. */
export class PartSlots {
  readonly limit: number
  #used = 0
  #free: Buffer[] = []
  readonly #waiting: (() => void)[] = []
  readonly #partBytes: number
  /** Parts that are sent or wait for it. */
  #parts = 0
  #watchers: (() => void)[] = []

  constructor(limit: number, partBytes: number) {
    this.limit = limit
    this.#partBytes = partBytes
  }

  async take(): Promise<void> {
    if (this.#used < this.limit) this.#used++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#used--
  }

  /** More parts than may be under way: the last ones of files that are closed wait as well, and all of them take memory. */
  get full(): boolean {
    return this.#parts > this.limit
  }

  /** Part buffers are used again: fresh ones of 8 MiB each would only feed the collector. */
  buffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#partBytes)
  }

  /** A part begins to wait for its turn. */
  begin(): void {
    this.#parts++
  }

  /** It is sent, or has failed. */
  end(buffer: Buffer): void {
    this.#parts--
    if (this.#free.length <= this.limit) this.#free.push(buffer)
    const watchers = this.#watchers
    this.#watchers = []
    for (const watch of watchers) watch()
  }

  /** Calls once, when the next part of any sink ends. */
  onEnd(watch: () => void): void {
    this.#watchers.push(watch)
  }
}

export interface MultipartSinkOptions {
  readonly bucket: LakeBucket
  readonly key: string
  /** Already stored with the control rows: the upload can be aborted by whoever finds them. */
  readonly uploadId: string
  readonly partBytes: number
  readonly slots: PartSlots
  /** Parts of this sink alone, under way or waiting, above which it is busy; default as many as may be under way in all. */
  readonly mostParts?: number
  readonly hooks?: SinkHooks
}

/** Base 64 of a CRC32, big-endian, as S3 writes it. */
export function crc32Base64(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

/** A checksum of 8 hex digits as S3 writes it. */
export function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

/**
 * A file on its way into the parts of a multipart upload that nobody completes yet. Memory: the open part, the parts under way
 * and one that waits, of all sinks together, plus what is written while `busy`; a part's buffer is kept until S3 has acknowledged it.
 *
 * `write` copies and never waits; whoever writes stops while `busy` and awaits `drained()`. The first failure is thrown by every
 * later call.
 */
export class MultipartSink {
  readonly key: string
  readonly uploadId: string
  readonly #options: MultipartSinkOptions
  readonly #abort = new AbortController()
  readonly #parts: UploadedPart[] = []
  readonly #live = new Set<Promise<void>>()
  /** Taken with the first byte: many files are opened before there is one. */
  #open: Buffer | undefined
  #filled = 0
  #number = 0
  #bytes = 0
  #failure: { readonly error: unknown } | undefined
  #waiters: (() => void)[] = []

  constructor(options: MultipartSinkOptions) {
    this.key = options.key
    this.uploadId = options.uploadId
    this.#options = options
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** A part waits for a slot, of this file or another one; the bytes in memory are at their bound. */
  get busy(): boolean {
    const { mostParts, slots } = this.#options
    return this.#failure === undefined && (slots.full || this.#live.size > (mostParts ?? slots.limit))
  }

  write(bytes: Uint8Array): void {
    this.#throwFailure()
    this.#bytes += bytes.length
    let from = 0
    while (from < bytes.length) {
      this.#open ??= this.#options.slots.buffer()
      const open = this.#open
      const take = Math.min(bytes.length - from, open.length - this.#filled)
      open.set(take === bytes.length ? bytes : bytes.subarray(from, from + take), this.#filled)
      this.#filled += take
      from += take
      if (this.#filled === open.length) this.#send(open)
    }
  }

  async drained(): Promise<void> {
    while (this.busy) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve)
        this.#options.slots.onEnd(resolve)
      })
    }
    this.#throwFailure()
  }

  /** Sends what is left and waits for every part. The upload stays uncompleted. @returns its parts in order. */
  async finish(): Promise<readonly UploadedPart[]> {
    this.#throwFailure()
    if (this.#open && this.#filled > 0) this.#send(this.#open)
    while (this.#live.size > 0 && this.#failure === undefined) await Promise.race(this.#live)
    this.#throwFailure()
    return this.#parts.sort((a, b) => a.number - b.number)
  }

  /** Stops sending; the upload itself stays as it is. */
  cancel(): void {
    this.#fail(new LakeProblem('cancelled', `The upload of ${this.key} was aborted`, { key: this.key }))
    this.#abort.abort()
  }

  /** Stops sending and ends the upload: nothing of it is left in S3. */
  async abort(): Promise<void> {
    this.cancel()
    await Promise.allSettled(this.#live)
    await this.#options.bucket.multipart.abort(this.key, this.uploadId)
  }

  #send(buffer: Buffer): void {
    const bytes = buffer.subarray(0, this.#filled)
    const number = ++this.#number
    if (number >= PART_LIMIT) {
      const at = `${this.key} would need more than ${PART_LIMIT} parts of ${buffer.length} bytes`
      this.#fail(new LakeProblem('part_limit', `${at}; raise LAKE_PART_BYTES`, { key: this.key }))
      this.#throwFailure()
    }
    this.#open = undefined
    this.#filled = 0
    this.#options.slots.begin()
    const sent = this.#sendPart(number, bytes)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#live.delete(sent)
        this.#options.slots.end(buffer)
        this.#wake()
      })
    this.#live.add(sent)
  }

  async #sendPart(number: number, bytes: Buffer): Promise<void> {
    const { bucket, hooks, slots } = this.#options
    const checksum = crc32Base64(crc32(bytes))
    await slots.take()
    try {
      this.#throwFailure()
      const sent = bucket.multipart.sendPart(this, { number, bytes, crc32: checksum }, this.#abort.signal)
      hooks?.partStarted?.(number)
      this.#parts.push(await sent)
    } finally {
      slots.release()
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
