import { isUtf8 } from 'node:buffer'
import { type FieldError, invalid } from '../errors.ts'
import { parseCells, recordValue } from './csv-cells.ts'
import type { CellKind } from './csv-columns.ts'
import { type EndLine, type InputLine, MAX_LINE_BYTES } from './input.ts'
import { asEndLine } from './ndjson.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Where the reader stands. `quoteInQuotes`: the end of the cell, or the first half of a doubled quote. */
type Place = 'cellStart' | 'plain' | 'quoted' | 'quoteInQuotes' | 'tooLong'

/**
 * CSV (RFC 4180, UTF-8) from chunks cut anywhere. Lines are physical: a record that spans lines has the number of its first.
 * Memory: one record of at most 64 KB. A longer one, such as one whose quote is never closed, is reported, and reading goes on
 * with the next physical line.
 */
export class CsvReader {
  readonly #known: ReadonlyMap<string, CellKind>
  #columns: { readonly path: readonly string[]; readonly kind: CellKind }[] | undefined
  #pieces: Buffer[] = []
  #bytes = 0
  #place: Place = 'cellStart'
  #line = 1
  #recordLine = 1
  #end: EndLine | undefined

  /** @param known the columns that there may be, see `csvColumns` */
  constructor(known: ReadonlyMap<string, CellKind>) {
    this.#known = known
  }

  /**
   * Records completed by this chunk. The chunk may be reused after the call.
   *
   * @throws AppError `validation` of the header
   */
  push(chunk: Buffer): InputLine[] {
    const lines: InputLine[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (byte !== NEWLINE) {
        this.#step(byte)
        continue
      }
      this.#line++
      if (this.#place === 'quoted') {
        if (this.#bytes + at - start <= MAX_LINE_BYTES) continue
        this.#place = 'tooLong'
      }
      this.#keep(chunk.subarray(start, at), false)
      this.#take(lines)
      start = at + 1
    }
    this.#keep(chunk.subarray(start), true)
    return lines
  }

  /** The last record, when no newline ended it, and what an `_end` record claimed. */
  finish(): { lines: InputLine[]; end: EndLine | undefined } {
    const lines: InputLine[] = []
    if (this.#bytes > 0 || this.#place === 'tooLong') this.#take(lines)
    return { lines, end: this.#end }
  }

  #step(byte: number): void {
    switch (this.#place) {
      case 'cellStart':
        if (byte === QUOTE) this.#place = 'quoted'
        else if (byte !== COMMA && byte !== CARRIAGE_RETURN) this.#place = 'plain'
        return
      case 'plain':
        if (byte === COMMA) this.#place = 'cellStart'
        return
      case 'quoted':
        if (byte === QUOTE) this.#place = 'quoteInQuotes'
        return
      case 'quoteInQuotes':
        if (byte === QUOTE) this.#place = 'quoted'
        else if (byte === COMMA) this.#place = 'cellStart'
        else if (byte !== CARRIAGE_RETURN) this.#place = 'plain'
        return
    }
  }

  /** `copy`: the bytes outlive this call. */
  #keep(bytes: Buffer, copy: boolean): void {
    if (this.#place === 'tooLong' || bytes.length === 0) return
    if (this.#bytes + bytes.length > MAX_LINE_BYTES + 1) {
      this.#place = 'tooLong'
      this.#pieces = []
      this.#bytes = 0
      return
    }
    this.#pieces.push(copy ? Buffer.from(bytes) : bytes)
    this.#bytes += bytes.length
  }

  #take(lines: InputLine[]): void {
    const [line, pieces, tooLong] = [this.#recordLine, this.#pieces, this.#place === 'tooLong']
    this.#recordLine = this.#line
    this.#pieces = []
    this.#bytes = 0
    this.#place = 'cellStart'
    const result = tooLong ? tooLongError() : this.#record(line, pieces)
    if (result === undefined) return
    if (this.#columns === undefined) {
      if (Array.isArray(result)) throw invalid(result)
      return
    }
    if (Array.isArray(result)) lines.push(...result.slice(0, 1).map((error) => ({ line, error })))
    else lines.push({ line, value: result })
  }

  /** The object of a record, or its errors; undefined: nothing to import. */
  #record(line: number, pieces: readonly Buffer[]): Record<string, unknown> | FieldError[] | undefined {
    let bytes = Buffer.concat(pieces)
    if (line === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3)
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
    if (!isUtf8(bytes)) return [{ pointer: '', code: 'invalid-utf8', detail: 'the line is not valid UTF-8' }]
    const text = bytes.toString('utf8')
    if (text.trim() === '') return undefined
    if (this.#end !== undefined) {
      return [{ pointer: '', code: 'after-end', detail: `line ${this.#end.line} said that the file ends there` }]
    }
    const cells = parseCells(text)
    if (cells === undefined) {
      const detail = 'a quote stands inside of a cell that does not begin with one, or is not closed'
      return [{ pointer: '', code: 'malformed-csv', detail }]
    }
    if (this.#columns === undefined) return this.#header(cells)
    const claim = cells.slice(1).every((cell) => cell === '') ? asEndLine(cells[0] ?? '', line) : undefined
    if (claim !== undefined) {
      this.#end = claim
      return undefined
    }
    if (cells.length === this.#columns.length) return recordValue(cells, this.#columns)
    const detail = `the line has ${cells.length} cells, the header ${this.#columns.length}`
    return [{ pointer: '', code: 'cell-count', detail }]
  }

  /** Names are not repeated in errors: a file without a header begins with data. */
  #header(cells: readonly string[]): FieldError[] | undefined {
    const errors = cells.flatMap((name, index): FieldError[] => {
      const column = index + 1
      if (cells.indexOf(name) < index) return [{ column, code: 'duplicate', detail: `column ${column} is repeated` }]
      if (this.#known.has(name)) return []
      return [{ column, code: 'unknown-field', detail: `column ${column} of the header names no field` }]
    })
    if (errors.length > 0) return errors
    this.#columns = cells.map((name) => ({ path: name.split('.'), kind: this.#known.get(name) ?? 'text' }))
    return undefined
  }
}

function tooLongError(): FieldError[] {
  return [{ pointer: '', code: 'line-too-long', detail: `a record may have at most ${MAX_LINE_BYTES} bytes` }]
}
