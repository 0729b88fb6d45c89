import parquet from 'parquetjs-lite'
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js'
import compression from 'parquetjs-lite/lib/compression.js'
import types from 'parquetjs-lite/lib/types.js'
import util from 'parquetjs-lite/lib/util.js'
import type { ExportColumn } from '../contract.ts'
import { LONGEST_BOUND_BYTES } from './byte-column.ts'
import type { Codec } from './codecs.ts'
import { codec } from './codecs.ts'
import type { Compare, PageEncoding } from './column.ts'
import { decimalType } from './decimal-columns.ts'

/**
 * The file around the pages: page headers, row groups, page index and footer, by parquetjs-lite's envelope writer and thrift
 * classes. The only file that knows the library, and where its defects are worked around: its row shredder, encoders, statistics,
 * footer and compressors are not used.
 */

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

interface PhysicalType {
  /** Name that parquetjs-lite's schema knows. */
  readonly library: string
  readonly physical: 'BOOLEAN' | 'INT32' | 'INT64' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY'
  readonly converted: string | undefined
  readonly logical: object | undefined
  readonly decimal?: { readonly precision: number; readonly scale: number }
  readonly typeLength?: number
}

const STRING = {
  library: 'UTF8',
  physical: 'BYTE_ARRAY',
  converted: 'UTF8',
  logical: logical('STRING', new thrift.StringType()),
} as const

function logical(name: string, value: object): object {
  return new thrift.LogicalType({ [name]: value })
}

/** Physical, converted and logical type of an exported column (Parquet format, LogicalTypes.md). */
export function physicalType(column: ExportColumn): PhysicalType {
  switch (column.pgType) {
    case 'uuid':
    case 'text':
    case 'enum':
    case 'jsonb':
      return STRING
    case 'boolean':
      return { library: 'BOOLEAN', physical: 'BOOLEAN', converted: undefined, logical: undefined }
    case 'smallint':
    case 'integer':
      return { library: 'INT32', physical: 'INT32', converted: undefined, logical: undefined }
    case 'bigint':
      return { library: 'INT64', physical: 'INT64', converted: undefined, logical: undefined }
    case 'date':
      return { library: 'DATE', physical: 'INT32', converted: 'DATE', logical: logical('DATE', new thrift.DateType()) }
    case 'timestamptz(3)':
      return {
        library: 'TIMESTAMP_MICROS',
        physical: 'INT64',
        converted: 'TIMESTAMP_MICROS',
        logical: logical(
          'TIMESTAMP',
          new thrift.TimestampType({
            isAdjustedToUTC: true,
            unit: new thrift.TimeUnit({ MICROS: new thrift.MicroSeconds() }),
          }),
        ),
      }
    default: {
      const decimal = decimalType(column.pgType)
      const wide = decimal.precision > 18
      return {
        library: wide ? 'DECIMAL_FIXED' : 'DECIMAL',
        physical: wide ? 'FIXED_LEN_BYTE_ARRAY' : 'INT64',
        converted: 'DECIMAL',
        logical: logical('DECIMAL', new thrift.DecimalType({ ...decimal })),
        decimal,
        ...(wide ? { typeLength: 16 } : {}),
      }
    }
  }
}

/** The library's tables lack DECIMAL and ZSTD; with them its reader opens our files. */
function completeLibrary(): void {
  const decimal = { originalType: 'DECIMAL', toPrimitive: (v: unknown) => v, fromPrimitive: (v: unknown) => v }
  types.PARQUET_LOGICAL_TYPES.DECIMAL ??= { ...decimal, primitiveType: 'INT64' }
  types.PARQUET_LOGICAL_TYPES.DECIMAL_FIXED ??= { ...decimal, primitiveType: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16 }
  compression.PARQUET_COMPRESSION_METHODS.ZSTD ??= {
    deflate: (bytes) => codec('zstd').compress(bytes),
    inflate: (bytes) => codec('zstd').decompress(bytes),
  }
}

completeLibrary()

