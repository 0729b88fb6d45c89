import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../../logger.ts'
import { AwsError, type Catalogue, type JsonOperation, type JsonService, type ObjectStore } from '../ports.ts'
import { databaseOperations } from './catalogue/database-operations.ts'
import { functionOperations } from './catalogue/function-operations.ts'
import { partitionIndexOperations } from './catalogue/partition-index-operations.ts'
import { partitionOperations } from './catalogue/partition-operations.ts'
import { searchOperations } from './catalogue/search-tables.ts'
import { statisticsOperations } from './catalogue/statistics-operations.ts'
import { tableOperations } from './catalogue/table-operations.ts'
import { tableVersionOperations } from './catalogue/table-version-operations.ts'
import { crawlerOperations } from './crawler/crawler-operations.ts'
import { CrawlerRuns } from './crawler/crawler-runs.ts'
import { CrawlerStore } from './crawler/crawler-store.ts'
import { CatalogueStore } from './store/catalogue-store.ts'
import { tagOperations } from './tag-operations.ts'

export interface GlueOptions {
  /** The endpoint's state folder; the service keeps its files in `glue/` below it. One process at a time may use it. */
  readonly dir: string
  /** What crawlers read. */
  readonly store: ObjectStore
  readonly log: Logger
}

export type GlueService = JsonService & Catalogue

/**
 * The AWS Glue Data Catalog and its crawlers, as far as a lake of Parquet files needs them. A change is on disk before it is
 * acknowledged. Inputs with members that are not offered are refused by the member's name.
 */
export async function openGlue({ dir: stateFolder, store, log }: GlueOptions): Promise<GlueService> {
  const dir = join(stateFolder, 'glue')
  await mkdir(dir, { recursive: true })
  const catalogue = await CatalogueStore.open(dir)
  const crawlers = await CrawlerStore.open(dir)
  const logFolder = join(dir, 'logs', 'crawlers')
  const runs = new CrawlerRuns({ logFolder, crawlers, catalogue, objects: store, log })
  const operations: Readonly<Record<string, JsonOperation>> = {
    ...databaseOperations(catalogue),
    ...tableOperations(catalogue),
    ...tableVersionOperations(catalogue),
    ...searchOperations(catalogue),
    ...functionOperations(catalogue),
    ...partitionOperations(catalogue),
    ...partitionIndexOperations(catalogue),
    ...statisticsOperations(catalogue),
    ...crawlerOperations(crawlers, runs),
    ...tagOperations(catalogue, crawlers),
  }
  return {
    target: 'AWSGlue',
    operations,
    ...catalogueOf(catalogue, operations),
    async close() {
      await runs.close()
      await Promise.all([catalogue.settled(), crawlers.settled()])
    },
  }
}

/** Who calls when it is Athena, in `CreatedBy`. */
const INSIDE = { requestId: 'local', region: 'us-east-1', accessKeyId: 'athena' } as const

function catalogueOf(store: CatalogueStore, operations: Readonly<Record<string, JsonOperation>>): Catalogue {
  const tableEntry = (database: string, name: string) =>
    store.database(database.toLowerCase())?.tables.get(name.toLowerCase())
  return {
    databases: () => structuredClone(store.databases().map((entry) => entry.record.database)),
    database: (name) => structuredClone(store.database(name.toLowerCase())?.record.database),
    tables(database) {
      const names = [...(store.database(database.toLowerCase())?.tables.keys() ?? [])].sort()
      return names.map((name) => structuredClone(tableEntry(database, name)!.record.table))
    },
    table: (database, name) => structuredClone(tableEntry(database, name)?.record.table),
    partitions: (database, name) => structuredClone(tableEntry(database, name)?.partitions.values() ?? []),
    async call(operation, input) {
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined
      if (!run)
        throw new AwsError('UnknownOperationException', `Operation ${operation} is not offered by the local Glue`)
      return structuredClone(await run(structuredClone(input), INSIDE))
    },
  }
}
