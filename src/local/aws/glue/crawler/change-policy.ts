import type { CatalogueStore } from '../store/catalogue-store.ts'
import type { CrawlLog } from './crawl-log.ts'
import type { CrawlSummary } from './crawl-summary.ts'
import type { CrawlerConfiguration } from './crawler-configuration.ts'
import type { FileStatistics } from './detect-table.ts'

/** IGNORE: the crawl cannot tell what is gone. */
export type DeleteBehavior = 'IGNORE' | 'LOG' | 'DELETE_FROM_DATABASE' | 'DEPRECATE_IN_DATABASE'

/** How a crawler may change the catalogue. */
export interface ChangePolicy {
  readonly crawlerName: string
  readonly tablePrefix: string
  /** False: what the catalogue has already stays as it is; only new tables and partitions are added. */
  readonly mayUpdate: boolean
  readonly deleteBehavior: DeleteBehavior
  readonly configuration: CrawlerConfiguration
}

export interface ApplyContext {
  readonly store: CatalogueStore
  readonly database: string
  readonly policy: ChangePolicy
  readonly log: CrawlLog
  readonly summary: CrawlSummary
}

export const DEPRECATED = 'DEPRECATED_BY_CRAWLER'
export const UPDATED_BY = 'UPDATED_BY_CRAWLER'
/** What AWS's crawlers write. */
export function parametersOf(statistics: FileStatistics, policy: ChangePolicy): Record<string, string> {
  const { objects, records, sizeBytes } = statistics
  return {
    CrawlerSchemaDeserializerVersion: '1.0',
    CrawlerSchemaSerializerVersion: '1.0',
    [UPDATED_BY]: policy.crawlerName,
    averageRecordSize: String(records > 0 ? Math.round(sizeBytes / records) : 0),
    classification: 'parquet',
    compressionType: 'none',
    objectCount: String(objects),
    recordCount: String(records),
    sizeKey: String(sizeBytes),
    typeOfData: 'file',
  }
}
