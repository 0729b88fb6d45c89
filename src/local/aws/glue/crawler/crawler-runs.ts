import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { CrawlerHistory } from '@aws-sdk/client-glue'
import { describe } from '../../../../errors.ts'
import type { Logger } from '../../../../logger.ts'
import { AwsError, type ObjectStore, type Wire } from '../../ports.ts'
import { nowSeconds } from '../request.ts'
import type { CatalogueStore } from '../store/catalogue-store.ts'
import { fileNameOf } from '../store/durable-file.ts'
import { type CrawlPlan, crawl } from './crawl.ts'
import { CrawlLog } from './crawl-log.ts'
import { CrawlSummary } from './crawl-summary.ts'
import { parseConfiguration } from './crawler-configuration.ts'
import { crawlTargets } from './crawler-input.ts'
import { type CrawlerEntry, type CrawlerStore, INTERRUPTED } from './crawler-store.ts'
import { SchemaCache } from './schema-cache.ts'

const LOG_GROUP = '/aws-glue/crawlers'

interface Run {
  readonly abort: AbortController
  readonly done: Promise<void>
  readonly startedMs: number
}

type Outcome = { readonly status: 'SUCCEEDED' | 'CANCELLED' | 'FAILED'; readonly message?: string }

const STATES = { SUCCEEDED: 'COMPLETED', CANCELLED: 'STOPPED', FAILED: 'FAILED' } as const

export interface CrawlerRunsOptions {
  /** Folder of the crawls' log files. */
  readonly logFolder: string
  readonly crawlers: CrawlerStore
  readonly catalogue: CatalogueStore
  readonly objects: ObjectStore
  readonly log: Logger
}

/** The crawls under way. A crawler runs once at a time; what it does is recorded before and after. */
export class CrawlerRuns {
  readonly #options: CrawlerRunsOptions
  readonly #schemas: SchemaCache
  readonly #runs = new Map<string, Run>()
  #closed = false

  constructor(options: CrawlerRunsOptions) {
    this.#options = options
    this.#schemas = new SchemaCache(options.objects)
  }

  isRunning(name: string): boolean {
    return this.#runs.has(name)
  }

  /** Milliseconds since the running crawl began; undefined when none runs. */
  elapsedMs(name: string): number | undefined {
    const run = this.#runs.get(name)
    return run && Date.now() - run.startedMs
  }

  isStopping(name: string): boolean {
    return this.#runs.get(name)?.abort.signal.aborted ?? false
  }

