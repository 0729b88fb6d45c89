import type { FieldError } from '../errors.ts'
import { parseJsonText } from '../http/json-text.ts'
import type { CellKind } from './csv-columns.ts'

/** NULL, where an empty cell is "not given". */
const NULL_CELL = '\\N'
/** What an export put before a text that a spreadsheet would take for a formula. */
const SHIELDED = /^'(?=[=+\-@\t\r']|\\N$)/

/** The cells of one record, RFC 4180; undefined when its quotes are not where they may be. */
export function parseCells(record: string): string[] | undefined {
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (record[at] === '"') {
      const cell = quotedCell(record, at)
      if (cell === undefined) return undefined
      cells.push(cell.text)
      at = cell.end
    } else {
      const comma = record.indexOf(',', at)
      const end = comma < 0 ? record.length : comma
      const text = record.slice(at, end)
      if (text.includes('"')) return undefined
      cells.push(text)
      at = end
    }
    if (at >= record.length) return cells
    if (record[at] !== ',') return undefined
    at++
  }
}

function quotedCell(record: string, start: number): { text: string; end: number } | undefined {
  let from = start + 1
  let text = ''
  for (;;) {
    const quote = record.indexOf('"', from)
    if (quote < 0) return undefined
    text += record.slice(from, quote)
    if (record[quote + 1] !== '"') return { text, end: quote + 1 }
    text += '"'
    from = quote + 2
  }
}

/** The value of a cell, undefined for "not given"; or why it has none. */
export function cellValue(cell: string, kind: CellKind): { readonly value: unknown } | { readonly code: string } {
  if (cell === '') return { value: undefined }
  if (cell === NULL_CELL) return { value: null }
  const text = cell.replace(SHIELDED, '')
  if (kind === 'text') return { value: text }
  try {
    return { value: parseJsonText(text) }
  } catch {
    return { code: 'malformed-json' }
  }
}

/** A record's cells as the object that they say, or the errors of the cells. */
export function recordValue(
  cells: readonly string[],
  columns: readonly { readonly path: readonly string[]; readonly kind: CellKind }[],
): Record<string, unknown> | FieldError[] {
  const value: Record<string, unknown> = {}
  const errors: FieldError[] = []
  columns.forEach(({ path, kind }, index) => {
    const cell = cellValue(cells[index] ?? '', kind)
    if ('code' in cell) errors.push({ pointer: `/${path.join('/')}`, code: cell.code, detail: 'the cell must be JSON' })
    else if (cell.value !== undefined) place(value, path, cell.value)
  })
  return errors.length > 0 ? errors : value
}

function place(value: Record<string, unknown>, path: readonly string[], cell: unknown): void {
  let at = value
  for (const name of path.slice(0, -1)) {
    at[name] ??= {}
    at = at[name] as Record<string, unknown>
  }
  at[path.at(-1) as string] = cell
}
