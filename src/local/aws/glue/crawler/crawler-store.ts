import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CrawlerHistory } from '@aws-sdk/client-glue'
import type { Wire } from '../../ports.ts'
import { nowSeconds } from '../request.ts'
import { fileNameOf, makeFolder, parseJson, readIfPresent, removeFolder, writeDurably } from '../store/durable-file.ts'
import { KeyedLog } from '../store/keyed-log.ts'
import { Turns } from '../store/turns.ts'
import type { WireCrawler } from './crawler-input.ts'

export interface CrawlCounts {
  readonly runtimeSeconds: number
  readonly tablesCreated: number
  readonly tablesUpdated: number
  readonly tablesDeleted: number
}

/** What `crawler.json` holds. */
export interface CrawlerRecord {
  readonly crawler: WireCrawler
  readonly tags: Readonly<Record<string, string>>
  /** Of the last crawl that succeeded. */
  readonly counts?: CrawlCounts
}

export interface CrawlerEntry {
  readonly folder: string
  record: CrawlerRecord
  /** By start time and crawl id, so that the order of keys is that of time. */
  readonly crawls: KeyedLog<Wire<CrawlerHistory>>
  /** Locations of folders that a crawl has seen. */
  readonly folders: KeyedLog<true>
}

const KEPT_CRAWLS = 100
export const INTERRUPTED = 'The local endpoint ended during the crawl'

/**
 * Crawlers on disk: `crawlers/<name>/{crawler.json, crawls.log, folders.log}`, each change durable when it resolves. A crawl that
 * ran when the process died is found as failed.
 */
export class CrawlerStore {
  readonly #root: string
  readonly #trash: string
  readonly #turns = new Turns()
  readonly #crawlers = new Map<string, CrawlerEntry>()

  private constructor(dir: string) {
    this.#root = join(dir, 'crawlers')
    this.#trash = join(dir, 'trash')
  }

  /** `dir` is that of an open catalogue store, whose trash folder is used. */
  static async open(dir: string): Promise<CrawlerStore> {
    const store = new CrawlerStore(dir)
    await mkdir(store.#root, { recursive: true })
    await makeFolder(store.#root)
    for (const name of await readdir(store.#root)) {
      const folder = join(store.#root, name)
      const text = await readIfPresent(join(folder, 'crawler.json'))
      if (text === undefined) {
        await rm(folder, { recursive: true, force: true })
        continue
      }
      const entry = await openCrawler(folder, parseJson<CrawlerRecord>(text, folder))
      await store.#recover(entry)
      store.#crawlers.set(entry.record.crawler.Name ?? '', entry)
    }
    return store
  }

  crawlers(): CrawlerEntry[] {
    return [...this.#crawlers.keys()].sort().map((name) => this.#crawlers.get(name)!)
  }

  crawler(name: string): CrawlerEntry | undefined {
    return this.#crawlers.get(name)
  }

  exclusive<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return this.#turns.take(name, work)
  }

  async create(name: string, record: CrawlerRecord): Promise<void> {
    const folder = join(this.#root, fileNameOf(name))
    await rm(folder, { recursive: true, force: true })
    await makeFolder(folder)
    await writeDurably(join(folder, 'crawler.json'), JSON.stringify(record))
    this.#crawlers.set(name, await openCrawler(folder, record))
  }

  async save(entry: CrawlerEntry, record: CrawlerRecord): Promise<void> {
    await writeDurably(join(entry.folder, 'crawler.json'), JSON.stringify(record))
    entry.record = record
  }

  async delete(name: string): Promise<void> {
    const entry = this.#crawlers.get(name)
    if (!entry) return
    await removeFolder(entry.folder, this.#trash)
    this.#crawlers.delete(name)
  }

  /** Adds or replaces one crawl; the oldest ones leave. */
  async saveCrawl(entry: CrawlerEntry, crawl: Wire<CrawlerHistory>): Promise<void> {
    const key = `${Math.round((crawl.StartTime ?? 0) * 1000)} ${crawl.CrawlId}`
    const added = entry.crawls.has(key) ? 0 : 1
    const old = entry.crawls.keys().slice(0, Math.max(0, entry.crawls.size + added - KEPT_CRAWLS))
    await entry.crawls.write([[key, crawl], ...old.map((one) => [one, null] as const)])
  }

  settled(): Promise<void> {
    return this.#turns.settled()
  }

  async #recover(entry: CrawlerEntry): Promise<void> {
    for (const crawl of entry.crawls.values()) {
      if (crawl.State !== 'RUNNING') continue
      await this.saveCrawl(entry, { ...crawl, State: 'FAILED', EndTime: nowSeconds(), ErrorMessage: INTERRUPTED })
    }
    const { crawler } = entry.record
    if (crawler.State === 'READY') return
    const last = entry.crawls.values().at(-1)
    await this.save(entry, {
      ...entry.record,
      crawler: {
        ...crawler,
        State: 'READY',
        LastCrawl: {
          Status: 'FAILED',
          ErrorMessage: INTERRUPTED,
          LogGroup: last?.LogGroup,
          LogStream: last?.LogStream,
          MessagePrefix: last?.MessagePrefix,
          StartTime: last?.StartTime,
        },
      },
    })
  }
}

async function openCrawler(folder: string, record: CrawlerRecord): Promise<CrawlerEntry> {
  return {
    folder,
    record,
    crawls: await KeyedLog.open(join(folder, 'crawls.log')),
    folders: await KeyedLog.open(join(folder, 'folders.log')),
  }
}
