import type { Column, Partition, Table } from '@aws-sdk/client-glue'
import type { TableContract } from '../contract.ts'
import { PARTITION_KEYS, type PartitionFacts, sameLocation, sameType, tableLocation } from './table-definition.ts'

/**
 * Compares what Glue says with what the contract and the files say.
 *
 * Where the catalogue's type differs from the file's and the partition inherits the table's columns, the engine does not compare
 * any more and answers wrongly without a word: a timestamp read as bigint shows its microseconds. So nothing is published over a
 * drift, and `verify` reports it.
 */
export interface Drift {
  readonly code:
    | 'table_missing'
    | 'extra_table'
    | 'table_deprecated'
    | 'table_location'
    | 'format_drift'
    | 'partition_key_drift'
    | 'column_missing'
    | 'extra_column'
    | 'type_drift'
    | 'partition_missing'
    | 'partition_location'
    | 'extra_partition'
  /** `players`, `players.birth_year`, `players/<snapshot id>`, `players/<snapshot id>.birth_year` */
  readonly subject: string
  readonly detail: string
}

const byName = (columns: readonly Column[] | undefined) =>
  new Map((columns ?? []).map((column) => [column.Name?.toLowerCase() ?? '', column]))

function typeDrift(subject: string, expected: string, found: string | undefined): Drift {
  return {
    code: 'type_drift',
    subject,
    detail: `the files hold ${expected}, the catalogue says ${found ?? 'nothing'}`,
  }
}

function tableColumns(contract: TableContract, table: Table): Drift[] {
  const found = byName(table.StorageDescriptor?.Columns)
  const known = new Set(contract.columns.map((c) => c.name))
  const drifts: Drift[] = contract.columns.flatMap((column): Drift[] => {
    const glue = found.get(column.name)
    const subject = `${contract.name}.${column.name}`
    if (glue === undefined)
      return [{ code: 'column_missing', subject, detail: 'the table lacks a column of the contract' }]
    return sameType(glue.Type, column.athenaType) ? [] : [typeDrift(subject, column.athenaType, glue.Type)]
  })
  const extra = [...found.keys()].filter((name) => !known.has(name))
  return [
    ...drifts,
    ...extra.map(
      (name): Drift => ({
        code: 'extra_column',
        subject: `${contract.name}.${name}`,
        detail: 'the table has a column that the contract lacks; a foreign file may lie under its folder',
      }),
    ),
  ]
}

export function missingTable(subject: string): Drift {
  return { code: 'table_missing', subject, detail: 'the catalogue has no such table' }
}

/** Drifts of one table against its contract; `undefined` stands for a table that Glue does not have. */
export function tableDrift(contract: TableContract, table: Table | undefined, bucket: string): Drift[] {
  const subject = contract.name
  if (table === undefined) return [missingTable(subject)]
  const drifts: Drift[] = []
  const keys = (table.PartitionKeys ?? []).map((key) => `${key.Name} ${key.Type}`).join(', ')
  const expectedKeys = PARTITION_KEYS.map((name) => `${name} string`).join(', ')
  if (keys.toLowerCase() !== expectedKeys) {
    drifts.push({ code: 'partition_key_drift', subject, detail: `expected (${expectedKeys}), found (${keys})` })
  }
  const location = tableLocation(bucket, contract.name)
  if (!sameLocation(table.StorageDescriptor?.Location, location)) {
    const found = table.StorageDescriptor?.Location ?? 'nowhere'
    drifts.push({ code: 'table_location', subject, detail: `expected ${location}, found ${found}` })
  }
  const serde = table.StorageDescriptor?.SerdeInfo?.SerializationLibrary ?? 'none'
  if (!serde.toLowerCase().includes('parquet')) {
    drifts.push({ code: 'format_drift', subject, detail: `expected the Parquet SerDe, found ${serde}` })
  }
  if (table.Parameters?.DEPRECATED_BY_CRAWLER !== undefined) {
    drifts.push({ code: 'table_deprecated', subject, detail: 'the crawler marked the table as deprecated' })
  }
  return [...drifts, ...tableColumns(contract, table)]
}

/**
 * Drifts of one partition: its location, and the type of every column of its files. Columns beyond those of the files are
 * allowed (they read NULL): after a crawl partitions have the table's columns.
 */
export function partitionDrift(expected: PartitionFacts, partition: Partition | undefined): Drift[] {
  const subject = `${expected.table}/${expected.snapshotId}`
  if (partition === undefined) {
    return [{ code: 'partition_missing', subject, detail: 'the catalogue has no partition for a live snapshot' }]
  }
  const drifts: Drift[] = []
  const { Location, Columns } = partition.StorageDescriptor ?? {}
  if (!sameLocation(Location, expected.location)) {
    const detail = `expected ${expected.location}, found ${Location ?? 'nowhere'}`
    drifts.push({ code: 'partition_location', subject, detail })
  }
  const found = byName(Columns)
  for (const column of expected.columns) {
    const glue = found.get(column.name)
    const name = `${subject}.${column.name}`
    if (glue === undefined) {
      drifts.push({ code: 'column_missing', subject: name, detail: 'the partition lacks a column that its files have' })
    } else if (!sameType(glue.Type, column.athenaType)) {
      drifts.push(typeDrift(name, column.athenaType, glue.Type))
    }
  }
  return drifts
}

/**
 * Tables of the raw database that no contract explains. Older versions of a lake table and retired ones stay as long as their
 * snapshots: those that we made say so, and a crawl that invents a table does not.
 */
export function extraTables(contracts: readonly TableContract[], tables: Iterable<Table>): Drift[] {
  const explained = (name: string) =>
    contracts.some(({ lakeTable, version }) => {
      if (name === lakeTable) return true
      const match = name.startsWith(`${lakeTable}_v`) ? /^\d+$/.exec(name.slice(lakeTable.length + 2)) : null
      return match !== null && Number(match[0]) >= 2 && Number(match[0]) <= version
    })
  return [...tables]
    .filter((table) => table.Parameters?.contract_fingerprint === undefined && !explained(table.Name ?? ''))
    .map((table) => table.Name ?? '')
    .sort()
    .map((name) => ({
      code: 'extra_table',
      subject: name,
      detail: 'the raw database has a table that no contract names; a crawl may have invented it',
    }))
}
