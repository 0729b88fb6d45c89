import { type ColumnMetaData, type Compressors, type FileMetaData, parquetSchema, type SchemaElement } from 'hyparquet'
import { parquetHeader, readPage } from 'hyparquet/src/column.js'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { getTreePath } from 'hyparquet/src/schema.js'
import { codec } from './codecs.ts'
import type { PhysicalValue } from './physical-values.ts'

/** What hyparquet needs to know of a column chunk. */
export type ColumnDecoder = Parameters<typeof readPage>[2]

/** A data page as a reader finds it. */
export interface DataPage {
  /** Of its header, in the file. */
  readonly offset: number
  /** Header and body. */
  readonly bytes: number
  /** In row order; null and undefined are NULL. */
  readonly values: ArrayLike<PhysicalValue | null | undefined>
}

/** Only those that the file needs are loaded. */
const compressors: Compressors = {
  ZSTD: (bytes) => codec('zstd').decompress(bytes),
  SNAPPY: (bytes) => codec('snappy').decompress(bytes),
  GZIP: (bytes) => codec('gzip').decompress(bytes),
}

/** How hyparquet decodes a chunk to physical values: with logical types it would make dates and floating decimals of them. */
export function physicalDecoder(footer: FileMetaData, chunk: ColumnMetaData): ColumnDecoder {
  const schema = footer.schema.map(
    ({ converted_type: _, logical_type: __, ...element }): SchemaElement => ({ ...element }),
  )
  const schemaPath = getTreePath(parquetSchema({ ...footer, schema }), chunk.path_in_schema)
  const element = schemaPath.at(-1)?.element
  if (element === undefined) throw new Error(`the schema has no column ${chunk.path_in_schema.join('.')}`)
  return {
    pathInSchema: chunk.path_in_schema,
    type: chunk.type,
    codec: chunk.codec,
    element,
    schemaPath,
    parsers: DEFAULT_PARSERS,
    compressors,
    utf8: false,
  }
}

/**
 * The data pages of one column chunk, decoded one after another; a dictionary page goes before them.
 *
 * Memory: the values of one page, and the dictionary.
 *
 * @param bytes the chunk, from its first page on.
 * @param chunk what is to be read: `start` is where it begins in the file, `rows` how many values it may have at most. A damaged header
 *   may promise billions, for which room would be made.
 * @throws Error when a page cannot be decoded, reaches beyond the chunk or has more values than are left.
 */
export function* dataPages(
  bytes: Uint8Array,
  { rows, start }: { readonly rows: number; readonly start: number },
  decoder: ColumnDecoder,
): Generator<DataPage> {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  let left = rows
  let dictionary: Parameters<typeof readPage>[3]
  while (reader.offset < bytes.length) {
    const at = reader.offset
    const header = parquetHeader(reader)
    if (!(header.compressed_page_size >= 0) || reader.offset + header.compressed_page_size > bytes.length) {
      throw new Error(`the page at ${start + at} reaches beyond its column chunk`)
    }
    const promised = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values
    if (promised !== undefined && !(promised >= 0 && promised <= left)) {
      throw new Error(`the page at ${start + at} promises ${promised} values, ${left} of its column chunk are left`)
    }
    const { data } = readPage(reader, header, decoder, dictionary, undefined, 0)
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = data
      continue
    }
    const values = (data ?? []) as DataPage['values']
    if (promised !== undefined && promised !== values.length) {
      throw new Error(`the page at ${start + at} has ${values.length} values, its header says ${promised}`)
    }
    left -= values.length
    yield { offset: start + at, bytes: reader.offset - at, values }
  }
}
