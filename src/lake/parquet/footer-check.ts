import type { ColumnChunk, FileMetaData, RowGroup, SchemaElement } from 'hyparquet'
import type { ExportColumn } from '../contract.ts'
import type { AthenaType } from '../datasets.ts'
import { parquetType } from './parquet-type.ts'

/** The magic at the start of every file. */
const FIRST_OFFSET = 4

/** What is said of a column, as one text that can be compared and shown. */
function description({ physical, typeLength, converted, logical }: Described): string {
  const annotation = logical ? JSON.stringify(logical, Object.keys(logical).sort()) : 'no logical type'
  return `${physical}${typeLength ? `(${typeLength})` : ''} ${converted ?? 'no converted type'} ${annotation}`
}

interface Described {
  readonly physical: string | undefined
  readonly typeLength?: number | undefined
  readonly converted?: string | undefined
  readonly logical?: object | undefined
}

function found(element: SchemaElement): string {
  const { type, type_length, converted_type, logical_type, precision, scale, repetition_type } = element
  const text = description({
    physical: type,
    typeLength: type_length,
    converted: converted_type,
    logical: logical_type,
  })
  // Decimals say their digits twice; what the old way says must not differ.
  const old = converted_type === 'DECIMAL' ? ` ${precision},${scale}` : ''
  return `${repetition_type} ${text}${old}`
}

function expected(column: ExportColumn): string {
  const type = parquetType(column)
  const old = type.logical?.type === 'DECIMAL' ? ` ${type.logical.precision},${type.logical.scale}` : ''
  return `OPTIONAL ${description(type)}${old}`
}

function schemaProblems(footer: FileMetaData, columns: readonly ExportColumn[]): string[] {
  const elements = footer.schema.slice(1)
  const names = elements.map((each) => each.name)
  const wanted = columns.map((each) => each.name)
  if (names.join('\n') !== wanted.join('\n')) return [`its columns are ${names.join(', ')}, not ${wanted.join(', ')}`]
  return columns.flatMap((column, i) => {
    const written = found(elements[i] as SchemaElement)
    const right = expected(column)
    return written === right ? [] : [`${column.name} is ${written}, not ${right}`]
  })
}

/** Byte ranges of a chunk's index structures; both lie between the data and the footer. */
function indexRanges(chunk: ColumnChunk): [string, number, number][] {
  const range = (what: string, offset: bigint | undefined, length: number | undefined): [string, number, number][] =>
    offset === undefined ? [] : [[what, Number(offset), Number(offset) + (length ?? 0)]]
  return [
    ...range('column index', chunk.column_index_offset, chunk.column_index_length),
    ...range('offset index', chunk.offset_index_offset, chunk.offset_index_length),
  ]
}

function groupProblems(
  group: RowGroup,
  number: number,
  start: number,
  dataEnd: number,
): { problems: string[]; end: number } {
  const problems: string[] = []
  let at = start
  for (const chunk of group.columns) {
    const meta = chunk.meta_data
    const name = `${meta?.path_in_schema.join('.')} of row group ${number}`
    if (!meta) {
      problems.push(`${name} has no metadata`)
      continue
    }
    const begin = Number(meta.dictionary_page_offset ?? meta.data_page_offset)
    if (begin !== at) problems.push(`${name} begins at ${begin}, not ${at}`)
    at = begin + Number(meta.total_compressed_size)
    if (at > dataEnd) problems.push(`${name} ends at ${at}, behind the data, which end at ${dataEnd}`)
    if (meta.num_values !== group.num_rows)
      problems.push(`${name} has ${meta.num_values} values for ${group.num_rows} rows`)
    for (const [what, from, to] of indexRanges(chunk)) {
      if (from < FIRST_OFFSET || to > dataEnd || to <= from)
        problems.push(`the ${what} of ${name} lies outside the file`)
    }
  }
  return { problems, end: at }
}

/**
 * Everything in which a footer differs from what the contract and the size of the file say.
 *
 * @param dataEnd offset of the footer in the file.
 */
export function footerProblems(footer: FileMetaData, dataEnd: number, columns: readonly ExportColumn[]): string[] {
  const problems = schemaProblems(footer, columns)
  let at = FIRST_OFFSET
  let rows = 0n
  for (const [number, group] of footer.row_groups.entries()) {
    if (group.columns.length !== columns.length)
      problems.push(`row group ${number} has ${group.columns.length} columns`)
    const checked = groupProblems(group, number, at, dataEnd)
    problems.push(...checked.problems)
    at = checked.end
    rows += group.num_rows
  }
  if (rows !== footer.num_rows) problems.push(`its row groups have ${rows} rows, the file ${footer.num_rows}`)
  return problems
}

function athenaType(element: SchemaElement): AthenaType | `unknown: ${string}` {
  const { type, converted_type, precision, scale } = element
  if (converted_type === 'DECIMAL') return `decimal(${precision ?? 0},${scale ?? 0})`
  if (converted_type === 'UTF8') return 'string'
  if (converted_type === 'DATE') return 'date'
  if (converted_type === 'TIMESTAMP_MICROS') return 'timestamp'
  if (converted_type === undefined && type === 'INT32') return 'int'
  if (converted_type === undefined && type === 'INT64') return 'bigint'
  if (converted_type === undefined && type === 'BOOLEAN') return 'boolean'
  return `unknown: ${found(element)}`
}

export function footerTypes(footer: FileMetaData): ReadonlyMap<string, AthenaType | `unknown: ${string}`> {
  return new Map(footer.schema.slice(1).map((element) => [element.name, athenaType(element)]))
}