/** A data or dictionary page, V1, the oldest and safest layout. */
export function page(
  compressor: Codec,
  raw: Buffer,
  facts: Omit<Page, 'header' | 'body' | 'uncompressedBytes'> & { readonly entries?: number },
): Page {
  const body = compressor.compress(raw)
  const { entries, ...rest } = facts
  const encoding = thrift.Encoding[facts.encoding]
  const kind = facts.isDictionary
    ? {
        type: thrift.PageType.DICTIONARY_PAGE,
        dictionary_page_header: new thrift.DictionaryPageHeader({ num_values: entries, encoding, is_sorted: false }),
      }
    : {
        type: thrift.PageType.DATA_PAGE,
        data_page_header: new thrift.DataPageHeader({
          num_values: facts.rows,
          encoding,
          definition_level_encoding: thrift.Encoding.RLE,
          repetition_level_encoding: thrift.Encoding.RLE,
        }),
      }
  const header = util.serializeThrift(
    new thrift.PageHeader({ ...kind, uncompressed_page_size: raw.length, compressed_page_size: body.length }),
  )
  return { ...rest, header, body, uncompressedBytes: header.length + raw.length }
}

/** Smallest and largest bound of pages; undefined when any page that has values has none, or one is too long to be kept. */
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
  return min && max && min.length <= LONGEST_BOUND_BYTES && max.length <= LONGEST_BOUND_BYTES ? [min, max] : undefined
}

/** ASCENDING or DESCENDING when the bounds of the pages with values are, else UNORDERED (Parquet format, PageIndex.md). */
function boundaryOrder(pages: readonly Page[], compare: Compare): number {
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
  const name = rising(1) ? 'ASCENDING' : rising(-1) ? 'DESCENDING' : 'UNORDERED'
  return thrift.BoundaryOrder[name] as number
}

function columnIndex(pages: readonly Page[], compare: Compare): object | undefined {
  const usable = pages.every(
    ({ rows, nulls, min, max }) =>
      nulls === rows || (min && max && min.length <= LONGEST_BOUND_BYTES && max.length <= LONGEST_BOUND_BYTES),
  )
  if (!usable) return undefined
  const none = Buffer.alloc(0)
  return new thrift.ColumnIndex({
    null_pages: pages.map((each) => each.nulls === each.rows),
    min_values: pages.map((each) => each.min ?? none),
    max_values: pages.map((each) => each.max ?? none),
    boundary_order: boundaryOrder(pages, compare),
    null_counts: pages.map((each) => each.nulls),
  })
}

export interface EnvelopeOptions {
  readonly columns: readonly ExportColumn[]
  readonly codec: Codec
  readonly createdBy: string
  readonly write: (bytes: Buffer) => void
}

export class Envelope extends parquet.ParquetEnvelopeWriter {
  readonly #columns: readonly ExportColumn[]
  readonly #createdBy: string

  constructor({ columns, codec: compressor, createdBy, write }: EnvelopeOptions) {
    const fields = columns.map((each) => {
      const { library } = physicalType(each)
      return [each.name, { type: library, optional: true, statistics: false }] as const
    })
    const schema = new parquet.ParquetSchema(Object.fromEntries(fields))
    // Set afterwards: the schema's constructor refuses codecs that it cannot compress with itself.
    for (const field of schema.fieldList) field.compression = compressor.parquetName
    super(schema, write, () => undefined, 0, { useDataPageV2: false, pageIndex: false })
    this.#columns = columns
    this.#createdBy = createdBy
  }

