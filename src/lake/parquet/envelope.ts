import parquet from 'parquetjs-lite'
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js'
import compression from 'parquetjs-lite/lib/compression.js'
import types from 'parquetjs-lite/lib/types.js'
import util from 'parquetjs-lite/lib/util.js'
import type { ExportColumn } from '../contract.ts'
import type { Codec } from './codecs.ts'
import { codec } from './codecs.ts'
import type { Compare } from './column.ts'
import { boundaryOrder, type Chunk, chunkBounds, hasAllBounds, type Page } from './page.ts'
import type { PageBlocks } from './page-blocks.ts'
import { type ParquetType, parquetType } from './parquet-type.ts'

/**
 * The file around the pages: page headers, row groups, page index and footer, by parquetjs-lite's envelope writer and thrift
 * classes. The only file that knows the library, and where its defects are worked around: its row shredder, encoders, statistics,
 * footer and compressors are not used.
 */

/** Thrift class of a logical type. */
function logicalType({ logical }: ParquetType): object | undefined {
  switch (logical?.type) {
    case undefined:
      return undefined
    case 'STRING':
      return new thrift.LogicalType({ STRING: new thrift.StringType() })
    case 'DATE':
      return new thrift.LogicalType({ DATE: new thrift.DateType() })
    case 'TIMESTAMP': {
      const unit = new thrift.TimeUnit({ MICROS: new thrift.MicroSeconds() })
      const { isAdjustedToUTC } = logical
      return new thrift.LogicalType({ TIMESTAMP: new thrift.TimestampType({ isAdjustedToUTC, unit }) })
    }
    case 'DECIMAL': {
      const { precision, scale } = logical
      return new thrift.LogicalType({ DECIMAL: new thrift.DecimalType({ precision, scale }) })
    }
  }
}

/** Name by which the library's schema knows a type. */
function libraryType({ converted, physical }: ParquetType): string {
  if (converted === 'DECIMAL' && physical === 'FIXED_LEN_BYTE_ARRAY') return 'DECIMAL_FIXED'
  return converted ?? physical
}

/** The library's tables lack DECIMAL and ZSTD; with them its reader opens our files. */
function completeLibrary(): void {
  const decimal = { originalType: 'DECIMAL', toPrimitive: (v: unknown) => v, fromPrimitive: (v: unknown) => v }
  types.PARQUET_LOGICAL_TYPES.DECIMAL ??= { ...decimal, primitiveType: 'INT64' }
  types.PARQUET_LOGICAL_TYPES.DECIMAL_FIXED ??= { ...decimal, primitiveType: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16 }
  compression.PARQUET_COMPRESSION_METHODS.ZSTD ??= {
    deflate: (bytes) => Buffer.from(codec('zstd').compress(bytes)),
    inflate: (bytes) => codec('zstd').decompress(bytes),
  }
}

completeLibrary()

/** A data or dictionary page, V1, the oldest and safest layout; its body lies in `blocks`. */
export function page(
  compressor: Codec,
  blocks: PageBlocks,
  raw: Buffer,
  facts: Omit<Page, 'header' | 'body' | 'uncompressedBytes'> & { readonly entries?: number },
): Page {
  const body = blocks.keep(compressor.compress(raw))
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

function columnIndex(pages: readonly Page[], compare: Compare): object | undefined {
  if (!hasAllBounds(pages)) return undefined
  const none = Buffer.alloc(0)
  return new thrift.ColumnIndex({
    null_pages: pages.map((each) => each.nulls === each.rows),
    min_values: pages.map((each) => each.min ?? none),
    max_values: pages.map((each) => each.max ?? none),
    boundary_order: thrift.BoundaryOrder[boundaryOrder(pages, compare)],
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
      return [each.name, { type: libraryType(parquetType(each)), optional: true, statistics: false }] as const
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
    const { column, pages } = chunk
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
        type: thrift.Type[parquetType(column).physical],
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
    const old = parquetType(chunk.column).physical.endsWith('BYTE_ARRAY') ? {} : { min: min_value, max: max_value }
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
  const type = parquetType(column)
  const { physical, typeLength, converted, logical } = type
  return new thrift.SchemaElement({
    name: column.name,
    type: thrift.Type[physical],
    repetition_type: thrift.FieldRepetitionType.OPTIONAL,
    ...(typeLength === undefined ? {} : { type_length: typeLength }),
    ...(converted === undefined ? {} : { converted_type: thrift.ConvertedType[converted] }),
    ...(logical === undefined ? {} : { logicalType: logicalType(type) }),
    ...(logical?.type === 'DECIMAL' ? { precision: logical.precision, scale: logical.scale } : {}),
  })
}
