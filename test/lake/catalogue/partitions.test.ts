import type { GlueClient } from '@aws-sdk/client-glue'
import { describe, expect, it } from 'vitest'
import { crawl } from '../../../src/lake/catalogue/crawl.ts'
import { registerPartitions, unregisterPartitions } from '../../../src/lake/catalogue/partitions.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'

/**
 * What no endpoint can be made to do on demand: answers of 200 with `Errors[]`, and a crawler that is running for minutes. The
 * client is a list of answers in the SDK's own shapes.
 */
interface Call {
  readonly name: string
  readonly input: Record<string, unknown>
}

function scripted(answer: (call: Call, count: number) => unknown): { glue: GlueClient; calls: Call[] } {
  const calls: Call[] = []
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    const call = { name: command.constructor.name.replace(/Command$/, ''), input: command.input }
    calls.push(call)
    const result = answer(call, calls.filter((each) => each.name === call.name).length)
    if (result instanceof Error) throw result
    return result
  }
  return { glue: { send } as unknown as GlueClient, calls }
}

const named = (name: string) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } })
const problem = async (call: Promise<unknown>) => call.catch((error: unknown) => error)

const partition = (number: number) => ({
  table: 'players',
  snapshotDate: '2026-11-22',
  snapshotId: `s${number}`,
  location: `s3://lake/players/s${number}/`,
  columns: [],
})
const many = (count: number) => Array.from({ length: count }, (_, i) => partition(i))
const failed = (numbers: number[], ErrorCode: string) => ({
  Errors: numbers.map((i) => ({ PartitionValues: ['2026-11-22', `s${i}`], ErrorDetail: { ErrorCode } })),
})
const sizes = (calls: Call[], member: string) => calls.map((call) => (call.input[member] as unknown[]).length)
const FAST = { budget: { tries: 4, baseMs: 1, capMs: 1, totalMs: 10_000 } }

describe('registering partitions', () => {
  it('sends at most 100 a call', async () => {
    const { glue, calls } = scripted(() => ({}))
    await registerPartitions(glue, 'raw', many(250), FAST)
    expect(sizes(calls, 'PartitionInputList')).toEqual([100, 100, 50])
  })

  it('tries only the entries again that a 200 has failed', async () => {
    const { glue, calls } = scripted((_, count) => (count < 3 ? failed([1], 'InternalServiceException') : {}))
    await registerPartitions(glue, 'raw', many(3), FAST)
    expect(sizes(calls, 'PartitionInputList')).toEqual([3, 1, 1])
  })

  it('fails with the codes when an entry keeps failing', async () => {
    const { glue, calls } = scripted(() => failed([2], 'InvalidInputException'))
    const error = await problem(registerPartitions(glue, 'raw', many(3), FAST))
    expect(error).toBeInstanceOf(LakeProblem)
    expect(error).toMatchObject({
      code: 'catalogue_failed',
      facts: { table: 'players', codes: ['InvalidInputException'] },
    })
    expect(calls).toHaveLength(4)
  })

  it('takes an existing partition of the same place as done, and moves one of another place', async () => {
    const { glue, calls } = scripted(({ name, input }) => {
      if (name === 'BatchCreatePartition') return failed([0, 1], 'AlreadyExistsException')
      const [, id] = (input.PartitionValues ?? []) as string[]
      const Location = id === 's0' ? 's3://lake/players/s0' : 's3://lake/players/elsewhere/'
      return { Partition: { StorageDescriptor: { Location } } }
    })
    await registerPartitions(glue, 'raw', many(2), FAST)
    expect(calls.map((call) => call.name)).toEqual([
      'BatchCreatePartition',
      'GetPartition',
      'GetPartition',
      'UpdatePartition',
    ])
    expect(calls.at(-1)?.input).toMatchObject({ PartitionValueList: ['2026-11-22', 's1'] })
  })

  it('makes a partition again that went away between the two calls', async () => {
    const { glue, calls } = scripted(({ name }, count) => {
      if (name === 'GetPartition') return named('EntityNotFoundException')
      return count === 1 ? failed([0], 'AlreadyExistsException') : {}
    })
    await registerPartitions(glue, 'raw', many(1), FAST)
    expect(calls.map((call) => call.name)).toEqual(['BatchCreatePartition', 'GetPartition', 'BatchCreatePartition'])
  })

  it('does not try again what can never succeed', async () => {
    const { glue, calls } = scripted(() => named('AccessDeniedException'))
    expect(await problem(registerPartitions(glue, 'raw', many(1), FAST))).toMatchObject({
      name: 'AccessDeniedException',
    })
    expect(calls).toHaveLength(1)
  })
})

