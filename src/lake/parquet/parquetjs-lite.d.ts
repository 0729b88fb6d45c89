/** The parts of parquetjs-lite 0.8.7 that the envelope uses; the package ships no types. */

declare module 'parquetjs-lite' {
  /** A CommonJS module: only its default import exists at run time. */
  const parquet: {
    ParquetSchema: typeof ParquetSchema
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter
    ParquetReader: typeof ParquetReader
  }
  export default parquet
  class ParquetSchema {
    constructor(fields: Record<string, { type: string; optional: boolean; statistics: boolean }>)
    readonly fields: Record<string, ParquetField>
    readonly fieldList: ParquetField[]
  }
  interface ParquetField {
    readonly name: string
    readonly path: string[]
    primitiveType: string
    originalType: string | undefined
    repetitionType: string
    compression: string
    typeLength?: number
  }
  class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Buffer) => void,
      close: () => void,
      fileOffset: number,
      options: { useDataPageV2: boolean; pageIndex: boolean },
    )
    schema: ParquetSchema
    offset: number
    rowCount: number
    rowGroups: unknown[]
    writeHeader(): void
    writeSection(bytes: Buffer): void
    writeIndex(rowGroups?: unknown[]): void
    writeFooter(...args: never[]): unknown
  }
  class ParquetReader {
    static openBuffer(bytes: Buffer, options?: { rawStatistics?: boolean }): Promise<ParquetReader>
    getCursor(columns?: string[]): { nextRowGroup(): Promise<Record<string, unknown>[] | null> }
    getMetadata(): Record<string, string>
    close(): Promise<void>
  }
}

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  type Thrift = new (fields?: Record<string, unknown>) => object
  const types: Record<
    | 'LogicalType'
    | 'StringType'
    | 'DateType'
    | 'TimestampType'
    | 'TimeUnit'
    | 'MicroSeconds'
    | 'DecimalType'
    | 'RowGroup'
    | 'ColumnMetaData'
    | 'ColumnChunk'
    | 'SchemaElement'
    | 'FileMetaData'
    | 'KeyValue'
    | 'ColumnOrder'
    | 'TypeDefinedOrder'
    | 'PageHeader'
    | 'DictionaryPageHeader'
    | 'DataPageHeader'
    | 'Statistics'
    | 'ColumnIndex'
    | 'OffsetIndex'
    | 'PageLocation',
    Thrift
  > &
    Record<
      'Type' | 'Encoding' | 'CompressionCodec' | 'FieldRepetitionType' | 'ConvertedType' | 'PageType' | 'BoundaryOrder',
      Record<string, number>
    >
  export default types
}

declare module 'parquetjs-lite/lib/util.js' {
  const util: { serializeThrift(value: object): Buffer }
  export default util
}

declare module 'parquetjs-lite/lib/types.js' {
  const types: {
    PARQUET_LOGICAL_TYPES: Record<
      string,
      {
        primitiveType: string
        originalType?: string
        toPrimitive: (v: unknown) => unknown
        fromPrimitive?: (v: unknown) => unknown
        typeLength?: number
      }
    >
  }
  export default types
}

declare module 'parquetjs-lite/lib/compression.js' {
  const compression: {
    PARQUET_COMPRESSION_METHODS: Record<string, { deflate: (v: Buffer) => Buffer; inflate: (v: Buffer) => Buffer }>
  }
  export default compression
}
