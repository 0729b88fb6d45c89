import { isUtf8 } from 'node:buffer'
import { AppError } from '../errors.ts'
import { parseJsonText } from '../http/json-text.ts'
import { type InputLine, isRecord, type LineReader, MAX_LINE_BYTES, MAX_WHOLE_LINES } from './input.ts'

const [NEWLINE, SPACE, TAB, CARRIAGE_RETURN] = [0x0a, 0x20, 0x09, 0x0d]
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** Where the reader stands, outside of an element. `afterComma`: an element must come. */
type Place = 'start' | 'first' | 'afterComma' | 'element' | 'end'

interface Element {
  readonly line: number
  /** Undefined: longer than a line may be. */
  bytes: Buffer | undefined
}

/**
 * A JSON array of at most 1000 elements, from chunks cut anywhere. It is one value: its elements are handed out at its end, and
 * only if all of it is JSON. Each carries the physical line on which it begins, and its place. Memory: the elements, 64 KB each.
 */
export class JsonArrayReader implements LineReader {
  #place: Place = 'start'
  #line = 1
  #at = 0
  #depth = 0
  #inString = false
  #escaped = false
  #pieces: Buffer[] = []
  #bytes = 0
  readonly #elements: Element[] = []

  /** @throws AppError `malformed-json`, `payload-too-large` for more than 1000 elements */
  push(chunk: Buffer): InputLine[] {
    let start = 0
    for (let at = 0; at < chunk.length; at++, this.#at++) {
      const byte = chunk[at] as number
      if (byte === NEWLINE) this.#line++
      if (this.#place !== 'element') {
        if (isSpace(byte) || (this.#at < 3 && byte === BYTE_ORDER_MARK[this.#at])) continue
        this.#outside(byte)
        start = at
      }
      if (this.#place === 'element' && this.#endsElement(byte)) {
        this.#keep(chunk.subarray(start, at))
        this.#close(byte)
      }
    }
    if (this.#place === 'element') this.#keep(chunk.subarray(start))
    return []
  }

  /** @throws AppError `malformed-json` */
  finish(): InputLine[] {
    if (this.#place !== 'end') throw malformed(this.#line, 'the array is not closed')
    return this.#elements.map(({ line, bytes }, index) => lineOf(line, index, bytes))
  }

  #outside(byte: number): void {
    const place = this.#place
    if (place === 'start' && byte === OPEN_ARRAY) this.#place = 'first'
    else if (place === 'first' && byte === CLOSE_ARRAY) this.#place = 'end'
    else if (place === 'start') throw malformed(this.#line, 'the body must be an array')
    else if (place === 'end') throw malformed(this.#line, 'something follows the array')
    else if (byte === COMMA || byte === CLOSE_ARRAY) throw malformed(this.#line, 'an element is missing')
    else this.#begin()
  }

  #begin(): void {
    if (this.#elements.length === MAX_WHOLE_LINES) {
      const detail = `A JSON array may have ${MAX_WHOLE_LINES} elements: send more of them as NDJSON`
      throw new AppError('payload-too-large', detail, { extra: { maxElements: MAX_WHOLE_LINES } })
    }
    this.#elements.push({ line: this.#line, bytes: undefined })
    this.#place = 'element'
    this.#depth = 0
  }

  /** Only strings and brackets matter; what is between them is for the parser of the element. */
  #endsElement(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#inString = false
    } else if (byte === QUOTE) this.#inString = true
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth++
    else if (this.#depth === 0) return byte === COMMA || byte === CLOSE_ARRAY
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.#depth--
    return false
  }

  #keep(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > MAX_LINE_BYTES) this.#pieces = []
    else if (bytes.length > 0) this.#pieces.push(Buffer.from(bytes))
  }

  #close(byte: number): void {
    const element = this.#elements.at(-1) as Element
    if (this.#bytes <= MAX_LINE_BYTES) element.bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    this.#place = byte === COMMA ? 'afterComma' : 'end'
  }
}

const isSpace = (byte: number) => byte === SPACE || byte === NEWLINE || byte === CARRIAGE_RETURN || byte === TAB

/** @throws AppError `malformed-json`: then the array is no JSON, either */
function lineOf(line: number, index: number, bytes: Buffer | undefined): InputLine {
  const error = (code: string, detail: string) => ({ line, index, error: { pointer: '', code, detail } })
  if (bytes === undefined) return error('line-too-long', `an element may have at most ${MAX_LINE_BYTES} bytes`)
  if (!isUtf8(bytes)) return error('invalid-utf8', 'the element is not valid UTF-8')
  let value: unknown
  try {
    value = parseJsonText(bytes.toString('utf8'))
  } catch {
    throw malformed(line, `element ${index} is not valid JSON, or has an object with the same field twice`)
  }
  return isRecord(value) ? { line, index, value } : error('type', 'an element must be a JSON object')
}

function malformed(line: number, detail: string): AppError {
  return new AppError('malformed-json', `Line ${line} of the body: ${detail}`, { extra: { line } })
}
