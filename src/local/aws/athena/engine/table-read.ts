/** The views over a table's files, made inside the query's own DuckDB before it is locked. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteName, quoteText } from '../dialect/scope.ts'
import { physicalType, type TrinoType } from '../dialect/trino-type.ts'

export interface ReadColumn {
  readonly name: string
  readonly type: TrinoType
}

export type TableRead =
  | {
      readonly kind: 'files'
      readonly view: string
      /** Columns of the files, then the partition keys. */
      readonly columns: readonly ReadColumn[]
      readonly keys: readonly string[]
    }
  | {
      readonly kind: 'rows'
      readonly view: string
      readonly columns: readonly ReadColumn[]
      readonly rows: readonly (readonly (string | null)[])[]
    }

/** Where the parent has linked the files; absent when the table has none. `paths`: link -> s3:// URI. */
export interface LinkedFiles {
  readonly folder: string
  readonly paths: readonly (readonly [file: string, uri: string])[]
}

export async function createView(
  connection: DuckDBConnection,
  read: TableRead,
  files: LinkedFiles | undefined,
): Promise<void> {
  if (read.kind === 'rows') return await createRows(connection, read)
  const list = (expression: (c: ReadColumn) => string) =>
    read.columns.map((c) => `${expression(c)} AS ${quoteName(c.name)}`).join(', ')
  if (files === undefined || files.paths.length === 0) {
    await connection.run(
      `CREATE VIEW ${read.view} AS SELECT ${list((c) => `CAST(NULL AS ${physicalType(c.type)})`)}, CAST(NULL AS VARCHAR) AS "$path" WHERE false`,
    )
    return
  }
  const keys = new Set(read.keys)
  // the folders are k0=…/k1=…, so that no name of a key can clash with a column of the files
  const hive =
    read.keys.length === 0
      ? 'hive_partitioning=false'
      : `hive_partitioning=true, hive_types_autocast=false, hive_types={${read.keys.map((_, i) => `'$k${i}': VARCHAR`).join(', ')}}`
  const source = `read_parquet(${quoteText(`${files.folder}/**/*.parquet`)}, union_by_name=true, ${hive}, filename='$file')`
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
  const have = new Map(
    described.getRows().map((r) => [String(r[0]).toLowerCase(), { name: String(r[0]), type: String(r[1]) }]),
  )
  const paths = `${read.view}_paths`
  await connection.run(`CREATE TABLE ${paths} (f VARCHAR, s VARCHAR)`)
  const appender = await connection.createAppender(paths)
  for (const [file, uri] of files.paths) {
    appender.appendVarchar(file)
    appender.appendVarchar(uri)
    appender.endRow()
  }
  appender.closeSync()
  const value = (c: ReadColumn): string => {
    if (keys.has(c.name)) return keyValue(`"$k${read.keys.indexOf(c.name)}"`, c.type)
    const found = have.get(c.name)
    return found === undefined ? `CAST(NULL AS ${physicalType(c.type)})` : fromFile(quoteName(found.name), c.type)
  }
  await connection.run(
    `CREATE VIEW ${read.view} AS SELECT ${list(value)}, (SELECT s FROM ${paths} WHERE f = "$file") AS "$path" FROM ${source}`,
  )
}

const keyValue = (sql: string, t: TrinoType) => {
  const value = `nullif(${sql}, '__HIVE_DEFAULT_PARTITION__')`
  return `CAST(${value} AS ${physicalType(t)})`
}

/** A value of a file as the catalogue types it. Fields of structs are found by name; a missing one is NULL. */
function fromFile(sql: string, t: TrinoType, depth = 0): string {
  const nested = (x: TrinoType): boolean => x.name === 'row' || (x.args ?? []).some(nested)
  if (!nested(t)) return `CAST(${sql} AS ${physicalType(t)})`
  if (t.name === 'row') {
    const fields = t.args!.map(
      (a, i) => `f${i} := ${fromFile(`struct_extract(${sql}, ${quoteText(t.fields![i] ?? '')})`, a, depth + 1)}`,
    )
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
  }
  if (t.name === 'array')
    return `list_transform(${sql}, lambda e${depth}: ${fromFile(`e${depth}`, t.args![0]!, depth + 1)})`
  const values = `list_transform(map_values(${sql}), lambda e${depth}: ${fromFile(`e${depth}`, t.args![1]!, depth + 1)})`
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE map(map_keys(${sql}), ${values}) END`
}

async function createRows(connection: DuckDBConnection, read: TableRead & { kind: 'rows' }): Promise<void> {
  const columns = read.columns.map((_c, i) => `v${i} VARCHAR`)
  await connection.run(`CREATE TABLE ${read.view}_rows (${columns.join(', ')})`)
  const appender = await connection.createAppender(`${read.view}_rows`)
  for (const row of read.rows) {
    for (const v of row) v === null ? appender.appendNull() : appender.appendVarchar(v)
    appender.endRow()
  }
  appender.closeSync()
  await connection.run(
    `CREATE VIEW ${read.view} AS SELECT ${read.columns.map((c, i) => `CAST(v${i} AS ${physicalType(c.type)}) AS ${quoteName(c.name)}`).join(', ')} FROM ${read.view}_rows`,
  )
}
