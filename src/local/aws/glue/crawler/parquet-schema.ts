import { open } from 'node:fs/promises'
import { type AsyncBuffer, parquetMetadataAsync, parquetSchema, type SchemaTree } from 'hyparquet'
import { type HiveField, type HiveType, printHiveType } from '../hive-types.ts'

export interface ParquetSchema {
  /** Top-level columns in the order of the file, names in lower case. */
  readonly columns: readonly HiveField[]
  readonly rows: number
  /** Columns whose type has no exact counterpart, in words. */
  readonly warnings: readonly string[]
}

/** The file is not Parquet, or its footer is damaged. */
export class NotParquetError extends Error {
  override readonly name = 'NotParquetError'
}

/** A footer larger than this is taken for damage: one for 10,000 columns is about 2 MiB. */
const MAX_FOOTER_BYTES = 64 * 1024 * 1024
/** Read at once from the file's end; most footers fit, the others cost a second read. */
const FIRST_READ_BYTES = 64 * 1024
const SMALLEST_FILE_BYTES = 12

/**
 * Schema and row count from the footer of a Parquet file (`File Format` and `LogicalTypes` of the Apache Parquet specification).
 * Reads the end of the file only.
 *
 * @throws NotParquetError
 */
export async function readParquetSchema(path: string): Promise<ParquetSchema> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size < SMALLEST_FILE_BYTES) throw new NotParquetError('the file is too short')
    const buffer: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        if (end - start > MAX_FOOTER_BYTES) throw new NotParquetError('the footer is implausibly large')
        const bytes = new Uint8Array(end - start)
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
        if (bytesRead < bytes.length) throw new NotParquetError('the file is shorter than its footer says')
        return bytes.buffer
      },
    }
    const head = new Uint8Array(4)
    await file.read(head, 0, 4, 0)
    if (Buffer.from(head).toString('latin1') !== 'PAR1') throw new NotParquetError('it does not begin with PAR1')
    return await parse(buffer)
  } finally {
    await file.close()
  }
}

