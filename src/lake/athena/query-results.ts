import type { ColumnInfo, Row } from '@aws-sdk/client-athena'

export interface ResultColumn {
  readonly name: string
  /** Athena's name: `varchar`, `bigint`, `timestamp`, … */
  readonly type: string
}

/** Null, boolean, number or text; 64-bit integers beyond 2^53 and decimals are text, so that no digit is lost. */
export type ResultValue = string | number | boolean | null

export interface ResultPage {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly ResultValue[])[]
  /** Athena's token of the next page; undefined after the last. */
  readonly nextToken: string | undefined
}

export function resultColumns(columns: readonly ColumnInfo[] | undefined): ResultColumn[] {
  return (columns ?? []).map(({ Name = '', Type = 'varchar' }) => ({ name: Name, type: Type }))
}

const WHOLE = new Set(['tinyint', 'smallint', 'integer', 'int', 'bigint'])
const REAL = new Set(['real', 'float', 'double'])

export function resultValue(text: string | undefined, type: string): ResultValue {
  if (text === undefined) return null
  if (type === 'boolean') return text === 'true'
  if (WHOLE.has(type)) return Number.isSafeInteger(Number(text)) ? Number(text) : text
  // NaN and Infinity have no JSON number.
  if (REAL.has(type)) return Number.isFinite(Number(text)) ? Number(text) : text
  return text
}

/** A SELECT's first row repeats the column names; SHOW and DESCRIBE have no such row. */
export function isHeader(row: Row | undefined, columns: readonly ResultColumn[]): boolean {
  if (row === undefined || columns.length === 0) return false
  const cells = row.Data ?? []
  return cells.length === columns.length && columns.every(({ name }, i) => cells[i]?.VarCharValue === name)
}

export function resultRow(row: Row, columns: readonly ResultColumn[]): ResultValue[] {
  return columns.map(({ type }, i) => resultValue(row.Data?.[i]?.VarCharValue, type))
}

/** Cells that a spreadsheet would run as a formula get a leading apostrophe. */
const FORMULA = /^[=+\-@\t\r']/
const NEEDS_QUOTES = /[",\r\n]/

function csvCell(value: ResultValue, type: string): string {
  if (value === null) return ''
  const plain = String(value)
  const numeric = WHOLE.has(type) || REAL.has(type) || type === 'decimal'
  const safe = !numeric && FORMULA.test(plain) ? `'${plain}` : plain
  // Empty text is quoted, so that it differs from NULL.
  return safe === '' || NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** One CSV line (RFC 4180) with its CRLF. */
export function csvLine(row: readonly ResultValue[], columns: readonly ResultColumn[]): string {
  return `${columns.map(({ type }, i) => csvCell(row[i] ?? null, type)).join(',')}\r\n`
}

export function csvHeader(columns: readonly ResultColumn[]): string {
  const names = columns.map(({ name }) => name)
  return csvLine(
    names,
    columns.map(({ name }) => ({ name, type: 'varchar' })),
  )
}
