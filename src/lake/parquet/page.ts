import type { ExportColumn } from '../contract.ts'
import type { Compare, PageEncoding } from './column.ts'

/** A compressed page with its header, as it goes into the file. */
export interface Page {
  readonly header: Buffer
  readonly body: Buffer
  readonly uncompressedBytes: number
  readonly rows: number
  readonly nulls: number
  readonly isDictionary: boolean
  readonly encoding: PageEncoding
  readonly min: Buffer | undefined
  readonly max: Buffer | undefined
}

export interface Chunk {
  readonly column: ExportColumn
  readonly compare: Compare
  readonly pages: readonly Page[]
}

/** Smallest and largest bound of pages; undefined when any page that has values has none. */
export function chunkBounds({
  pages,
  compare,
}: Pick<Chunk, 'pages' | 'compare'>): readonly [Buffer, Buffer] | undefined {
  let min: Buffer | undefined
  let max: Buffer | undefined
  for (const each of pages) {
    if (each.isDictionary || each.nulls === each.rows) continue
    if (!each.min || !each.max) return undefined
    if (!min || compare(each.min, min) < 0) min = each.min
    if (!max || compare(each.max, max) > 0) max = each.max
  }
  return min && max ? [min, max] : undefined
}

/** ASCENDING or DESCENDING when the bounds of the pages with values are, else UNORDERED (Parquet format, PageIndex.md). */
export function boundaryOrder(pages: readonly Page[], compare: Compare): 'ASCENDING' | 'DESCENDING' | 'UNORDERED' {
  const filled = pages.filter((each) => each.min !== undefined)
  const rising = (sign: number) =>
    filled.every((each, i) => {
      const before = filled[i - 1]
      if (!before) return true
      return (
        sign * compare(before.min as Buffer, each.min as Buffer) <= 0 &&
        sign * compare(before.max as Buffer, each.max as Buffer) <= 0
      )
    })
  return rising(1) ? 'ASCENDING' : rising(-1) ? 'DESCENDING' : 'UNORDERED'
}

/** Whether every page that has values has bounds that may be written: only then is a column index allowed. */
export function hasAllBounds(pages: readonly Page[]): boolean {
  return pages.every(({ rows, nulls, min, max }) => nulls === rows || (min !== undefined && max !== undefined))
}