async function parse(buffer: AsyncBuffer): Promise<ParquetSchema> {
  try {
    const metadata = await parquetMetadataAsync(buffer, { initialFetchSize: FIRST_READ_BYTES, geoparquet: false })
    const warnings: string[] = []
    const columns = new Map<string, HiveField>()
    for (const child of parquetSchema(metadata).children) {
      const name = child.element.name.toLowerCase()
      if (columns.has(name)) warnings.push(`column ${name} stands twice, in different case; the first is taken`)
      else columns.set(name, { name, type: new TypeReader(name, warnings).field(child) })
    }
    return { columns: [...columns.values()], rows: Number(metadata.num_rows), warnings }
  } catch (cause) {
    if (cause instanceof NotParquetError) throw cause
    // The parser throws whatever damaged bytes lead it to.
    throw new NotParquetError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

const INTEGERS: Readonly<Record<string, HiveType>> = {
  INT_8: { kind: 'tinyint' },
  INT_16: { kind: 'smallint' },
  INT_32: { kind: 'int' },
  INT_64: { kind: 'bigint' },
  UINT_8: { kind: 'smallint' },
  UINT_16: { kind: 'int' },
  UINT_32: { kind: 'bigint' },
}

const CONVERTED: Readonly<Record<string, HiveType>> = {
  ...INTEGERS,
  UTF8: { kind: 'string' },
  ENUM: { kind: 'string' },
  JSON: { kind: 'string' },
  BSON: { kind: 'binary' },
  DATE: { kind: 'date' },
  TIMESTAMP_MILLIS: { kind: 'timestamp' },
  TIMESTAMP_MICROS: { kind: 'timestamp' },
}

const LOGICAL: Readonly<Record<string, HiveType>> = {
  STRING: { kind: 'string' },
  ENUM: { kind: 'string' },
  JSON: { kind: 'string' },
  BSON: { kind: 'binary' },
  DATE: { kind: 'date' },
  TIMESTAMP: { kind: 'timestamp' },
  FLOAT16: { kind: 'float' },
  GEOMETRY: { kind: 'binary' },
  GEOGRAPHY: { kind: 'binary' },
}

const PHYSICAL: Readonly<Record<string, HiveType>> = {
  BOOLEAN: { kind: 'boolean' },
  INT32: { kind: 'int' },
  INT64: { kind: 'bigint' },
  INT96: { kind: 'timestamp' },
  FLOAT: { kind: 'float' },
  DOUBLE: { kind: 'double' },
  BYTE_ARRAY: { kind: 'binary' },
  FIXED_LEN_BYTE_ARRAY: { kind: 'binary' },
}

const STRING: HiveType = { kind: 'string' }

/** Types of one top-level column. */
class TypeReader {
  readonly #column: string
  readonly #warnings: string[]

  constructor(column: string, warnings: string[]) {
    this.#column = column
    this.#warnings = warnings
  }

  /** A repeated field outside a list or map is a list of what it repeats. */
  field(tree: SchemaTree): HiveType {
    const type = this.#single(tree)
    return tree.element.repetition_type === 'REPEATED' ? { kind: 'array', element: type } : type
  }

  #single(tree: SchemaTree): HiveType {
    const { element } = tree
    if (tree.children.length === 0)
      return element.type === undefined ? this.#inexact('an empty group', STRING) : this.#leaf(tree)
    const logical = element.logical_type?.type
    const converted = element.converted_type
    if (logical === 'VARIANT') return this.#inexact('VARIANT', STRING)
    if (logical === 'LIST' || converted === 'LIST') return this.#list(tree) ?? this.#struct(tree)
    if (logical === 'MAP' || converted === 'MAP' || converted === 'MAP_KEY_VALUE') {
      return this.#map(tree) ?? this.#struct(tree)
    }
    return this.#struct(tree)
  }

  #struct(tree: SchemaTree): HiveType {
    return {
      kind: 'struct',
      fields: tree.children.map((child) => ({ name: child.element.name.toLowerCase(), type: this.field(child) })),
    }
  }

  /** With the rules for lists of older writers: LogicalTypes, "Backward-compatibility rules". */
  #list(tree: SchemaTree): HiveType | undefined {
    const [repeated] = tree.children
    if (tree.children.length !== 1 || repeated?.element.repetition_type !== 'REPEATED') return undefined
    const [only] = repeated.children
    const { name } = repeated.element
    const isElement =
      only === undefined || repeated.children.length > 1 || name === 'array' || name === `${tree.element.name}_tuple`
    return { kind: 'array', element: isElement ? this.#single(repeated) : this.field(only) }
  }

  #map(tree: SchemaTree): HiveType | undefined {
    const [entry] = tree.children
    const [key, value] = entry?.children ?? []
    if (tree.children.length !== 1 || !key || !value || entry?.children.length !== 2) return undefined
    return { kind: 'map', key: this.field(key), value: this.field(value) }
  }

  #leaf({ element }: SchemaTree): HiveType {
    const logical = element.logical_type
    const converted = element.converted_type
    if (logical?.type === 'DECIMAL') return this.#decimal(logical.precision, logical.scale)
    if (converted === 'DECIMAL') return this.#decimal(element.precision ?? 0, element.scale ?? 0)
    const integer = logical?.type === 'INTEGER' ? `${logical.isSigned ? '' : 'U'}INT_${logical.bitWidth}` : undefined
    if (integer === 'UINT_64' || converted === 'UINT_64') {
      return this.#inexact('unsigned 64-bit', { kind: 'decimal', precision: 38, scale: 0 })
    }
    const inexact = logical?.type === 'UUID' || logical?.type === 'TIME' ? logical.type : (converted ?? '')
    if (/^(UUID|TIME|TIME_MILLIS|TIME_MICROS|INTERVAL)$/.test(inexact)) return this.#inexact(inexact, STRING)
    const found =
      (integer && INTEGERS[integer]) ??
      (logical && LOGICAL[logical.type]) ??
      (converted && CONVERTED[converted]) ??
      (element.type && PHYSICAL[element.type])
    return found || this.#inexact(logical?.type ?? converted ?? String(element.type), STRING)
  }

  #decimal(precision: number, scale: number): HiveType {
    if (precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)
      return { kind: 'decimal', precision, scale }
    return this.#inexact(`decimal(${precision},${scale})`, STRING)
  }

  #inexact(what: string, type: HiveType): HiveType {
    this.#warnings.push(`column ${this.#column}: ${what} has no type in Athena, taken as ${printHiveType(type)}`)
    return type
  }
}
