export type CrawlChange = 'ADD' | 'UPDATE' | 'DELETE'

/** Names listed per kind of change; the count is exact. */
const MAX_NAMES = 100

interface Changes {
  count: number
  readonly names: string[]
}

/** What a crawl changed in the catalogue: the `Summary` text of ListCrawls and the counts of GetCrawlerMetrics. */
export class CrawlSummary {
  readonly #tables = new Map<CrawlChange, Changes>()
  readonly #partitions = new Map<CrawlChange, Changes>()

  table(change: CrawlChange, name: string): void {
    count(this.#tables, change, name)
  }

  partition(change: CrawlChange, name: string): void {
    count(this.#partitions, change, name)
  }

  tables(change: CrawlChange): number {
    return this.#tables.get(change)?.count ?? 0
  }

  /** JSON: for TABLE and PARTITION each kind of change with its count and first names. */
  toString(): string {
    return JSON.stringify({ TABLE: Object.fromEntries(this.#tables), PARTITION: Object.fromEntries(this.#partitions) })
  }
}

function count(all: Map<CrawlChange, Changes>, change: CrawlChange, name: string): void {
  const changes = all.get(change) ?? { count: 0, names: [] }
  changes.count += 1
  if (changes.names.length < MAX_NAMES) changes.names.push(name)
  all.set(change, changes)
}
