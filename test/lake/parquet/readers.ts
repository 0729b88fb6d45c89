import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import parquet from 'parquetjs-lite'
import types from 'parquetjs-lite/lib/types.js'
import type { ExportColumn } from '../../../src/lake/contract.ts'
import { decimalType } from '../../../src/lake/parquet/decimal-columns.ts'
import { asyncBuffer } from './parquet-file.ts'

/** Four implementations that read a file into the same canonical texts, NULL as null, row by row. */
export type Canonical = (string | null)[][]

function decimalText(unscaled: bigint, pgType: string): string {
  const { scale } = decimalType(pgType)
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return unscaled < 0n ? `-${text}` : text
}

/** From the physical value, as the JavaScript readers give it. */
function physicalText(value: unknown, { pgType }: ExportColumn): string | null {
  if (value === null || value === undefined) return null
  if (pgType.startsWith('numeric')) {
    if (!(value instanceof Uint8Array)) return decimalText(BigInt(value as bigint), pgType)
    return decimalText(BigInt.asIntN(128, BigInt(`0x${Buffer.from(value).toString('hex')}`)), pgType)
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return String(value)
}

export async function readWithHyparquet(bytes: Buffer, columns: readonly ExportColumn[]): Promise<Canonical> {
  const footer = parquetMetadata(bytes)
  const schema = footer.schema.map(({ converted_type: _, logical_type: __, ...element }) => element)
  const rows = await parquetReadObjects({
    file: asyncBuffer(bytes),
    metadata: { ...footer, schema },
    utf8: false,
    compressors: { ZSTD: (b) => zstdDecompressSync(b), GZIP: (b) => gunzipSync(b) },
  })
  return rows.map((row) => columns.map((column) => physicalText(row[column.name], column)))
}

export async function readWithParquetjs(bytes: Buffer, columns: readonly ExportColumn[]): Promise<Canonical> {
  // The library makes dates of these; the integers themselves are wanted, and put back afterwards.
  const known = ['TIMESTAMP_MICROS', 'DATE'].map((name) => [name, types.PARQUET_LOGICAL_TYPES[name]] as const)
  for (const [name, type] of known) {
    if (type) types.PARQUET_LOGICAL_TYPES[name] = { ...type, fromPrimitive: (v) => v }
  }
  try {
    const reader = await parquet.ParquetReader.openBuffer(bytes, { rawStatistics: true })
    const cursor = reader.getCursor()
    const rows: Canonical = []
    for (let group = await cursor.nextRowGroup(); group; group = await cursor.nextRowGroup()) {
      for (const row of group) rows.push(columns.map((column) => physicalText(row[column.name], column)))
    }
    await reader.close()
    return rows
  } finally {
    for (const [name, type] of known) if (type) types.PARQUET_LOGICAL_TYPES[name] = type
  }
}

export async function readWithDuckDb(file: string, columns: readonly ExportColumn[]): Promise<Canonical> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const select = columns.map(({ name, pgType }) => {
      if (pgType === 'timestamptz(3)') return `epoch_us("${name}")::varchar`
      if (pgType === 'date') return `date_diff('day', date '1970-01-01', "${name}")::varchar`
      return `"${name}"::varchar`
    })
    const found = await connection.runAndReadAll(`SELECT ${select.join(', ')} FROM read_parquet('${file}')`)
    // DuckDB leaves out the zero before the point where the scale is the whole precision.
    const canonical = (value: string | null, column: ExportColumn | undefined) =>
      column?.pgType.startsWith('numeric') ? (value?.replace(/^(-?)\./, '$10.') ?? null) : value
    return (found.getRows() as Canonical).map((row) => row.map((value, i) => canonical(value, columns[i])))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** One digest a column, so that megabytes need not travel: of all its texts with their lengths. */
export function digests(rows: Canonical, columns: readonly ExportColumn[]): Record<string, string> {
  return Object.fromEntries(
    columns.map(({ name }, i) => {
      const hash = createHash('sha256')
      for (const row of rows) {
        const value = row[i]
        hash.update(value === null || value === undefined ? 'N' : `${Buffer.byteLength(value)}:${value}`)
      }
      return [name, hash.digest('hex')]
    }),
  )
}

const PYTHON = `
import hashlib, json, sys
import pyarrow as pa, pyarrow.parquet as pq
answer = {}
for path in sys.argv[1:]:
    table = pq.read_table(path)
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            assert column.type == pa.timestamp("us", tz="UTC"), column.type
            column = column.cast(pa.int64())
        elif pa.types.is_date32(column.type):
            column = column.cast(pa.int32())
        digest = hashlib.sha256()
        for value in column.to_pylist():
            if value is None:
                digest.update(b"N")
                continue
            text = ("true" if value else "false") if isinstance(value, bool) else format(value, "f") if pa.types.is_decimal(column.type) else str(value)
            raw = text.encode()
            digest.update(b"%d:" % len(raw) + raw)
        columns[name] = digest.hexdigest()
    answer[path] = {"rows": table.num_rows, "types": {f.name: str(f.type) for f in table.schema}, "columns": columns}
print(json.dumps(answer))
`

export interface PyArrowAnswer {
  readonly rows: number
  readonly types: Readonly<Record<string, string>>
  readonly columns: Readonly<Record<string, string>>
}

export async function readWithPyArrow(
  python: string,
  files: readonly string[],
): Promise<Record<string, PyArrowAnswer>> {
  const { stdout } = await promisify(execFile)(python, ['-c', PYTHON, ...files], { maxBuffer: 1 << 26 })
  return JSON.parse(stdout) as Record<string, PyArrowAnswer>
}
