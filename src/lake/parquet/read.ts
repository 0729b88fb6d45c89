import { type AsyncBuffer, type ColumnChunk, type FileMetaData, parquetMetadata } from 'hyparquet'
import type { ExportColumn } from '../contract.ts'
import {
  type IndexRegion,
  type PageFacts,
  pageIndexProblems,
  type RawStatistics,
  rawStatistics,
  statisticsProblems,
  type ValueFacts,
} from './bounds-check.ts'
import { type DataPage, dataPages, physicalDecoder } from './data-pages.ts'
import { footerProblems } from './footer-check.ts'
import { parquetType } from './parquet-type.ts'
import { type PhysicalValue, valueOrder } from './physical-values.ts'
import { ColumnSum } from './sums.ts'

/** Reading back with hyparquet: another implementation than the one that wrote the file. */

export interface FooterCounts {
  readonly rows: number
  readonly rowGroups: number
}

/** The footer as read by hyparquet. @throws Error when the bytes are no end of a Parquet file. */
function readTail(tail: Buffer): FileMetaData {
  try {
    return parquetMetadata(tail, { geoparquet: false })
  } catch (error) {
    throw new Error(`The footer cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Opens the end of a file and compares it with the contract: columns and their types in order, row counts, sizes, and that every
 * offset lies inside the file.
 *
 * @param tail from the start of the footer to the end of the file.
 * @param fileBytes size of the whole file.
 * @throws Error naming everything that differs.
 */
export function checkTail(tail: Buffer, fileBytes: number, columns: readonly ExportColumn[]): FooterCounts {
  const footer = readTail(tail)
  const problems = footerProblems(footer, fileBytes - footer.metadata_length - 8, columns)
  if (problems.length > 0) throw new Error(`The footer differs from the contract: ${problems.join('; ')}`)
  return { rows: Number(footer.num_rows), rowGroups: footer.row_groups.length }
}

/** Key-value metadata of a footer. */
export function fileMetadata(tail: Buffer): ReadonlyMap<string, string> {
  return new Map((readTail(tail).key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

/** What `verifyFile` found wrong with a file that can be read. */
export interface ReadProblem {
  readonly kind: 'statistics' | 'page-index'
  readonly message: string
}

export interface ReadBack {
  readonly rows: number
  readonly columns: Readonly<Record<string, { readonly nulls: number; readonly sum: string }>>
  /** Bounds and counts by which an engine would leave out rows that are there; the first few. */
  readonly problems: readonly ReadProblem[]
}

export interface VerifyFileOptions {
  /** After each column of each row group. */
  readonly onChunk?: (rows: number) => void
}

/** A broken file may have one problem a page. */
const MOST_PROBLEMS = 20

function addValue(sum: ColumnSum, value: PhysicalValue): void {
  if (typeof value === 'number') sum.add(value | 0)
  else if (typeof value === 'boolean') sum.add(value ? 1 : 0)
  else if (typeof value === 'bigint') {
    sum.add(Number(BigInt.asIntN(32, value)))
    sum.add(Number(BigInt.asIntN(32, value >> 32n)))
  } else sum.addBytes(value)
}

/** Sums the values of a page and looks for the smallest and the largest. */
function pageFacts(
  { bytes, offset, values }: DataPage,
  order: ReturnType<typeof valueOrder>,
  sum: ColumnSum,
): PageFacts {
  let nulls = 0
  let min: PhysicalValue | undefined
  let max: PhysicalValue | undefined
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null || value === undefined) {
      nulls++
      sum.addNull()
      continue
    }
    addValue(sum, value)
    if (min === undefined || order(value, min) < 0) min = value
    if (max === undefined || order(value, max) > 0) max = value
  }
  // Values may be views of the page, which must not be kept for a bound.
  const own = (value: PhysicalValue | undefined) => (value instanceof Uint8Array ? Uint8Array.from(value) : value)
  return { offset, bytes, rows: values.length, nulls, min: own(min), max: own(max) }
}

function chunkFacts(pages: readonly PageFacts[], order: ReturnType<typeof valueOrder>): ValueFacts {
  const defined = (value: PhysicalValue | undefined): value is PhysicalValue => value !== undefined
  const [min] = pages
    .map((page) => page.min)
    .filter(defined)
    .sort(order)
  const max = pages
    .map((page) => page.max)
    .filter(defined)
    .sort(order)
    .at(-1)
  const total = (of: (page: PageFacts) => number) => pages.reduce((sum, page) => sum + of(page), 0)
  return { rows: total((page) => page.rows), nulls: total((page) => page.nulls), min, max }
}

interface OpenFile {
  readonly file: AsyncBuffer
  readonly footer: FileMetaData
  readonly statistics: RawStatistics[][]
  readonly index: IndexRegion
}

async function open(file: AsyncBuffer, columns: readonly ExportColumn[]): Promise<OpenFile> {
  const end = new DataView(await file.slice(file.byteLength - 8))
  const footerBytes = end.getUint32(0, true)
  const footerStart = file.byteLength - 8 - footerBytes
  if (footerStart < 0) throw new Error('The footer would begin before the file')
  const tail = Buffer.from(await file.slice(footerStart))
  const footer = readTail(tail)
  const problems = footerProblems(footer, footerStart, columns)
  if (problems.length > 0) throw new Error(`The footer differs from the contract: ${problems.join('; ')}`)
  const last = footer.row_groups.at(-1)?.columns.at(-1)
  const start = last === undefined ? footerStart : chunkStart(last) + Number(last.meta_data?.total_compressed_size)
  const bytes = start < footerStart ? new Uint8Array(await file.slice(start, footerStart)) : new Uint8Array(0)
  return { file, footer, statistics: rawStatistics(tail.subarray(0, footerBytes)), index: { start, bytes } }
}

const chunkStart = ({ meta_data: meta }: ColumnChunk) => Number(meta?.dictionary_page_offset ?? meta?.data_page_offset)

/**
 * Reads every value of a file, computes null counts and column sums anew, and compares statistics and page index with the values.
 *
 * Memory: one column of one row group as it lies in the file, the values of one of its pages, and the page index.
 *
 * @throws Error when the footer differs from the contract or a page cannot be read.
 */
export async function verifyFile(
  file: AsyncBuffer,
  columns: readonly ExportColumn[],
  { onChunk }: VerifyFileOptions = {},
): Promise<ReadBack> {
  const opened = await open(file, columns)
  const found: Record<string, { nulls: number; sum: string }> = {}
  const problems: ReadProblem[] = []
  for (const [field, column] of columns.entries()) {
    const sum = new ColumnSum()
    let nulls = 0
    for (const [number, group] of opened.footer.row_groups.entries()) {
      const checked = await checkChunk(opened, { number, field, column, sum })
      if (checked.rows !== Number(group.num_rows)) {
        throw new Error(`${column.name}: ${checked.rows} values can be read from a row group of ${group.num_rows} rows`)
      }
      nulls += checked.nulls
      problems.push(...checked.problems.slice(0, MOST_PROBLEMS - problems.length))
      onChunk?.(checked.rows)
    }
    found[column.name] = { nulls, sum: sum.toString() }
  }
  return { rows: Number(opened.footer.num_rows), columns: found, problems }
}

async function checkChunk(
  { file, footer, index, statistics }: OpenFile,
  { number, field, column, sum }: { number: number; field: number; column: ExportColumn; sum: ColumnSum },
): Promise<ValueFacts & { readonly problems: ReadProblem[] }> {
  const chunk = footer.row_groups[number]?.columns[field]
  if (chunk?.meta_data === undefined) throw new Error(`${column.name} has no chunk in row group ${number}`)
  const { physical } = parquetType(column)
  const order = valueOrder(physical)
  const start = chunkStart(chunk)
  const bytes = new Uint8Array(await file.slice(start, start + Number(chunk.meta_data.total_compressed_size)))
  const pages: PageFacts[] = []
  const rows = Number(footer.row_groups[number]?.num_rows)
  for (const page of dataPages(bytes, { rows, start }, physicalDecoder(footer, chunk.meta_data))) {
    pages.push(pageFacts(page, order, sum))
  }
  const facts = chunkFacts(pages, order)
  const place = `${column.name} in row group ${number}`
  const written = statistics[number]?.[field]
  const problem = (kind: ReadProblem['kind']) => (message: string) => ({ kind, message: `${place}: ${message}` })
  return {
    ...facts,
    problems: [
      ...(written === undefined ? [] : statisticsProblems(physical, written, facts).map(problem('statistics'))),
      ...pageIndexProblems(chunk, physical, index, pages).map(problem('page-index')),
    ],
  }
}
