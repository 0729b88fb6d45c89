import { isUtf8 } from 'node:buffer'
import { parseJsonText } from '../http/json-text.ts'
import { afterEnd, EndCheck, endClaimOf, openLineOf } from './end-line.ts'
import { type InputLine, isRecord, type LineReader, MAX_LINE_BYTES } from './input.ts'

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * NDJSON (one JSON object a line) from chunks cut anywhere. A BOM, CRLF and a missing last newline are accepted, blank lines
 * are skipped but counted. Memory: one line of at most 64 KB; a longer one is skipped as it streams by and reported.
 */
export class NdjsonReader implements LineReader {
  readonly #check = new EndCheck()
  #pieces: Buffer[] = []
  #pendingBytes = 0
  #tooLong = false
  #line = 0

  push(chunk: Buffer): InputLine[] {
    const lines: InputLine[] = []
    let start = 0
    for (;;) {
      const at = chunk.indexOf(NEWLINE, start)
      if (at < 0) break
      const before = start === 0 ? undefined : chunk.subarray(0, start)
      this.#keep(chunk.subarray(start, at), false)
      this.#take(lines, before)
      start = at + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), true)
    this.#check.read(chunk, openLineOf(chunk))
    return lines
  }

  finish(): InputLine[] {
    const lines: InputLine[] = []
    if (this.#pendingBytes > 0 || this.#tooLong) this.#take(lines, undefined)
    return lines
  }

  /** `copy`: the bytes outlive this call. */
  #keep(bytes: Buffer, copy: boolean): void {
    if (this.#tooLong) return
    if (this.#pendingBytes + bytes.length > MAX_LINE_BYTES + 1) {
      this.#tooLong = true
      this.#pieces = []
      this.#pendingBytes = 0
      return
    }
    if (bytes.length === 0) return
    this.#pieces.push(copy ? Buffer.from(bytes) : bytes)
    this.#pendingBytes += bytes.length
  }

  /** `before`: what of the chunk is before the line; undefined when the line began in an earlier one. */
  #take(lines: InputLine[], before: Buffer | undefined): void {
    const line = ++this.#line
    const [tooLong, pieces] = [this.#tooLong, this.#pieces]
    this.#pieces = []
    this.#pendingBytes = 0
    this.#tooLong = false
    let bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    if (line === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3)
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
    const text = tooLong || bytes.length > MAX_LINE_BYTES || !isUtf8(bytes) ? undefined : bytes.toString('utf8')
    if (text?.trim() === '') return
    if (this.#check.endedAt !== undefined) {
      lines.push(afterEnd(line, this.#check.endedAt))
      return
    }
    const read =
      text === undefined ? unreadableBytes(line, tooLong || bytes.length > MAX_LINE_BYTES) : parse(line, text)
    const claim = 'value' in read ? endClaimOf(read.value) : undefined
    if (claim === undefined) {
      this.#check.countRow()
      lines.push(read)
      return
    }
    const error = 'code' in claim ? claim : this.#check.end(claim, line, before)
    if (error !== undefined) lines.push({ line, error })
  }
}

function unreadableBytes(line: number, tooLong: boolean): InputLine {
  const [code, detail] = tooLong
    ? ['line-too-long', `a line may have at most ${MAX_LINE_BYTES} bytes`]
    : ['invalid-utf8', 'the line is not valid UTF-8']
  return { line, error: { pointer: '', code, detail } }
}

function parse(line: number, text: string): InputLine {
  let value: unknown
  try {
    value = parseJsonText(text)
  } catch {
    const detail = 'the line is not valid JSON, or has an object with the same field twice'
    return { line, error: { pointer: '', code: 'malformed-json', detail } }
  }
  if (isRecord(value)) return { line, value }
  return { line, error: { pointer: '', code: 'type', detail: 'the line must be a JSON object' } }
}
