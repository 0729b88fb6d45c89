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
  const READY = { Crawler: { State: 'READY', LastCrawl: { Status: 'SUCCEEDED' } } }
  const PACE = { firstMs: 1, longestMs: 1 }
  const soon = () => new Date(Date.now() + 30_000)

  it('is started again for as long as another one runs, and only then waited for', async () => {
    const { glue, calls } = scripted(({ name }, count) => {
      if (name === 'StartCrawler') return count <= 30 ? named('CrawlerRunningException') : {}
      return count < 3 ? { Crawler: { State: 'RUNNING' } } : READY
    })
    await crawl(glue, 'crawler', soon(), PACE)
    const names = calls.map((call) => call.name)
    expect(names.filter((name) => name === 'StartCrawler')).toHaveLength(31)
    expect(names.slice(31)).toEqual(['GetCrawler', 'GetCrawler', 'GetCrawler'])
  })

  it('that never comes free ends as crawler_busy at the deadline', async () => {
    const { glue } = scripted(() => named('CrawlerRunningException'))
    expect(await problem(crawl(glue, 'crawler', new Date(Date.now() + 20), PACE))).toMatchObject({
      code: 'crawler_busy',
    })
  })

  it('that did not succeed is crawler_failed, with what the crawler says', async () => {
    const last = { Status: 'FAILED', ErrorMessage: 'Internal Service Exception' }
    const { glue } = scripted(({ name }) =>
      name === 'StartCrawler' ? {} : { Crawler: { State: 'READY', LastCrawl: last } },
    )
    const error = await problem(crawl(glue, 'crawler', soon(), PACE))
    expect(error).toMatchObject({ code: 'crawler_failed', message: expect.stringContaining('Internal Service') })
  })
})
