import type { CrawlerHistory, CrawlerMetrics } from '@aws-sdk/client-glue'
import { AwsError, type JsonObject, type JsonOperation, type Wire } from '../../ports.ts'
import { page } from '../page.ts'
import {
  absent,
  alreadyExists,
  checkFields,
  invalidInput,
  notFound,
  nowSeconds,
  objects,
  oneOf,
  operation,
  text,
  textMap,
  texts,
} from '../request.ts'
import { CRAWLER_FIELDS, crawlerDefinition, crawlerName, type WireCrawler } from './crawler-input.ts'
import type { CrawlerRuns } from './crawler-runs.ts'
import type { CrawlerEntry, CrawlerStore } from './crawler-store.ts'

const PAGE = ['MaxResults', 'NextToken']
const MAX_PAGE = 1000
const MAX_NAMES = 100

/** Crawlers: their definitions, and starting, stopping and watching crawls. */
export function crawlerOperations(store: CrawlerStore, runs: CrawlerRuns): Record<string, JsonOperation> {
  return { ...definitionOperations(store, runs), ...runOperations(store, runs) }
}

function definitionOperations(store: CrawlerStore, runs: CrawlerRuns): Record<string, JsonOperation> {
  return {
    CreateCrawler: operation(
      { required: ['Name', 'Role', 'Targets'], optional: [...CRAWLER_FIELDS, 'Tags'] },
      (input) => createCrawler(store, input),
    ),
    UpdateCrawler: operation({ required: ['Name'], optional: CRAWLER_FIELDS }, (input) => {
      const name = crawlerName(input)
      return store.exclusive(name, async () => {
        const entry = findCrawler(store, name)
        refuseWhileRunning(runs, name)
        const { crawler } = entry.record
        const { Description: _, Configuration: __, Schedule: ___, ...kept } = crawler
        const changed = { ...kept, ...crawlerDefinition(input, crawler) }
        const version = { LastUpdated: nowSeconds(), Version: (crawler.Version ?? 1) + 1 }
        await store.save(entry, { ...entry.record, crawler: { ...changed, ...version } })
        return {}
      })
    }),
    DeleteCrawler: operation({ required: ['Name'] }, (input) => {
      const name = crawlerName(input)
      return store.exclusive(name, async () => {
        findCrawler(store, name)
        refuseWhileRunning(runs, name)
        await store.delete(name)
        return {}
      })
    }),
    GetCrawler: operation({ required: ['Name'] }, (input) => ({
      Crawler: shown(findCrawler(store, crawlerName(input)), runs),
    })),
    GetCrawlers: operation({ optional: PAGE }, (input) => {
      const { items, ...rest } = page(input, names(store), (name) => store.crawler(name), MAX_PAGE)
      return { Crawlers: items.map((entry) => shown(entry, runs)), ...rest }
    }),
    BatchGetCrawlers: operation({ required: ['CrawlerNames'] }, (input) => {
      const wanted = texts(input, 'CrawlerNames', MAX_NAMES)
      const found = wanted.map((name) => store.crawler(name)).filter((entry) => entry !== undefined)
      return {
        Crawlers: found.map((entry) => shown(entry, runs)),
        CrawlersNotFound: wanted.filter((name) => !store.crawler(name)),
      }
    }),
    ListCrawlers: operation({ optional: [...PAGE, 'Tags'] }, (input) => {
      const tags = Object.entries(textMap(input, 'Tags') ?? {})
      const hasTags = (name: string) =>
        tags.every(([key, value]) => store.crawler(name)?.record.tags[key] === value) ? name : undefined
      const { items, ...rest } = page(input, names(store), hasTags, MAX_PAGE)
      return { CrawlerNames: items, ...rest }
    }),
  }
}

function runOperations(store: CrawlerStore, runs: CrawlerRuns): Record<string, JsonOperation> {
  return {
    StartCrawler: operation({ required: ['Name'] }, (input) => {
      const name = crawlerName(input)
      return store.exclusive(name, async () => {
        const entry = findCrawler(store, name)
        if (runs.isRunning(name)) throw running(`Crawler with name ${name} has already started`)
        await runs.start(name, entry)
        return {}
      })
    }),
    StopCrawler: operation({ required: ['Name'] }, (input) => {
      const name = crawlerName(input)
      return store.exclusive(name, () => {
        findCrawler(store, name)
        if (!runs.isRunning(name)) {
          throw new AwsError('CrawlerNotRunningException', `Crawler with name ${name} isn't running`)
        }
        if (runs.isStopping(name)) {
          throw new AwsError('CrawlerStoppingException', `Crawler with name ${name} is stopping`)
        }
        runs.stop(name)
        return {}
      })
    }),
    GetCrawlerMetrics: operation({ optional: ['CrawlerNameList', ...PAGE] }, (input) => {
      const wanted = absent(input.CrawlerNameList) ? [] : texts(input, 'CrawlerNameList', MAX_NAMES)
      const chosen = wanted.length === 0 ? names(store) : names(store).filter((name) => wanted.includes(name))
      const { items, ...rest } = page(input, chosen, (name) => store.crawler(name), MAX_PAGE)
      return { CrawlerMetricsList: items.map((entry) => metrics(entry, runs)), ...rest }
    }),
    ListCrawls: operation({ required: ['CrawlerName'], optional: ['Filters', ...PAGE] }, (input) =>
      listCrawls(findCrawler(store, crawlerName(input, 'CrawlerName')), input),
    ),
  }
}