  /** One row group, section by section: the library's own way joins every column onto all earlier ones. */
  writeChunks(rows: number, chunks: readonly Chunk[]): void {
    const columns = chunks.map((chunk) => this.#chunk(chunk))
    const total = columns.reduce((sum, each) => sum + each.uncompressedBytes, 0)
    this.rowCount += rows
    this.rowGroups.push(
      new thrift.RowGroup({ num_rows: rows, columns: columns.map((each) => each.chunk), total_byte_size: total }),
    )
  }

  #chunk(chunk: Chunk): { chunk: object; uncompressedBytes: number } {
    const { column, compare, pages } = chunk
    const start = this.offset
    const locations: object[] = []
    let dataStart = start
    let firstRow = 0
    for (const each of pages) {
      if (each.isDictionary) dataStart = start + each.header.length + each.body.length
      else {
        const compressed_page_size = each.header.length + each.body.length
        locations.push(
          new thrift.PageLocation({ offset: this.offset, compressed_page_size, first_row_index: firstRow }),
        )
        firstRow += each.rows
      }
      this.writeSection(each.header)
      this.writeSection(each.body)
    }
    const uncompressedBytes = pages.reduce((sum, each) => sum + each.uncompressedBytes, 0)
    const metadata = Object.assign(
      new thrift.ColumnMetaData({
        type: thrift.Type[physicalType(column).physical],
        encodings: [...new Set(['RLE', ...pages.map((each) => each.encoding)])].map((name) => thrift.Encoding[name]),
        path_in_schema: [column.name],
        codec: thrift.CompressionCodec[this.schema.fields[column.name]?.compression as string],
        num_values: firstRow,
        total_uncompressed_size: uncompressedBytes,
        total_compressed_size: this.offset - start,
        data_page_offset: dataStart,
        ...(dataStart > start ? { dictionary_page_offset: start } : {}),
        statistics: this.#statistics(chunk),
      }),
      this.#indexes(chunk, locations),
    )
    compare satisfies Compare
    return { chunk: new thrift.ColumnChunk({ file_offset: start, meta_data: metadata }), uncompressedBytes }
  }

  /** Handed to the library's `writeIndex`, which places them before the footer. */
  #indexes({ column, compare, pages }: Chunk, locations: object[]): object {
    const data = pages.filter((each) => !each.isDictionary)
    const index = column.stats ? columnIndex(data, compare) : undefined
    return {
      ...(index === undefined ? {} : { columnIndex: index }),
      offsetIndex: new thrift.OffsetIndex({ page_locations: locations }),
    }
  }

  #statistics(chunk: Chunk): object {
    const null_count = chunk.pages.reduce((sum, each) => sum + (each.isDictionary ? 0 : each.nulls), 0)
    const bounds = chunk.column.stats ? chunkBounds(chunk) : undefined
    if (!bounds) return new thrift.Statistics({ null_count })
    const [min_value, max_value] = bounds
    // The deprecated fields have no defined order for bytes.
    const old = physicalType(chunk.column).physical === 'BYTE_ARRAY' ? {} : { min: min_value, max: max_value }
    return new thrift.Statistics({ null_count, min_value, max_value, ...old })
  }

  /** Page index and footer. The library's footer lacks logical types, decimals, column orders and `created_by`. */
  writeEnd(metadata: Readonly<Record<string, string>>): { readonly footerOffset: number } {
    this.writeIndex()
    const footerOffset = this.offset
    const footer = util.serializeThrift(
      new thrift.FileMetaData({
        version: 1,
        created_by: this.#createdBy,
        num_rows: this.rowCount,
        row_groups: this.rowGroups,
        schema: [
          new thrift.SchemaElement({ name: 'root', num_children: this.#columns.length }),
          ...this.#columns.map(schemaElement),
        ],
        key_value_metadata: Object.entries(metadata).map(([key, value]) => new thrift.KeyValue({ key, value })),
        column_orders: this.#columns.map(() => new thrift.ColumnOrder({ TYPE_ORDER: new thrift.TypeDefinedOrder() })),
      }),
    )
    const end = Buffer.alloc(8)
    end.writeUInt32LE(footer.length)
    end.write('PAR1', 4)
    this.writeSection(Buffer.concat([footer, end]))
    return { footerOffset }
  }
}

function schemaElement(column: ExportColumn): object {
  const { physical, converted, logical: logicalType, decimal, typeLength } = physicalType(column)
  return new thrift.SchemaElement({
    name: column.name,
    type: thrift.Type[physical],
    repetition_type: thrift.FieldRepetitionType.OPTIONAL,
    ...(typeLength === undefined ? {} : { type_length: typeLength }),
    ...(converted === undefined ? {} : { converted_type: thrift.ConvertedType[converted] }),
    ...(logicalType === undefined ? {} : { logicalType }),
    ...decimal,
  })
}
