import { setTimeout as delay } from 'node:timers/promises'
import {
  type Crawler,
  CreateCrawlerCommand,
  type CreateCrawlerRequest,
  GetCrawlerCommand,
  type GlueClient,
  StartCrawlerCommand,
  UpdateCrawlerCommand,
} from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import { LakeProblem } from '../lake-problem.ts'
import { type RetryOptions, retrying } from '../retries.ts'

/** How often a running crawler is looked at: at first often, for a small lake, later seldom. */
export interface CrawlPace {
  readonly firstMs: number
  readonly longestMs: number
}

export const CRAWL_PACE: CrawlPace = { firstMs: 250, longestMs: 10_000 }

/** How long and how often a crawler is waited for. */
export interface CrawlWait {
  readonly deadline: Date
  readonly pace?: CrawlPace | undefined
  /** Ends every wait at once, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** Waits that grow by half, with jitter, never beyond the deadline. */
function* waits({ firstMs, longestMs }: CrawlPace): Generator<number> {
  for (let ms = firstMs; ; ms = Math.min(longestMs, ms * 1.5)) yield ms * (0.75 + Math.random() / 2)
}

const retryOptions = (signal: AbortSignal | undefined): RetryOptions => (signal === undefined ? {} : { signal })

export async function findCrawler(glue: GlueClient, name: string, signal?: AbortSignal): Promise<Crawler | undefined> {
  try {
    const { Crawler: crawler } = await retrying(
      () => glue.send(new GetCrawlerCommand({ Name: name })),
      retryOptions(signal),
    )
    return crawler
  } catch (error) {
    if (awsErrorName(error) === 'EntityNotFoundException') return undefined
    throw error
  }
}

export async function createCrawler(glue: GlueClient, definition: CreateCrawlerRequest): Promise<void> {
  try {
    await retrying(() => glue.send(new CreateCrawlerCommand(definition)))
  } catch (error) {
    if (awsErrorName(error) !== 'AlreadyExistsException') throw error
  }
}

/** Brings an existing crawler to its definition. Waits for a crawl under way, since a running crawler refuses it. */
export async function updateCrawler(
  glue: GlueClient,
  definition: CreateCrawlerRequest,
  wait: CrawlWait,
): Promise<void> {
  const { Tags: _, ...update } = definition
  for (const ms of waits(wait.pace ?? CRAWL_PACE)) {
    try {
      await retrying(() => glue.send(new UpdateCrawlerCommand(update)), retryOptions(wait.signal))
      return
    } catch (error) {
      if (awsErrorName(error) !== 'CrawlerRunningException') throw error
    }
    await pause(ms, definition.Name ?? '', wait)
  }
}

/**
 * Resolves when no crawl is under way.
 *
 * @throws LakeProblem `crawler_busy` at the deadline, `crawler_failed` when there is no such crawler.
 */
export async function waitUntilReady(glue: GlueClient, name: string, wait: CrawlWait): Promise<Crawler> {
  for (const ms of waits(wait.pace ?? CRAWL_PACE)) {
    const crawler = await existing(glue, name, wait.signal)
    if (crawler.State === 'READY') return crawler
    await pause(ms, name, wait)
  }
  throw new Error('unreachable: the waits never end')
}

async function existing(glue: GlueClient, name: string, signal: AbortSignal | undefined): Promise<Crawler> {
  const crawler = await findCrawler(glue, name, signal)
  if (crawler !== undefined) return crawler
  throw new LakeProblem('crawler_failed', `There is no crawler ${name}`, { crawler: name })
}

async function pause(milliseconds: number, crawler: string, { deadline, signal }: CrawlWait): Promise<void> {
  const left = deadline.getTime() - Date.now()
  if (left <= 0) {
    throw new LakeProblem('crawler_busy', `The crawler ${crawler} was still running at ${deadline.toISOString()}`, {
      crawler,
    })
  }
  try {
    await delay(Math.min(milliseconds, left), undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Tells one crawl from another: the id that its log lines begin with, and its start, which alone has only seconds. */
const lastCrawlOf = ({ LastCrawl: last }: Crawler): string =>
  `${last?.StartTime?.toISOString() ?? 'never'} ${last?.MessagePrefix ?? ''}`

/**
 * Resolves when a crawl that began after this call has succeeded: one that Glue has accepted from us. One under way may have listed
 * before the files were there, so it is waited for and does not count; neither does one that was the last before ours, which Glue may
 * go on showing for a moment after the start.
 *
 * @throws LakeProblem `crawler_busy` at the deadline, `crawler_failed` when the crawl did not succeed.
 */
export async function crawl(glue: GlueClient, name: string, wait: CrawlWait): Promise<void> {
  const before = await startAfterOthers(glue, name, wait)
  for (const ms of waits(wait.pace ?? CRAWL_PACE)) {
    await pause(ms, name, wait)
    const crawler = await existing(glue, name, wait.signal)
    if (crawler.State !== 'READY' || lastCrawlOf(crawler) === before) continue
    const last = crawler.LastCrawl
    if (last?.Status === 'SUCCEEDED') return
    throw failed(name, last)
  }
}

/** Starts a crawl as soon as no other one is under way. @returns which one was the last before it. */
async function startAfterOthers(glue: GlueClient, name: string, wait: CrawlWait): Promise<string> {
  for (const ms of waits(wait.pace ?? CRAWL_PACE)) {
    const before = lastCrawlOf(await waitUntilReady(glue, name, wait))
    if (await start(glue, name, wait.signal)) return before
    await pause(ms, name, wait)
  }
  throw new Error('unreachable: the waits never end')
}

/** False when a crawl is under way. */
async function start(glue: GlueClient, name: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await retrying(() => glue.send(new StartCrawlerCommand({ Name: name })), retryOptions(signal))
    return true
  } catch (error) {
    if (awsErrorName(error) === 'CrawlerRunningException') return false
    throw error
  }
}

function failed(name: string, last: Crawler['LastCrawl']): LakeProblem {
  const status = last?.Status ?? 'no status'
  const reason = last?.ErrorMessage === undefined ? '' : `: ${last.ErrorMessage}`
  return new LakeProblem('crawler_failed', `The crawl of ${name} ended with ${status}${reason}`, {
    crawler: name,
    status,
  })
}

/** @throws LakeProblem `crawler_scheduled`: it could begin in the middle of a commit. */
export function refuseSchedule(crawler: Crawler | undefined, name: string): void {
  const schedule = crawler?.Schedule
  if (schedule?.ScheduleExpression === undefined || schedule.ScheduleExpression === '') return
  if (schedule.State === 'NOT_SCHEDULED') return
  throw new LakeProblem(
    'crawler_scheduled',
    `The crawler ${name} has a schedule; remove it, snapshots start the crawler`,
    {
      crawler: name,
    },
  )
}
