import type { ColumnStatistics } from '@aws-sdk/client-glue'
import type { JsonObject, JsonOperation, Wire } from '../../ports.ts'
import { checkFields, givenName, notFound, nowSeconds, object, objects, operation, text, texts } from '../request.ts'
import { type CatalogueStore, statisticsKey, type TableEntry } from '../store/catalogue-store.ts'
import type { Change } from '../store/keyed-log.ts'
import { changeTable, errorDetail, findPartition, keyCount, namedTable } from './find.ts'
import { checkedValues } from './table-input.ts'

const TABLE = ['DatabaseName', 'TableName']
const PARTITION = [...TABLE, 'PartitionValues']
/** AWS's limits of columns in one call. */
const MAX_READS = 100
const MAX_WRITES = 25

type Statistics = Wire<ColumnStatistics>

/** Get-, Update- and DeleteColumnStatistics of tables and partitions: kept as engines write them, never computed. */
export function statisticsOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    GetColumnStatisticsForTable: operation({ required: [...TABLE, 'ColumnNames'] }, (input) =>
      read(namedTable(store, input), undefined, input),
    ),
    GetColumnStatisticsForPartition: operation({ required: [...PARTITION, 'ColumnNames'] }, (input) => {
      const table = namedTable(store, input)
      return read(table, partitionValues(table, input), input)
    }),
    UpdateColumnStatisticsForTable: operation({ required: [...TABLE, 'ColumnStatisticsList'] }, (input) =>
      changeTable(store, input, (table) => update(table, undefined, input)),
    ),
    UpdateColumnStatisticsForPartition: operation({ required: [...PARTITION, 'ColumnStatisticsList'] }, (input) =>
      changeTable(store, input, (table) => update(table, partitionValues(table, input), input)),
    ),
    DeleteColumnStatisticsForTable: operation({ required: [...TABLE, 'ColumnName'] }, (input) =>
      changeTable(store, input, (table) => remove(table, undefined, input)),
    ),
    DeleteColumnStatisticsForPartition: operation({ required: [...PARTITION, 'ColumnName'] }, (input) =>
      changeTable(store, input, (table) => remove(table, partitionValues(table, input), input)),
    ),
  }
}

function partitionValues(table: TableEntry, input: JsonObject): string[] {
  const values = checkedValues(texts(input, 'PartitionValues'), keyCount(table))
  findPartition(table, values)
  return values
}

function columnNames(table: TableEntry): Set<string> {
  const { StorageDescriptor, PartitionKeys } = table.record.table
  const columns = [...(StorageDescriptor?.Columns ?? []), ...(PartitionKeys ?? [])]
  return new Set(columns.map((column) => column.Name?.toLowerCase() ?? ''))
}

/** A column without statistics is left out of the answer and is no error: engines read that as "unknown". */
function read(table: TableEntry, values: readonly string[] | undefined, input: JsonObject): JsonObject {
  const columns = columnNames(table)
  const found = texts(input, 'ColumnNames', MAX_READS)
    .filter((column) => columns.has(column.toLowerCase()))
    .map((column) => table.statistics.get(statisticsKey(values, column)))
  return { ColumnStatisticsList: found.filter((statistics) => statistics !== undefined), Errors: [] }
}

async function update(
  table: TableEntry,
  values: readonly string[] | undefined,
  input: JsonObject,
): Promise<JsonObject> {
  const columns = columnNames(table)
  const Errors: JsonObject[] = []
  const changes: Change<Statistics>[] = []
  for (const entry of objects(input, 'ColumnStatisticsList', MAX_WRITES)) {
    const statistics = statisticsOf(entry)
    try {
      const column = statistics.ColumnName ?? ''
      if (!columns.has(column.toLowerCase())) throw notFound(`Column ${column} not found.`)
      changes.push([statisticsKey(values, column), statistics])
    } catch (error) {
      Errors.push({ ColumnStatistics: entry, Error: errorDetail(error) })
    }
  }
  await table.statistics.write(changes)
  return { Errors }
}

function statisticsOf(entry: JsonObject): Statistics {
  const where = 'ColumnStatistics.'
  checkFields(entry, { required: ['ColumnName', 'ColumnType', 'AnalyzedTime', 'StatisticsData'] }, where)
  return {
    ColumnName: givenName(entry, 'ColumnName', where),
    ColumnType: text(entry, 'ColumnType', where),
    AnalyzedTime: typeof entry.AnalyzedTime === 'number' ? entry.AnalyzedTime : nowSeconds(),
    StatisticsData: object(entry, 'StatisticsData', where) as unknown as NonNullable<Statistics['StatisticsData']>,
  }
}

async function remove(
  table: TableEntry,
  values: readonly string[] | undefined,
  input: JsonObject,
): Promise<JsonObject> {
  const column = givenName(input, 'ColumnName')
  const key = statisticsKey(values, column)
  if (!table.statistics.has(key)) throw notFound(`Statistics of column ${column} not found.`)
  await table.statistics.write([[key, null]])
  return {}
}