describe('removing partitions', () => {
  it('sends at most 25 a call, takes those that are gone as done, and tries the others again', async () => {
    const { glue, calls } = scripted((_, count) => {
      if (count === 1) return failed([3], 'EntityNotFoundException')
      return count === 2 ? failed([30], 'ResourceNumberLimitExceededException') : {}
    })
    await unregisterPartitions(glue, 'raw', many(40), FAST)
    expect(sizes(calls, 'PartitionsToDelete')).toEqual([25, 15, 1])
  })

  it('of a table that is gone is done', async () => {
    const { glue } = scripted(() => named('EntityNotFoundException'))
    await expect(unregisterPartitions(glue, 'raw', many(1), FAST)).resolves.toBeUndefined()
  })
})

describe('a crawl', () => {
  const pace = { firstMs: 1, longestMs: 1 }
  const soon = () => ({ deadline: new Date(Date.now() + 30_000), pace })
  const crawler = (State: string, crawled: number, Status = 'SUCCEEDED', ErrorMessage?: string) => ({
    Crawler: {
      State,
      LastCrawl: { Status, StartTime: new Date(crawled * 1_000), MessagePrefix: `crawl-${crawled}`, ErrorMessage },
    },
  })
  /** A crawler as Glue has it: the answers of GetCrawler in order, the last one again and again, and those of StartCrawler. */
  const glueWith = (states: readonly unknown[], starts: (count: number) => unknown = () => ({})) =>
    scripted(({ name }, count) => (name === 'StartCrawler' ? starts(count) : (states[count - 1] ?? states.at(-1))))
  const starts = (calls: readonly Call[]) => calls.filter((call) => call.name === 'StartCrawler').length

  it('under way is waited for and does not count: another one begins after it', async () => {
    const states = [crawler('RUNNING', 1), crawler('STOPPING', 1), crawler('READY', 2), crawler('READY', 3)]
    const { glue, calls } = glueWith(states)
    await crawl(glue, 'crawler', soon())
    expect(calls.map((call) => call.name)).toEqual([
      ...['GetCrawler', 'GetCrawler', 'GetCrawler'],
      ...['StartCrawler', 'GetCrawler'],
    ])
  })

  it('that Glue still shows as the last one after ours was started does not count', async () => {
    const stale = [crawler('READY', 1), crawler('READY', 1), crawler('READY', 1), crawler('RUNNING', 1)]
    const { glue, calls } = glueWith([...stale, crawler('READY', 2)])
    await crawl(glue, 'crawler', soon())
    expect(starts(calls)).toBe(1)
    expect(calls.filter((call) => call.name === 'GetCrawler')).toHaveLength(5)
  })

  it('of somebody who was quicker by a moment does not count either: it may have listed before', async () => {
    const states = [crawler('READY', 1), crawler('RUNNING', 1), crawler('READY', 2), crawler('READY', 3)]
    const { glue, calls } = glueWith(states, (count) => (count === 1 ? named('CrawlerRunningException') : {}))
    await crawl(glue, 'crawler', soon())
    expect(calls.map((call) => call.name)).toEqual([
      ...['GetCrawler', 'StartCrawler', 'GetCrawler', 'GetCrawler'],
      ...['StartCrawler', 'GetCrawler'],
    ])
  })

  it('of somebody else that failed is no verdict: ours follows', async () => {
    const states = [crawler('READY', 1), crawler('READY', 2, 'FAILED'), crawler('READY', 3)]
    const { glue, calls } = glueWith(states, (count) => (count === 1 ? named('CrawlerRunningException') : {}))
    await crawl(glue, 'crawler', soon())
    expect(starts(calls)).toBe(2)
  })

  it('that never comes free ends as crawler_busy at the deadline', async () => {
    const wait = { deadline: new Date(Date.now() + 20), pace }
    expect(await problem(crawl(glueWith([crawler('RUNNING', 1)]).glue, 'crawler', wait))).toMatchObject({
      code: 'crawler_busy',
    })
  })

  it('that did not succeed is crawler_failed, with what the crawler says', async () => {
    const states = [crawler('READY', 1), crawler('READY', 2, 'FAILED', 'Internal Service Exception')]
    const error = await problem(crawl(glueWith(states).glue, 'crawler', soon()))
    expect(error).toMatchObject({ code: 'crawler_failed', message: expect.stringContaining('Internal Service') })
  })

  it('is not waited for any longer when the run is told to stop', async () => {
    const leave = new AbortController()
    const patient = { ...soon(), pace: { firstMs: 60_000, longestMs: 60_000 }, signal: leave.signal }
    const waiting = problem(crawl(glueWith([crawler('RUNNING', 1)]).glue, 'crawler', patient))
    setImmediate(() => leave.abort(new LakeProblem('cancelled', 'The run was told to stop')))
    expect(await waiting).toMatchObject({ code: 'cancelled' })
  })
})