function createCrawler(store: CrawlerStore, input: JsonObject): Promise<JsonObject> {
  const name = crawlerName(input)
  const now = nowSeconds()
  const crawler: WireCrawler = {
    ...crawlerDefinition(input, undefined),
    Name: name,
    State: 'READY',
    CrawlElapsedTime: 0,
    CreationTime: now,
    LastUpdated: now,
    Version: 1,
  }
  const tags = textMap(input, 'Tags') ?? {}
  return store.exclusive(name, async () => {
    if (store.crawler(name)) throw alreadyExists(`Crawler with name ${name} already exists`)
    await store.create(name, { crawler, tags })
    return {}
  })
}

const names = (store: CrawlerStore): string[] => store.crawlers().map((entry) => entry.record.crawler.Name ?? '')

const running = (message: string): AwsError => new AwsError('CrawlerRunningException', message)

function refuseWhileRunning(runs: CrawlerRuns, name: string): void {
  if (runs.isRunning(name)) throw running(`Crawler with name ${name} is running; stop it or wait for its end`)
}

/** @throws AwsError EntityNotFoundException */
export function findCrawler(store: CrawlerStore, name: string): CrawlerEntry {
  const entry = store.crawler(name)
  if (!entry) throw notFound(`Crawler entry with name ${name} does not exist`)
  return entry
}

function shown(entry: CrawlerEntry, runs: CrawlerRuns): WireCrawler {
  const { crawler } = entry.record
  const name = crawler.Name ?? ''
  const state = runs.isStopping(name) ? 'STOPPING' : runs.isRunning(name) ? 'RUNNING' : 'READY'
  return { ...crawler, State: state, CrawlElapsedTime: runs.elapsedMs(name) ?? crawler.CrawlElapsedTime }
}

function metrics(entry: CrawlerEntry, runs: CrawlerRuns): Wire<CrawlerMetrics> {
  const name = entry.record.crawler.Name ?? ''
  const { counts } = entry.record
  return {
    CrawlerName: name,
    TimeLeftSeconds: 0,
    StillEstimating: runs.isRunning(name),
    LastRuntimeSeconds: counts?.runtimeSeconds ?? 0,
    MedianRuntimeSeconds: medianRuntime(entry),
    TablesCreated: counts?.tablesCreated ?? 0,
    TablesUpdated: counts?.tablesUpdated ?? 0,
    TablesDeleted: counts?.tablesDeleted ?? 0,
  }
}

function medianRuntime(entry: CrawlerEntry): number {
  const runtimes = entry.crawls
    .values()
    .filter((crawl) => crawl.State === 'COMPLETED')
    .map((crawl) => (crawl.EndTime ?? 0) - (crawl.StartTime ?? 0))
    .sort((left, right) => left - right)
  return runtimes[Math.floor((runtimes.length - 1) / 2)] ?? 0
}

const FILTER_FIELDS = ['CRAWL_ID', 'STATE', 'START_TIME', 'END_TIME', 'DPU_HOUR'] as const
const OPERATORS = ['GT', 'GE', 'LT', 'LE', 'EQ', 'NE'] as const

/** Newest first. Times in filters are epoch milliseconds. */
function listCrawls(entry: CrawlerEntry, input: JsonObject): JsonObject {
  const filters = absent(input.Filters) ? [] : objects(input, 'Filters').map(crawlFilter)
  const newestFirst = [...entry.crawls.keys()].reverse()
  const keys = newestFirst.map((_, index) => String(index).padStart(6, '0'))
  const pick = (key: string): Wire<CrawlerHistory> | undefined => {
    const crawl = entry.crawls.get(newestFirst[Number(key)] ?? '')
    return crawl && filters.every((filter) => filter(crawl)) ? crawl : undefined
  }
  const { items, ...rest } = page(input, keys, pick, MAX_PAGE)
  return { Crawls: items, ...rest }
}

function crawlFilter(input: JsonObject): (crawl: Wire<CrawlerHistory>) => boolean {
  checkFields(input, { required: ['FieldName', 'FilterOperator', 'FieldValue'] }, 'Filters.')
  const field = oneOf(input, 'FieldName', FILTER_FIELDS)
  const operator = oneOf(input, 'FilterOperator', OPERATORS)
  const wanted = text(input, 'FieldValue')
  const isText = field === 'CRAWL_ID' || field === 'STATE'
  if (isText && operator !== 'EQ' && operator !== 'NE') throw invalidInput(`Filters: ${field} allows EQ and NE only`)
  if (!isText && !Number.isFinite(Number(wanted))) throw invalidInput(`Filters: ${field} needs a number`)
  return (crawl) => {
    if (isText) return (String(field === 'STATE' ? crawl.State : crawl.CrawlId) === wanted) === (operator === 'EQ')
    const seconds = field === 'START_TIME' ? crawl.StartTime : field === 'END_TIME' ? crawl.EndTime : undefined
    const value = field === 'DPU_HOUR' ? crawl.DPUHour : seconds === undefined ? undefined : Math.round(seconds * 1000)
    return value !== undefined && compared(value, Number(wanted), operator)
  }
}

function compared(value: number, wanted: number, operator: (typeof OPERATORS)[number] | undefined): boolean {
  switch (operator) {
    case 'GT':
      return value > wanted
    case 'GE':
      return value >= wanted
    case 'LT':
      return value < wanted
    case 'LE':
      return value <= wanted
    case 'NE':
      return value !== wanted
    default:
      return value === wanted
  }
}
