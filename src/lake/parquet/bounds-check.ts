import { type ColumnMetaData, readColumnIndex, readOffsetIndex, type SchemaElement } from 'hyparquet'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import type { ParquetType } from './parquet-type.ts'
import { boundValue, type PhysicalValue, valueOrder } from './physical-values.ts'

/**
 * Engines leave out what statistics and page index say cannot match, so a wrong bound loses rows without a word. Here both are compared
 * with the values that are really there.
 */

/** What the values of one page or one chunk are. */
export interface ValueFacts {
  readonly rows: number
  readonly nulls: number
  /** Undefined without a value. */
  readonly min: PhysicalValue | undefined
  readonly max: PhysicalValue | undefined
}

export interface PageFacts extends ValueFacts {
  readonly offset: number
  readonly bytes: number
}

/** Statistics of a chunk as bytes (parquet.thrift, Statistics): hyparquet makes floating decimals of them. */
export interface RawStatistics {
  readonly nulls: bigint | undefined
  /** By field: the deprecated pair and the one in the type's order. */
  readonly bounds: readonly {
    readonly what: string
    readonly min: Uint8Array | undefined
    readonly max: Uint8Array | undefined
  }[]
}

/** Of every chunk, by row group, then by column. @param footer thrift bytes of the file's metadata. */
export function rawStatistics(footer: Uint8Array): RawStatistics[][] {
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength)
  const metadata = deserializeTCompactProtocol({ view, offset: 0 })
  const groups = (metadata.field_4 ?? []) as { field_1: { field_3?: { field_12?: Record<string, unknown> } }[] }[]
  return groups.map((group) =>
    group.field_1.map(({ field_3: chunk }) => {
      const found = (chunk?.field_12 ?? {}) as Record<string, Uint8Array | undefined>
      return {
        nulls: found.field_3 as unknown as bigint | undefined,
        bounds: [
          { what: 'deprecated bounds', min: found.field_2, max: found.field_1 },
          { what: 'bounds', min: found.field_6, max: found.field_5 },
        ],
      }
    }),
  )
}

type Physical = ParquetType['physical']

function outside(
  physical: Physical,
  bounds: { readonly min: Uint8Array | undefined; readonly max: Uint8Array | undefined },
  { max, min }: ValueFacts,
): boolean {
  if (min === undefined || max === undefined) return false
  const order = valueOrder(physical)
  const below = bounds.min !== undefined && order(boundValue(physical, bounds.min), min) > 0
  return below || (bounds.max !== undefined && order(boundValue(physical, bounds.max), max) < 0)
}

/** Where the statistics of a chunk leave out a value or count NULLs wrongly. */
export function statisticsProblems(physical: Physical, found: RawStatistics, facts: ValueFacts): string[] {
  const problems: string[] = []
  if (found.nulls !== undefined && Number(found.nulls) !== facts.nulls) {
    problems.push(`its statistics count ${found.nulls} NULLs, ${facts.nulls} are there`)
  }
  for (const { what, ...bounds } of found.bounds) {
    if (outside(physical, bounds, facts)) problems.push(`the ${what} of its statistics leave out a value that is there`)
  }
  return problems
}

/** The bytes between the data and the footer, where the page index lies. */
export interface IndexRegion {
  readonly start: number
  readonly bytes: Uint8Array
}

function slice(region: IndexRegion, offset: bigint | undefined, length: number | undefined): DataView | undefined {
  if (offset === undefined || length === undefined) return undefined
  const from = Number(offset) - region.start
  if (from < 0 || from + length > region.bytes.length) throw new RangeError('it lies outside the index of the file')
  return new DataView(region.bytes.buffer, region.bytes.byteOffset + from, length)
}

type ChunkIndexes = {
  readonly column_index_offset?: bigint
  readonly column_index_length?: number
  readonly offset_index_offset?: bigint
  readonly offset_index_length?: number
}

/** Where the page index of a chunk leads to other pages than there are, or leaves out a value. */
export function pageIndexProblems(
  chunk: ChunkIndexes & { readonly meta_data?: ColumnMetaData },
  physical: Physical,
  region: IndexRegion,
  pages: readonly PageFacts[],
): string[] {
  try {
    const offsets = slice(region, chunk.offset_index_offset, chunk.offset_index_length)
    const columns = slice(region, chunk.column_index_offset, chunk.column_index_length)
    return [
      ...(offsets === undefined ? [] : locationProblems(offsets, pages)),
      ...(columns === undefined ? [] : columnIndexProblems(columns, physical, pages)),
    ]
  } catch (error) {
    return [`its page index cannot be read: ${(error as Error).message}`]
  }
}

function locationProblems(view: DataView, pages: readonly PageFacts[]): string[] {
  const { page_locations: found } = readOffsetIndex({ view, offset: 0 })
  if (found.length !== pages.length) return [`its offset index has ${found.length} pages, ${pages.length} are there`]
  let firstRow = 0
  return pages.flatMap((page, i) => {
    const location = found[i]
    const right =
      Number(location?.offset) === page.offset &&
      location?.compressed_page_size === page.bytes &&
      Number(location.first_row_index) === firstRow
    firstRow += page.rows
    return right ? [] : [`its offset index leads to another place than page ${i}`]
  })
}

function columnIndexProblems(view: DataView, physical: Physical, pages: readonly PageFacts[]): string[] {
  // Bounds as they are: an element without a type of its own is not converted.
  const asBytes: SchemaElement = { name: 'bound', type: 'FIXED_LEN_BYTE_ARRAY' }
  const index = readColumnIndex({ view, offset: 0 }, asBytes)
  if (index.null_pages.length !== pages.length) {
    return [`its column index has ${index.null_pages.length} pages, ${pages.length} are there`]
  }
  const problems = pages.flatMap((page, i) => {
    const empty = page.nulls === page.rows
    const of = (bounds: readonly unknown[]) => (empty ? undefined : (bounds[i] as Uint8Array))
    const found: string[] = []
    if (index.null_pages[i] !== empty) found.push(`its column index is wrong in whether page ${i} has values`)
    else if (outside(physical, { min: of(index.min_values), max: of(index.max_values) }, page)) {
      found.push(`its column index leaves out a value of page ${i}`)
    }
    const nulls = index.null_counts?.[i]
    if (nulls !== undefined && Number(nulls) !== page.nulls) {
      found.push(`its column index counts ${nulls} NULLs in page ${i}, ${page.nulls} are there`)
    }
    return found
  })
  return problems.length > 0 ? problems : orderProblems(index, physical, pages)
}

/** Readers search by halves where the index says that its pages are in order. */
function orderProblems(
  index: {
    readonly boundary_order: string
    readonly min_values: readonly unknown[]
    readonly max_values: readonly unknown[]
  },
  physical: Physical,
  pages: readonly PageFacts[],
): string[] {
  if (index.boundary_order !== 'ASCENDING' && index.boundary_order !== 'DESCENDING') return []
  const order = valueOrder(physical)
  const direction = index.boundary_order === 'ASCENDING' ? 1 : -1
  const inOrder = (bounds: readonly unknown[]) => {
    const values = bounds
      .filter((_, i) => pages[i] !== undefined && pages[i].nulls < pages[i].rows)
      .map((bound) => boundValue(physical, bound as Uint8Array))
    return values.every((value, i) => i === 0 || direction * order(values[i - 1] as PhysicalValue, value) <= 0)
  }
  if (inOrder(index.min_values) && inOrder(index.max_values)) return []
  return [`its column index calls the pages ${index.boundary_order.toLowerCase()}, and they are not`]
}
