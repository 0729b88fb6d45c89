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
import { retrying } from '../retries.ts'

/** How often a running crawler is looked at: at first often, for a small lake, later seldom. */
export interface CrawlPace {
  readonly firstMs: number
  readonly longestMs: number
}

export const CRAWL_PACE: CrawlPace = { firstMs: 250, longestMs: 10_000 }

/** Waits that grow by half, with jitter, never beyond the deadline. */
function* waits({ firstMs, longestMs }: CrawlPace): Generator<number> {
  for (let ms = firstMs; ; ms = Math.min(longestMs, ms * 1.5)) yield ms * (0.75 + Math.random() / 2)
}

export async function findCrawler(glue: GlueClient, name: string): Promise<Crawler | undefined> {
  try {
    const { Crawler: crawler } = await retrying(() => glue.send(new GetCrawlerCommand({ Name: name })))
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
export async function updateCrawler(glue: GlueClient, definition: CreateCrawlerRequest, deadline: Date): Promise<void> {
  const { Tags: _, ...update } = definition
  await whileRunning(definition.Name ?? '', deadline, CRAWL_PACE, () => glue.send(new UpdateCrawlerCommand(update)))
}

/**
 * Resolves when no crawl is under way.
 *
 * @throws LakeProblem `crawler_busy` at the deadline, `crawler_failed` when there is no such crawler.
 */
export async function waitUntilReady(
  glue: GlueClient,
  name: string,
  deadline: Date,
  pace: CrawlPace = CRAWL_PACE,
): Promise<Crawler> {
  for (const wait of waits(pace)) {
    const crawler = await findCrawler(glue, name)
    if (crawler === undefined) throw new LakeProblem('crawler_failed', `There is no crawler ${name}`, { crawler: name })
    if (crawler.State === 'READY') return crawler
    await pause(wait, name, deadline)
  }
  throw new Error('unreachable: the waits never end')
}

async function pause(milliseconds: number, crawler: string, deadline: Date): Promise<void> {
  const left = deadline.getTime() - Date.now()
  if (left <= 0) {
    throw new LakeProblem('crawler_busy', `The crawler ${crawler} was still running at ${deadline.toISOString()}`, {
      crawler,
    })
  }
  await delay(Math.min(milliseconds, left))
}

/** Repeats a call for as long as the crawler answers that it is running. */
async function whileRunning(
  name: string,
  deadline: Date,
  pace: CrawlPace,
  call: () => Promise<unknown>,
): Promise<void> {
  for (const wait of waits(pace)) {
    try {
      await retrying(call)
      return
    } catch (error) {
      if (awsErrorName(error) !== 'CrawlerRunningException') throw error
    }
    await pause(wait, name, deadline)
  }
}

/**
 * Runs one crawl that begins after this call: a crawl already under way may have listed before the files were there, so it is
 * waited for and another one started.
 *
 * @throws LakeProblem `crawler_busy` at the deadline, `crawler_failed` when the crawl did not succeed.
 */
export async function crawl(
  glue: GlueClient,
  name: string,
  deadline: Date,
  pace: CrawlPace = CRAWL_PACE,
): Promise<void> {
  await whileRunning(name, deadline, pace, () => glue.send(new StartCrawlerCommand({ Name: name })))
  const crawler = await waitUntilReady(glue, name, deadline, pace)
  const last = crawler.LastCrawl
  if (last?.Status !== 'SUCCEEDED') {
    const status = last?.Status ?? 'no status'
    const reason = last?.ErrorMessage === undefined ? '' : `: ${last.ErrorMessage}`
    throw new LakeProblem('crawler_failed', `The crawl of ${name} ended with ${status}${reason}`, {
      crawler: name,
      status,
    })
  }
}
