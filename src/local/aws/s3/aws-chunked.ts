import { s3Error } from './s3-error.ts'

const MAX_LINE_BYTES = 8 * 1024
const MAX_TRAILER_LINES = 20
const CR = 13
const LF = 10

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done'

/**
 * Decoder of `Content-Encoding: aws-chunked`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html):
 *
 *     <hex size>[;chunk-signature=…]\r\n <bytes>\r\n … 0[;…]\r\n <trailer>:<value>\r\n … \r\n
 *
 * Data is handed on as slices of what came in, never copied. Lines may be cut anywhere. Signatures are skipped.
 */
export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>()
  #state: State = 'size'
  #line: number[] = []
  #remainingBytes = 0

  /** @throws AwsError `IncompleteBody` unless the last chunk was seen. */
  finish(): void {
    // some clients leave out the empty line behind the last chunk or the trailers
    if (this.#state === 'trailer' && this.#line.length > 0) this.#endOfLine(String.fromCharCode(...this.#line).trim())
    if (this.#state !== 'done' && this.#state !== 'trailer') throw s3Error('IncompleteBody')
  }

  /** The data in `input`. @throws AwsError `IncompleteBody` when the framing is broken. */
  *decode(input: Uint8Array): Generator<Uint8Array> {
    let at = 0
    while (at < input.length) {
      if (this.#state === 'data') {
        const end = Math.min(input.length, at + this.#remainingBytes)
        yield input.subarray(at, end)
        this.#remainingBytes -= end - at
        at = end
        if (this.#remainingBytes === 0) this.#state = 'data-end'
        continue
      }
      if (this.#state === 'done') throw s3Error('IncompleteBody', 'The chunked body goes on behind its last chunk.')
      const byte = input[at++]!
      if (byte !== LF) {
        if (this.#line.length >= MAX_LINE_BYTES) throw s3Error('IncompleteBody', 'A chunk header is too long.')
        this.#line.push(byte)
        continue
      }
      if (this.#line.at(-1) === CR) this.#line.pop()
      const line = String.fromCharCode(...this.#line)
      this.#line = []
      this.#endOfLine(line)
    }
  }

  #endOfLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') throw s3Error('IncompleteBody', 'A chunk is longer than its header says.')
      this.#state = 'size'
    } else if (this.#state === 'size') {
      const match = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line)
      if (!match) throw s3Error('IncompleteBody', 'A chunk header must begin with a hexadecimal size.')
      this.#remainingBytes = Number.parseInt(match[1]!, 16)
      this.#state = this.#remainingBytes === 0 ? 'trailer' : 'data'
    } else if (line === '') {
      this.#state = 'done'
    } else {
      const colon = line.indexOf(':')
      if (colon < 1 || this.trailers.size >= MAX_TRAILER_LINES)
        throw s3Error('IncompleteBody', 'A trailer is malformed.')
      this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
  }
}
