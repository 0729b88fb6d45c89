import { isUtf8 } from 'node:buffer'
import { parseJsonText } from '../http/json-text.ts'
import { type EndLine, type InputLine, MAX_LINE_BYTES } from './input.ts'

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * NDJSON (one JSON object a line) from chunks cut anywhere. A BOM, CRLF and a missing last newline are accepted, blank lines
 * are skipped but counted. Memory: one line of at most 64 KB; a longer one is skipped as it streams by and reported.
 */
export class NdjsonReader {
  private pieces: Buffer[] = []
  private pendingBytes = 0
  private tooLong = false
  private line = 0
  private end: EndLine | undefined

  /** Lines completed by this chunk. The chunk may be reused after the call. */
  push(chunk: Buffer): InputLine[] {
    const lines: InputLine[] = []
    let start = 0
    for (;;) {
      const at = chunk.indexOf(NEWLINE, start)
      if (at < 0) break
      this.keep(chunk.subarray(start, at), false)
      this.take(lines)
      start = at + 1
    }
    if (start < chunk.length) this.keep(chunk.subarray(start), true)
    return lines
  }

  /** The last line, when no newline ended it, and what an `_end` line claimed. */
  finish(): { lines: InputLine[]; end: EndLine | undefined } {
    const lines: InputLine[] = []
    if (this.pendingBytes > 0 || this.tooLong) this.take(lines)
    return { lines, end: this.end }
  }

  /** `copy`: the bytes outlive this call. */
  private keep(bytes: Buffer, copy: boolean): void {
    if (this.tooLong) return
    if (this.pendingBytes + bytes.length > MAX_LINE_BYTES + 1) {
      this.tooLong = true
      this.pieces = []
      this.pendingBytes = 0
      return
    }
    if (bytes.length === 0) return
    this.pieces.push(copy ? Buffer.from(bytes) : bytes)
    this.pendingBytes += bytes.length
  }

  private take(lines: InputLine[]): void {
    const line = ++this.line
    const { tooLong, pieces } = this
    this.pieces = []
    this.pendingBytes = 0
    this.tooLong = false
    const error = (code: string, detail: string) => lines.push({ line, error: { pointer: '', code, detail } })
    let bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    if (line === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3)
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
    if (tooLong || bytes.length > MAX_LINE_BYTES) {
      error('line-too-long', `a line may have at most ${MAX_LINE_BYTES} bytes`)
      return
    }
    if (!isUtf8(bytes)) {
      error('invalid-utf8', 'the line is not valid UTF-8')
      return
    }
    const text = bytes.toString('utf8')
    if (text.trim() === '') return
    if (this.end) {
      error('after-end', `line ${this.end.line} said that the file ends there`)
      return
    }
    this.parse(line, text, lines, error)
  }

  private parse(line: number, text: string, lines: InputLine[], error: (code: string, detail: string) => void): void {
    let value: unknown
    try {
      value = parseJsonText(text)
    } catch {
      error('malformed-json', 'the line is not valid JSON, or has an object with the same field twice')
      return
    }
    if (!isRecord(value)) {
      error('type', 'the line must be a JSON object')
      return
    }
    const claim = endLineOf(value, line)
    if (claim !== undefined) {
      this.end = claim
      return
    }
    lines.push({ line, value })
  }
}

function endLineOf(value: Readonly<Record<string, unknown>>, line: number): EndLine | undefined {
  if (!isRecord(value._end)) return undefined
  const { rows, sha256 } = value._end
  return { line, rows: Number(rows), sha256: typeof sha256 === 'string' ? sha256 : undefined }
}

/** The end line of an export as text, such as the first cell of a CSV's last record; undefined: it is none. */
export function asEndLine(text: string, line: number): EndLine | undefined {
  if (!text.startsWith('{"_end"')) return undefined
  try {
    const value = JSON.parse(text) as unknown
    return isRecord(value) ? endLineOf(value, line) : undefined
  } catch {
    return undefined
  }
}
