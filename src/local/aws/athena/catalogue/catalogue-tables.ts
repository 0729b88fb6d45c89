import type { Catalogue, WirePartition, WireTable } from '../../ports.ts'
import type { TableInfo, TableSource, ViewInfo } from '../dialect/scope.ts'
import { VARCHAR } from '../dialect/trino-type.ts'
import type { ReadColumn, TableRead } from '../engine/table-read.ts'
import { notSupported, QueryFailure } from '../failure.ts'
import { hiveToTrino } from './hive-trino.ts'
import { type ConstantTable, informationSchema } from './information-schema.ts'
import { decodeView, isView } from './presto-view.ts'

export interface UsedTable {
  readonly read: TableRead
  /** What must be linked before the query runs; absent for constant tables. */
  readonly table?: WireTable
  readonly partitions?: readonly WirePartition[]
  /** One for each place where the query reads the table. */
  readonly scans: Scan[]
}

/** What one place of a query demands of the values of a partition. */
type Scan = { readonly at: number; readonly test: (value: string) => boolean }[]

const NULL_VALUE = '__HIVE_DEFAULT_PARTITION__'

/** Those that some place of the query needs; undefined for a table without partitions. */
export function neededPartitions({ partitions, scans }: UsedTable): readonly WirePartition[] | undefined {
  return partitions?.filter(({ Values = [] }) =>
    scans.some((scan) =>
      scan.every(({ at, test }) => Values[at] !== undefined && Values[at] !== NULL_VALUE && test(Values[at])),
    ),
  )
}

const PARQUET_SERDE = /parquet/i

/** Names of tables for one query; remembers which were used, so that only their files are linked. */
export class CatalogueTables implements TableSource {
  readonly database: string
  readonly used = new Map<string, UsedTable>()
  readonly #catalogue: Catalogue

  constructor(catalogue: Catalogue, database: string) {
    this.#catalogue = catalogue
    this.database = database
  }

  resolve(
    name: readonly string[],
    session: string,
  ): { key: string; table: TableInfo } | { key: string; view: ViewInfo } {
    const [table, database = session, catalog = 'awsdatacatalog'] = [...name].reverse()
    if (name.length > 3 || catalog !== 'awsdatacatalog')
      throw new QueryFailure('CATALOG_NOT_FOUND', `Catalog '${catalog}' does not exist`)
    const key = `${database}.${table}`
    if (database === 'information_schema')
      return { key, table: this.#constant(key, informationSchema(this.#catalogue, table!)) }
    if (this.#catalogue.database(database) === undefined)
      throw new QueryFailure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`)
    const special = /^(.+)\$partitions$/.exec(table!)
    if (special !== null) return { key, table: this.#constant(key, this.#partitionsOf(database, special[1]!)) }
    const found = this.#catalogue.table(database, table!)
    if (found === undefined) throw new QueryFailure('TABLE_NOT_FOUND', `Table 'awsdatacatalog.${key}' does not exist`)
    if (isView(found)) return { key, view: decodeView(found, key) }
    return { key, table: this.#table(key, database, found) }
  }

  #table(key: string, database: string, t: WireTable): TableInfo {
    const sd = t.StorageDescriptor
    const serde = `${sd?.SerdeInfo?.SerializationLibrary ?? ''} ${sd?.InputFormat ?? ''} ${t.Parameters?.classification ?? ''}`
    if (/iceberg/i.test(t.Parameters?.table_type ?? '')) throw notSupported('an Iceberg table')
    if (!PARQUET_SERDE.test(serde)) throw notSupported(`the file format of table ${key}`)
    const columns: ReadColumn[] = [...(sd?.Columns ?? []), ...(t.PartitionKeys ?? [])].map((c) => ({
      name: c.Name!.toLowerCase(),
      type: hiveToTrino(c.Type ?? 'string'),
    }))
    if (columns.length === 0) throw new QueryFailure('HIVE_INVALID_METADATA', `Table ${key} has no columns`)
    if (!this.used.has(key)) {
      const keys = (t.PartitionKeys ?? []).map((c) => c.Name!.toLowerCase())
      const partitions = keys.length === 0 ? undefined : this.#catalogue.partitions(database, t.Name!)
      this.used.set(key, {
        read: { kind: 'files', view: `t${this.used.size}`, columns, keys },
        table: t,
        scans: [],
        ...(partitions === undefined ? {} : { partitions }),
      })
    }
    const { read, scans } = this.used.get(key)!
    const scan: Scan = []
    scans.push(scan)
    return { sql: read.view, columns: [...keyed(columns, read, scan), { name: '$path', type: VARCHAR, hidden: true }] }
  }

  #partitionsOf(database: string, name: string): ConstantTable {
    const t = this.#catalogue.table(database, name)
    const keys = t?.PartitionKeys ?? []
    if (t === undefined || keys.length === 0)
      throw new QueryFailure('TABLE_NOT_FOUND', `Table 'awsdatacatalog.${database}.${name}$partitions' does not exist`)
    return {
      columns: keys.map((k) => ({ name: k.Name!.toLowerCase(), type: hiveToTrino(k.Type ?? 'string') })),
      rows: this.#catalogue
        .partitions(database, name)
        .map((p) => (p.Values ?? []).map((v) => (v === NULL_VALUE ? null : v))),
    }
  }

  #constant(key: string, content: ConstantTable): TableInfo {
    if (!this.used.has(key))
      this.used.set(key, { read: { kind: 'rows', view: `t${this.used.size}`, ...content }, scans: [] })
    return { sql: this.used.get(key)!.read.view, columns: content.columns }
  }
}

/** Keys of other types than texts are compared as what their values are cast to: they are not for partitions' names. */
function keyed(columns: readonly ReadColumn[], read: TableRead, scan: Scan): TableInfo['columns'] {
  if (read.kind !== 'files') return columns
  return columns.map((column) => {
    const at = read.keys.indexOf(column.name)
    if (at < 0 || column.type.name !== 'varchar' || column.type.p !== undefined) return column
    return { ...column, key: { restrict: (test) => void scan.push({ at, test }) } }
  })
}
