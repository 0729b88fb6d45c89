import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadata,
  parquetMetadataAsync,
  parquetRead,
} from 'hyparquet'
import type { ExportColumn } from '../contract.ts'
import type { AthenaType } from '../datasets.ts'
import { codec } from './codecs.ts'
import { footerProblems, footerTypes } from './footer-check.ts'
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

/** Name and Athena type of each column of a footer, in order; `unknown: …` for a type that we never write. */
export function footerSchema(tail: Buffer): ReadonlyMap<string, AthenaType | `unknown: ${string}`> {
  return footerTypes(readTail(tail))
}

export interface ReadBack {
  readonly rows: number
  readonly columns: Readonly<Record<string, { readonly nulls: number; readonly sum: string }>>
}

/** Physical values, as they lie in the file: hyparquet would make dates, floating decimals and strings of them. */
function physical(footer: FileMetaData): FileMetaData {
  const schema = footer.schema.map(({ converted_type: _, logical_type: __, ...element }) => element)
  return { ...footer, schema }
}

/** Only those that the file needs are loaded. */
const decompressors: Compressors = {
  ZSTD: (bytes) => codec('zstd').decompress(bytes),
  SNAPPY: (bytes) => codec('snappy').decompress(bytes),
  GZIP: (bytes) => codec('gzip').decompress(bytes),
}

function addValue(sum: ColumnSum, value: unknown): void {
  if (typeof value === 'number') sum.add(value | 0)
  else if (typeof value === 'boolean') sum.add(value ? 1 : 0)
  else if (typeof value === 'bigint') {
    sum.add(Number(BigInt.asIntN(32, value)))
    sum.add(Number(BigInt.asIntN(32, value >> 32n)))
  } else sum.addBytes(value as Uint8Array)
}

/**
 * Reads every value of a file and computes null counts and column sums anew.
 *
 * Memory: one column of one row group, decoded.
 *
 * @throws Error when the footer differs from the contract or a page cannot be read.
 */
export async function verifyFile(file: AsyncBuffer, columns: readonly ExportColumn[]): Promise<ReadBack> {
  const footer = await parquetMetadataAsync(file, { geoparquet: false })
  const problems = footerProblems(footer, file.byteLength - footer.metadata_length - 8, columns)
  if (problems.length > 0) throw new Error(`The footer differs from the contract: ${problems.join('; ')}`)
  const metadata = physical(footer)
  const found: Record<string, { nulls: number; sum: string }> = {}
  for (const { name } of columns) {
    const sum = new ColumnSum()
    let nulls = 0
    let rowStart = 0
    for (const group of footer.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows)
      let rows = 0
      await parquetRead({
        file,
        metadata,
        columns: [name],
        rowStart,
        rowEnd,
        compressors: decompressors,
        utf8: false,
        onPage: ({ columnData }) => {
          rows += columnData.length
          for (const value of columnData) {
            if (value === null || value === undefined) {
              nulls++
              sum.addNull()
            } else addValue(sum, value)
          }
        },
      })
      if (rows !== Number(group.num_rows)) {
        throw new Error(`${name}: ${rows} values can be read from a row group of ${group.num_rows} rows`)
      }
      rowStart = rowEnd
    }
    found[name] = { nulls, sum: sum.toString() }
  }
  return { rows: Number(footer.num_rows), columns: found }
}
