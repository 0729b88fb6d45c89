import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Column } from '@aws-sdk/client-glue'
import type { WireTable } from '../../ports.ts'
import { indexOf } from '../catalogue/partition-index-operations.ts'
import { tableOf } from '../catalogue/table-input.ts'
import { nowSeconds } from '../request.ts'
import type { DatabaseEntry, TableEntry } from '../store/catalogue-store.ts'
import { applyPartitions } from './apply-partitions.ts'
import { type ApplyContext, type ChangePolicy, DEPRECATED, parametersOf } from './change-policy.ts'
import { catalogueColumns, type DetectedTable } from './detect-table.ts'
import { catalogueName, normalLocation } from './table-layout.ts'

const INDEX_NAME = 'crawler_partition_index'

/** Tells engines that the partition index may be asked. */
const FILTERING = { 'partition_filtering.enabled': 'true' }

const PARQUET = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    Parameters: { 'serialization.format': '1' },
  },
  NumberOfBuckets: -1,
}

/** Brings the catalogue in line with one detected table. Runs inside the database's turn. */
export async function applyTable(
  entry: DatabaseEntry,
  found: DetectedTable,
  context: ApplyContext,
): Promise<TableEntry> {
  const existing = tableAt(entry, found.location)
  const table = existing ? await updateTable(existing, found, context) : await createTable(entry, found, context)
  if (sameKeys(table, found)) await applyPartitions(table, found, context)
  return table
}

function tableAt(entry: DatabaseEntry, location: string): TableEntry | undefined {
  for (const table of entry.tables.values()) {
    if (normalLocation(table.record.table.StorageDescriptor?.Location) === location) return table
  }
  return undefined
}

async function createTable(entry: DatabaseEntry, found: DetectedTable, context: ApplyContext): Promise<TableEntry> {
  const { policy, log, summary } = context
  const plain = catalogueName(policy.tablePrefix + found.folderName)
  // Another table has the name: the hash of the location keeps the two apart, in every crawl the same way.
  const hash = createHash('md5').update(found.location).digest('hex')
  const name = entry.tables.has(plain) ? `${plain}_${hash}` : plain
  const statistics = parametersOf(found.statistics, policy)
  const indexed = policy.configuration.createPartitionIndex && found.keys.length > 0
  const now = nowSeconds()
  const table = tableOf(
    {
      Name: name,
      Owner: 'owner',
      TableType: 'EXTERNAL_TABLE',
      Parameters: { ...statistics, ...(indexed ? FILTERING : {}) },
      PartitionKeys: found.keys.map((key) => ({ Name: key, Type: 'string' })),
      StorageDescriptor: {
        ...PARQUET,
        Columns: catalogueColumns(found.columns),
        Location: found.location,
        Parameters: statistics,
      },
    },
    {
      database: context.database,
      createdSeconds: now,
      updatedSeconds: now,
      versionId: '0',
      createdBy: creator(policy),
    },
  )
  const indexes = indexed ? [indexOf({ IndexName: INDEX_NAME, Keys: [...found.keys] }, table, [])] : []
  const created = await context.store.createTable(entry, name, { table, indexes })
  summary.table('ADD', name)
  log.info(`created table ${context.database}.${name} at ${found.location}`)
  return created
}

const creator = (policy: ChangePolicy): string => `crawler/${policy.crawlerName}`

async function updateTable(entry: TableEntry, found: DetectedTable, context: ApplyContext): Promise<TableEntry> {
  const { policy, log, summary } = context
  const old = entry.record.table
  const name = old.Name ?? ''
  if (!sameKeys(entry, found) && (entry.partitions.size > 0 || !policy.mayUpdate)) {
    log.warn(
      `table ${name} has the partition keys (${keyNames(entry).join(', ')}), its folders say (${found.keys.join(', ')}); left alone`,
    )
    return entry
  }
  if (!policy.mayUpdate) return entry
  const table = updatedTable(old, found, policy, sameKeys(entry, found))
  const schemaChanged = !isDeepStrictEqual(shapeOf(old), shapeOf(table))
  const indexes = withIndex(entry, table, policy)
  const sameCounts = isDeepStrictEqual(old.Parameters, table.Parameters)
  if (!schemaChanged && sameCounts && indexes === entry.record.indexes) return entry
  const version = { VersionId: String(Number(old.VersionId ?? 0) + 1), UpdateTime: nowSeconds() }
  // New counts alone are no new version of the schema worth keeping.
  await context.store.saveTable(entry, { table: { ...table, ...version }, indexes }, { archive: schemaChanged })
  summary.table('UPDATE', name)
  log.info(`updated table ${context.database}.${name}${schemaChanged ? '' : ', its counts only'}`)
  return entry
}

function withIndex(entry: TableEntry, table: WireTable, policy: ChangePolicy): TableEntry['record']['indexes'] {
  const { indexes } = entry.record
  const keys = (table.PartitionKeys ?? []).map((key) => key.Name ?? '')
  const covered = indexes.some((index) => isDeepStrictEqual(index.Keys, keys))
  if (!policy.configuration.createPartitionIndex || keys.length === 0 || covered || indexes.length >= 3) return indexes
  if (indexes.some((index) => index.IndexName === INDEX_NAME)) return indexes
  return [...indexes, indexOf({ IndexName: INDEX_NAME, Keys: keys }, table, indexes)]
}

function updatedTable(old: WireTable, found: DetectedTable, policy: ChangePolicy, keepKeys: boolean): WireTable {
  const statistics = parametersOf(found.statistics, policy)
  const before = old.StorageDescriptor
  const { [DEPRECATED]: _, ...parameters } = old.Parameters ?? {}
  const sameSerde = before?.SerdeInfo?.SerializationLibrary === PARQUET.SerdeInfo.SerializationLibrary
  return {
    ...old,
    PartitionKeys: keepKeys ? (old.PartitionKeys ?? []) : found.keys.map((key) => ({ Name: key, Type: 'string' })),
    Parameters: { ...parameters, ...statistics, ...(policy.configuration.createPartitionIndex ? FILTERING : {}) },
    StorageDescriptor: {
      ...before,
      ...(sameSerde ? {} : PARQUET),
      Columns: mergedColumns(before?.Columns ?? [], found, policy.configuration.mergeNewColumns),
      Parameters: { ...before?.Parameters, ...statistics },
    },
  } as WireTable
}

/** With MergeNewColumns known columns stay as they are, also those without files. Without it the files decide; comments stay. */
function mergedColumns(known: readonly Column[], found: DetectedTable, onlyAdd: boolean): Column[] {
  const detected = catalogueColumns(found.columns)
  const byName = new Map(known.map((column) => [column.Name?.toLowerCase() ?? '', column]))
  if (onlyAdd) return [...known, ...detected.filter((column) => !byName.has(column.Name))]
  return detected.map((column) => ({ ...byName.get(column.Name), ...column }))
}

const shapeOf = (table: WireTable) => ({
  columns: table.StorageDescriptor?.Columns,
  keys: table.PartitionKeys,
  serde: table.StorageDescriptor?.SerdeInfo,
  formats: [table.StorageDescriptor?.InputFormat, table.StorageDescriptor?.OutputFormat],
  deprecated: table.Parameters?.[DEPRECATED],
})

const keyNames = (entry: TableEntry): string[] =>
  (entry.record.table.PartitionKeys ?? []).map((key) => key.Name?.toLowerCase() ?? '')

const sameKeys = (entry: TableEntry, found: DetectedTable): boolean =>
  isDeepStrictEqual(keyNames(entry), [...found.keys])