  /** Resolves when the crawl is recorded as running. Must be called in the crawler's turn, when it does not run. */
  async start(name: string, entry: CrawlerEntry): Promise<void> {
    if (this.#closed) throw new AwsError('OperationTimeoutException', 'The local endpoint is stopping', 503)
    const { crawlers } = this.#options
    const history: Wire<CrawlerHistory> = {
      CrawlId: randomUUID(),
      State: 'RUNNING',
      StartTime: nowSeconds(),
      LogGroup: LOG_GROUP,
      LogStream: name,
      DPUHour: 0,
    }
    await crawlers.saveCrawl(entry, { ...history, MessagePrefix: history.CrawlId })
    await crawlers.save(entry, { ...entry.record, crawler: { ...entry.record.crawler, State: 'RUNNING' } })
    const abort = new AbortController()
    const done = this.#run(name, entry, { ...history, MessagePrefix: history.CrawlId }, abort.signal).catch((error) =>
      this.#options.log.error({ crawler: name, error: describe(error) }, 'the end of a crawl could not be recorded'),
    )
    const run: Run = { abort, done, startedMs: Date.now() }
    this.#runs.set(name, run)
    // Also when the end could not be recorded; by then another run may have begun.
    void done.then(() => this.#runs.get(name) === run && this.#runs.delete(name))
  }

  /** Asks the running crawl to stop; it ends as CANCELLED soon after. */
  stop(name: string): void {
    this.#runs.get(name)?.abort.abort(new AwsError('CrawlerStoppedException', 'The crawl was stopped'))
  }

  /** Ends all crawls as failed and waits until that is recorded. */
  async close(): Promise<void> {
    this.#closed = true
    for (const run of this.#runs.values()) run.abort.abort(new Error(INTERRUPTED))
    await Promise.all([...this.#runs.values()].map((run) => run.done))
  }

  async #run(name: string, entry: CrawlerEntry, history: Wire<CrawlerHistory>, signal: AbortSignal): Promise<void> {
    const startedMs = Date.now()
    const log = new CrawlLog(history.CrawlId ?? '')
    const summary = new CrawlSummary()
    const outcome = await this.#crawl(entry, { log, summary, signal })
    if (outcome.status !== 'SUCCEEDED') log.error(outcome.message ?? outcome.status)
    await log.save(join(this.#options.logFolder, `${fileNameOf(name.toLowerCase())}.log`)).catch(() => {})
    this.#options.log.info(
      { crawler: name, status: outcome.status, warnings: log.warningCount, message: outcome.message },
      'a crawl ended',
    )
    await this.#record(name, entry, history, { outcome, summary, startedMs })
  }

  async #crawl(
    entry: CrawlerEntry,
    context: { readonly log: CrawlLog; readonly summary: CrawlSummary; readonly signal: AbortSignal },
  ): Promise<Outcome> {
    try {
      const plan = planOf(entry)
      const { catalogue, objects } = this.#options
      const folders = await crawl(plan, { ...context, catalogue, objects, schemas: this.#schemas })
      await entry.folders.write(folders.filter((one) => !entry.folders.has(one)).map((one) => [one, true] as const))
      const message = context.log.summary
      return message === undefined ? { status: 'SUCCEEDED' } : { status: 'SUCCEEDED', message }
    } catch (error) {
      const stopped = error instanceof AwsError && error.code === 'CrawlerStoppedException'
      return stopped ? { status: 'CANCELLED', message: error.message } : { status: 'FAILED', message: describe(error) }
    }
  }

  async #record(
    name: string,
    entry: CrawlerEntry,
    history: Wire<CrawlerHistory>,
    end: { readonly outcome: Outcome; readonly summary: CrawlSummary; readonly startedMs: number },
  ): Promise<void> {
    const { crawlers } = this.#options
    const { outcome, summary } = end
    const ErrorMessage = outcome.message?.slice(0, 2048)
    const elapsedMs = Date.now() - end.startedMs
    const { StartTime, LogGroup, LogStream, MessagePrefix } = history
    await crawlers.exclusive(name, async () => {
      await crawlers.saveCrawl(entry, {
        ...history,
        State: STATES[outcome.status],
        EndTime: nowSeconds(),
        Summary: summary.toString(),
        ErrorMessage,
      })
      const counts = {
        runtimeSeconds: elapsedMs / 1000,
        tablesCreated: summary.tables('ADD'),
        tablesUpdated: summary.tables('UPDATE'),
        tablesDeleted: summary.tables('DELETE'),
      }
      await crawlers.save(entry, {
        ...entry.record,
        ...(outcome.status === 'SUCCEEDED' ? { counts } : {}),
        crawler: {
          ...entry.record.crawler,
          State: 'READY',
          CrawlElapsedTime: elapsedMs,
          LastCrawl: { Status: outcome.status, ErrorMessage, LogGroup, LogStream, MessagePrefix, StartTime },
        },
      })
      // Not before READY is on disk, and in the same turn: whoever reads READY can start again.
      this.#runs.delete(name)
    })
  }
}

function planOf(entry: CrawlerEntry): CrawlPlan {
  const { crawler } = entry.record
  const newFoldersOnly = crawler.RecrawlPolicy?.RecrawlBehavior === 'CRAWL_NEW_FOLDERS_ONLY'
  return {
    database: crawler.DatabaseName ?? '',
    targets: crawlTargets(crawler),
    policy: {
      crawlerName: crawler.Name ?? '',
      tablePrefix: crawler.TablePrefix ?? '',
      mayUpdate: crawler.SchemaChangePolicy?.UpdateBehavior !== 'LOG',
      // A crawl that looks at new folders only cannot tell what is gone.
      deleteBehavior: newFoldersOnly
        ? 'IGNORE'
        : (crawler.SchemaChangePolicy?.DeleteBehavior ?? 'DEPRECATE_IN_DATABASE'),
      configuration: parseConfiguration(crawler.Configuration),
    },
    ...(newFoldersOnly ? { knownFolders: new Set(entry.folders.keys()) } : {}),
  }
}
