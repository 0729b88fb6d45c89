import type { Principal } from '../caller.ts'
import type { TableName } from '../lake/datasets.ts'
import type { ListPart, RawBatch, RawColumn, RawKind, RawRow } from '../list.ts'
import { toCamelCase } from '../naming.ts'
import { csvCell, NULL_CELL } from './csv-text.ts'
import { jsonText, jsonValue } from './raw-text.ts'
import { readableFields } from './visibility.ts'

/**
 * Rows of an export as lines of text. Written for speed: values travel as the text that PostgreSQL sends, the names before them are
 * made once, and no object is made for a row.
 */

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Rows as the caller may see them. */
export interface ExportShape {
  readonly table: TableName
  readonly principal: Principal
  readonly format: ExportFormat
  /** Only these; default: every field that the caller may see. */
  readonly fields?: ReadonlySet<string> | undefined
  /** Embedded rows and their names. */
  readonly parts: readonly (readonly [string, ListPart])[]
  /** Where a row is more than its columns: the row as an object, as `listRoute` presents it. */
  readonly present?: ((row: object) => Record<string, unknown>) | undefined
}

export interface LineWriter {
  /** Before the first row; empty where the format has none. */
  readonly header: string
  lines(batch: RawBatch): string
  /** After the last row; the object of the end line. */
  end(totals: object): string
}

interface Column {
  readonly index: number
  readonly field: string
  readonly kind: RawKind
}

/** The columns of an export in the order of `datasets.ts`, the key first. */
function columnsOf(columns: readonly RawColumn[], { table, principal, fields }: ExportShape): Column[] {
  const found = new Map(columns.map(({ name, kind }, index) => [toCamelCase(name), { index, kind }]))
  return readableFields(table, principal).flatMap((field) => {
    const column = found.get(field)
    return column === undefined || (fields !== undefined && !fields.has(field)) ? [] : [{ field, ...column }]
  })
}

/** @param columns of the rows that will come */
export function lineWriter(columns: readonly RawColumn[], shape: ExportShape): LineWriter {
  if (shape.present !== undefined) return presentedWriter(columns, shape, shape.present)
  const chosen = columnsOf(columns, shape)
  return shape.format === 'csv' ? csvWriter(chosen, shape) : ndjsonWriter(chosen, shape)
}

function ndjsonWriter(columns: readonly Column[], { parts }: ExportShape): LineWriter {
  const indexes = columns.map(({ index }) => index)
  const kinds = columns.map(({ kind }) => kind)
  const names = columns.map(({ field }, place) => `${place === 0 ? '{' : ','}${JSON.stringify(field)}:`)
  const partNames = parts.map(([name]) => `,${JSON.stringify(name)}:`)
  const count = columns.length
  return {
    header: '',
    lines({ rows, parts }) {
      let text = ''
      for (const row of rows) {
        for (let at = 0; at < count; at++) {
          const value = row[indexes[at] as number] as string | null
          text += names[at]
          text += value === null ? 'null' : jsonText(value, kinds[at] as RawKind)
        }
        parts.forEach((part, at) => {
          text += partNames[at]
          text += partText(part.columns, part.rowsOf.get(row[0] as string))
        })
        text += '}\n'
      }
      return text
    },
    end: (totals) => `${JSON.stringify({ _end: totals })}\n`,
  }
}

function csvWriter(columns: readonly Column[], { parts }: ExportShape): LineWriter {
  const header = [...columns.map(({ field }) => field), ...parts.map(([name]) => name)]
  const count = columns.length
  return {
    header: `${header.join(',')}\r\n`,
    lines({ rows, parts }) {
      let text = ''
      for (const row of rows) {
        for (let at = 0; at < count; at++) {
          const { index, kind } = columns[at] as Column
          const value = row[index] as string | null
          if (at > 0) text += ','
          text += value === null ? NULL_CELL : csvCell(value, kind)
        }
        for (const part of parts)
          text += `,${csvCell(partText(part.columns, part.rowsOf.get(row[0] as string)), 'json')}`
        text += '\r\n'
      }
      return text
    },
    end: csvEnd(header.length),
  }
}

const csvEnd = (width: number) => (totals: object) =>
  `${csvCell(JSON.stringify({ _end: totals }), 'json')}${','.repeat(width - 1)}\r\n`

/** The embedded rows as a JSON array. */
function partText(columns: readonly RawColumn[], rows: readonly RawRow[] = []): string {
  const objects = rows.map((row) => {
    const members = columns.map(({ name, kind }, at) => {
      const value = row[at] ?? null
      return `${JSON.stringify(toCamelCase(name))}:${value === null ? 'null' : jsonText(value, kind)}`
    })
    return `{${members.join(',')}}`
  })
  return `[${objects.join(',')}]`
}

/** For the few lists whose rows are presented by hand. */
function presentedWriter(
  columns: readonly RawColumn[],
  { format, table, principal, fields }: ExportShape,
  present: NonNullable<ExportShape['present']>,
): LineWriter {
  const names = columns.map(({ name }) => toCamelCase(name))
  const header = readableFields(table, principal).filter((field) => fields === undefined || fields.has(field))
  const shown = ({ rows }: RawBatch) =>
    rows.map((row) => present(Object.fromEntries(columns.map(({ kind }, at) => [names[at], jsonValue(row[at], kind)]))))
  if (format === 'ndjson') {
    return {
      header: '',
      lines: (batch) =>
        shown(batch)
          .map((row) => `${JSON.stringify(row)}\n`)
          .join(''),
      end: (totals) => `${JSON.stringify({ _end: totals })}\n`,
    }
  }
  const cell = (value: unknown) => {
    if (value === null || value === undefined) return NULL_CELL
    return typeof value === 'string' ? csvCell(value, 'text') : csvCell(JSON.stringify(value), 'json')
  }
  return {
    header: `${header.join(',')}\r\n`,
    lines: (batch) =>
      shown(batch)
        .map((row) => `${header.map((field) => cell(row[field])).join(',')}\r\n`)
        .join(''),
    end: csvEnd(header.length),
  }
}
