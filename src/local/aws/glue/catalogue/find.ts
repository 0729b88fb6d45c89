import type { WirePartition } from '../../ports.ts'
import { AwsError, type JsonObject } from '../../ports.ts'
import { invalidInput, lowerName, notFound } from '../request.ts'
import { type CatalogueStore, type DatabaseEntry, partitionKey, type TableEntry } from '../store/catalogue-store.ts'

/** @throws AwsError EntityNotFoundException */
export function findDatabase(store: CatalogueStore, name: string): DatabaseEntry {
  const entry = store.database(name)
  if (!entry) throw notFound(`Database ${name} not found.`)
  return entry
}

/** @throws AwsError EntityNotFoundException */
export function findTable(store: CatalogueStore, database: string, name: string): TableEntry {
  const entry = findDatabase(store, database).tables.get(name)
  if (!entry) throw notFound(`Table ${name} not found.`)
  return entry
}

/** The table that `DatabaseName` and `TableName` of a request name. */
export function namedTable(store: CatalogueStore, input: JsonObject): TableEntry {
  return findTable(store, lowerName(input, 'DatabaseName'), lowerName(input, 'TableName'))
}

/** A change of the table that `DatabaseName` and `TableName` name; no other change of its database runs meanwhile. */
export function changeTable<T>(
  store: CatalogueStore,
  input: JsonObject,
  change: (table: TableEntry) => Promise<T>,
): Promise<T> {
  const database = lowerName(input, 'DatabaseName')
  const name = lowerName(input, 'TableName')
  return store.exclusive(database, () => change(findTable(store, database, name)))
}

/** @throws AwsError EntityNotFoundException */
export function findPartition(table: TableEntry, values: readonly string[]): WirePartition {
  const partition = table.partitions.get(partitionKey(values))
  if (!partition) throw notFound('Cannot find partition.')
  return partition
}

export const keyCount = (table: TableEntry): number => table.record.table.PartitionKeys?.length ?? 0

/** The `ErrorDetail` of one entry of a batch. Anything that is no error of ours is a defect and ends the whole call. */
export function errorDetail(error: unknown): { ErrorCode: string; ErrorMessage: string } {
  if (!(error instanceof AwsError)) throw error
  return { ErrorCode: error.code, ErrorMessage: error.message }
}

/** A caller's regular expression over whole names, in any case. `*` alone means every name, as engines send it. */
export function namePattern(expression: string | undefined): RegExp {
  if (expression === undefined || expression === '' || expression === '*') return /^/
  try {
    return new RegExp(`^(?:${expression})$`, 'iu')
  } catch (cause) {
    throw invalidInput(`Expression is no regular expression: ${(cause as Error).message}`)
  }
}
