import { isUtf8 } from 'node:buffer'
import { type FieldError, invalid } from '../errors.ts'
import { parseCells, recordValue } from './csv-cells.ts'
import type { CellKind } from './csv-columns.ts'
import { afterEnd, EndCheck, type EndClaim, endClaimOf } from './end-line.ts'
import { type InputLine, isRecord, type LineReader, MAX_LINE_BYTES } from './input.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

interface Column {
  readonly path: readonly string[]
  readonly kind: CellKind
}

/** Where the reader stands. `quoteInQuotes`: the end of the cell, or the first half of a doubled quote. */
type Place = 'cellStart' | 'plain' | 'quoted' | 'quoteInQuotes' | 'tooLong'

/**
 * CSV (RFC 4180, UTF-8) from chunks cut anywhere. Lines are physical: a record that spans lines has the number of its first.
 * Memory: one record of at most 64 KB. A longer one, such as one whose quote is never closed, is reported, and reading goes on
 * with the next physical line.
 */
export class CsvReader implements LineReader {
  readonly #known: ReadonlyMap<string, CellKind>
  #columns: readonly Column[] | undefined
  #pieces: Buffer[] = []
  #bytes = 0
  #place: Place = 'cellStart'
  #line = 1
  #recordLine = 1
  readonly #check = new EndCheck()

  /** @param known the columns that there may be, see `csvColumns` */
  constructor(known: ReadonlyMap<string, CellKind>) {
    this.#known = known
  }

  /** @throws AppError `validation` of the header */
  push(chunk: Buffer): InputLine[] {
    const lines: InputLine[] = []
    let start = 0
    let open: number | undefined
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
      this.#take(lines, open === undefined ? undefined : chunk.subarray(0, open))
      start = at + 1
      open = start
    }
    this.#keep(chunk.subarray(start), true)
    this.#check.read(chunk, open)
    return lines
  }

  finish(): InputLine[] {
    const lines: InputLine[] = []
    if (this.#bytes > 0 || this.#place === 'tooLong') this.#take(lines, undefined)
    return lines
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

  /** `before`: what of the chunk is before the record; undefined when it began in an earlier one. */
  #take(lines: InputLine[], before: Buffer | undefined): void {
    const [line, pieces, tooLong] = [this.#recordLine, this.#pieces, this.#place === 'tooLong']
    this.#recordLine = this.#line
    this.#pieces = []
    this.#bytes = 0
    this.#place = 'cellStart'
    const cells = tooLong ? TOO_LONG : cellsOf(pieces, line === 1)
    if (cells === undefined) return
    if (this.#columns === undefined) this.#header(cells)
    else if (this.#check.endedAt !== undefined) lines.push(afterEnd(line, this.#check.endedAt))
    else {
      const claim = Array.isArray(cells) ? endOf(cells) : undefined
      if (claim !== undefined) {
        const error = 'code' in claim ? claim : this.#check.end(claim, line, before)
        if (error !== undefined) lines.push({ line, error })
        return
      }
      this.#check.countRow()
      lines.push(this.#record(line, cells, this.#columns))
    }
  }

  #record(line: number, cells: readonly string[] | FieldError, columns: readonly Column[]): InputLine {
    if (!isCells(cells)) return { line, error: cells }
    if (cells.length !== columns.length) {
      const detail = `the line has ${cells.length} cells, the header ${columns.length}`
      return { line, error: { pointer: '', code: 'cell-count', detail } }
    }
    const value = recordValue(cells, columns)
    return Array.isArray(value) ? { line, error: value[0] as FieldError } : { line, value }
  }

  /** Names are not repeated in errors: a file without a header begins with data. */
  #header(cells: readonly string[] | FieldError): void {
    if (!isCells(cells)) throw invalid([cells])
    const errors = cells.flatMap((name, index): FieldError[] => {
      const column = index + 1
      if (cells.indexOf(name) < index) return [{ column, code: 'duplicate', detail: `column ${column} is repeated` }]
      if (this.#known.has(name)) return []
      return [{ column, code: 'unknown-field', detail: `column ${column} of the header names no field` }]
    })
    if (errors.length > 0) throw invalid(errors)
    this.#columns = cells.map((name) => ({ path: name.split('.'), kind: this.#known.get(name) ?? 'text' }))
  }
}

const isCells = (cells: readonly string[] | FieldError): cells is readonly string[] => Array.isArray(cells)

const TOO_LONG: FieldError = {
  pointer: '',
  code: 'line-too-long',
  detail: `a record may have at most ${MAX_LINE_BYTES} bytes`,
}

/** The cells of a record, or why it has none; undefined: it is blank. */
function cellsOf(pieces: readonly Buffer[], isFirst: boolean): readonly string[] | FieldError | undefined {
  let bytes = Buffer.concat(pieces)
  if (isFirst && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3)
  if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
  if (bytes.length > MAX_LINE_BYTES) return TOO_LONG
  if (!isUtf8(bytes)) return { pointer: '', code: 'invalid-utf8', detail: 'the line is not valid UTF-8' }
  const text = bytes.toString('utf8')
  if (text.trim() === '') return undefined
  const detail = 'a quote stands inside of a cell that does not begin with one, or is not closed'
  return parseCells(text) ?? { pointer: '', code: 'malformed-csv', detail }
}

/** The end line of a CSV: its object in the first cell, and nothing in the others. */
function endOf(cells: readonly string[]): EndClaim | FieldError | undefined {
  const [first = '', ...others] = cells
  if (!first.startsWith('{"_end"') || others.some((cell) => cell !== '')) return undefined
  try {
    const value = JSON.parse(first) as unknown
    return isRecord(value) ? endClaimOf(value) : undefined
  } catch {
    return undefined
  }
}
