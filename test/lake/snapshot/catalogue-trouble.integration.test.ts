import { AthenaClient } from '@aws-sdk/client-athena'
import {
  DeleteTableCommand,
  GetCrawlerCommand,
  GetTablesCommand,
  GlueClient as Glue,
  type GlueClient,
  StartCrawlerCommand,
} from '@aws-sdk/client-glue'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { waitUntilReady } from '../../../src/lake/catalogue/crawl.ts'
import { contracts, type TableContract } from '../../../src/lake/contract.ts'
import { LakeService } from '../../../src/lake/lake-service.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createLogger } from '../../../src/logger.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'
import { forgetSnapshots, type OpenLake, openLake } from './test-lake.ts'

/** Runs on the real local Glue and Athena, whose answers a test may replace on their way to the program. */

interface Call {
  readonly command: string
  readonly input: Readonly<Record<string, unknown>>
}
/** Undefined: the call goes its way. An error is thrown, anything else is the answer. */
type Reply = (call: Call, pass: () => Promise<unknown>) => unknown

let database: TestDatabase
let aws: TestAws
let open: OpenLake
let lake: Lake
let parts: LakeParts
let logged: { level: number; code?: string; msg: string; snapshotId?: string }[]
let reply: Reply = () => undefined
let number = 0
let place: ReturnType<typeof testPlace>

const error = (name: string, message = name) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } })

/** The client's own calls, each shown to `reply` first. */
function overheard<T extends GlueClient | AthenaClient>(client: T): T {
  const { middlewareStack } = client as GlueClient
  middlewareStack.add(
    (next, context) => async (args) => {
      const pass = async () => (await next(args)).output
      const command = (context.commandName ?? '').replace(/Command$/, '')
      const output = await reply({ command, input: args.input as Record<string, unknown> }, pass)
      if (output instanceof Error) throw output
      if (output === undefined) return next(args)
      return { response: {}, output: { $metadata: {}, ...(output as object) } } as never
    },
    { step: 'initialize', name: 'overheard' },
  )
  return client
}

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 50)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

/** Three tables are enough for most tests, and quicker; one has no row. */
const EMPTY = 'player_identities'
const SOME = contracts.filter(({ name }) => ['games', 'players', EMPTY].includes(name))

/** A lake of its own for each test. */
async function begin(of: readonly TableContract[]): Promise<void> {
  number += 1
  logged = []
  reply = () => undefined
  place = {
    ...testPlace(`trouble${number}`),
    retries: { tries: 4, baseMs: 1, capMs: 5, totalMs: 10_000 },
    crawlerWaitMs: counted(30_000, 900_000),
  }
  await ensureLake(place, aws, { owned: true }, of)
  const { credentials, dir, endpoint, region } = aws
  const settings = { endpoint, region, credentials, maxAttempts: 1 }
  parts = lakeParts(place, { glue: overheard(new Glue(settings)), athena: overheard(new AthenaClient(settings)) }, of)
  open = openLake(
    { databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir },
    { crawlerWaitMs: place.crawlerWaitMs },
  )
  await forgetSnapshots(open.database)
  const logger = createLogger({ level: 'info', destination: { write: (line) => void logged.push(JSON.parse(line)) } })
  lake = { ...open.lake, publisher: parts.publisher, logger, contracts: of }
}

beforeEach(() => begin(SOME))

afterEach(async () => {
  await open?.close()
})

const shown = async (view: string) => {
  const { rows } = await parts.runner.rows(`SELECT DISTINCT snapshot_id FROM ${view}`)
  return rows.flat()
}
const newest = async () => {
  const [snapshot] = await listSnapshots(lake.database, { limit: 1 })
  if (snapshot === undefined) throw new Error('no snapshot')
  return snapshot
}
const crawler = async () => (await aws.glue.send(new GetCrawlerCommand({ Name: place.crawler }))).Crawler
const tables = async () => {
  const { TableList = [] } = await aws.glue.send(new GetTablesCommand({ DatabaseName: place.rawDatabase }))
  return TableList
}

describe('the crawler', () => {
  const names = contracts.map((contract) => contract.name).sort()
  const expectOurs = async () => {
    const found = await tables()
    expect(found.map((table) => table.Name).sort()).toEqual(names)
    for (const { Parameters, PartitionKeys } of found) {
      expect(PartitionKeys?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
        'snapshot_date string',
        'snapshot_id string',
      ])
      expect(Parameters).not.toHaveProperty('DEPRECATED_BY_CRAWLER')
    }
  }

  test('lake 15: first crawl over all tables; a table with one snapshot → exactly these tables and names, no partition_0, keys string, not deprecated', async () => {
    await open.close()
    await begin(contracts)
    const { id } = await runSnapshot(lake)
    expect((await crawler())?.LastCrawl?.Status).toBe('SUCCEEDED')
    await expectOurs()
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
    expect(await shown('players_latest')).toEqual([id])

    // Also where nobody had made the tables: the crawl alone, from one snapshot of each, gives these and no others.
    for (const Name of names) await aws.glue.send(new DeleteTableCommand({ DatabaseName: place.rawDatabase, Name }))
    await aws.glue.send(new StartCrawlerCommand({ Name: place.crawler }))
    await waitUntilReady(aws.glue, place.crawler, { deadline: new Date(Date.now() + 30_000), pace: place.pace })
    await expectOurs()
  })

  test(
    'lake 16: CrawlerRunningException for 5 min → waits; a crawl starts after the commit; not failed',
    async () => {
      const busyMs = counted(1_500, 300_000)
      let foreignUntil = 0
      const refused: number[] = []
      // Somebody starts the crawler between our commit and our own start, and it runs for long.
      reply = async ({ command }, pass) => {
        if (command === 'BatchCreatePartition' && foreignUntil === 0) {
          // Several are under way at once: only the first one comes here.
          foreignUntil = Number.POSITIVE_INFINITY
          await aws.glue.send(new StartCrawlerCommand({ Name: place.crawler }))
        }
        if (Date.now() >= foreignUntil) return undefined
        if (command === 'StartCrawler') {
          // Counted from here: it is met however long the program took until now.
          if (refused.length === 0) foreignUntil = Date.now() + busyMs
          refused.push(Date.now())
          return error('CrawlerRunningException')
        }
        if (command !== 'GetCrawler') return undefined
        const answer = (await pass()) as { Crawler: object }
        // READY at first, so that the program tries to start it and is refused.
        return { ...answer, Crawler: { ...answer.Crawler, State: refused.length === 0 ? 'READY' : 'RUNNING' } }
      }
      const begun = Date.now()
      const { id } = await runSnapshot(lake)
      expect(refused.length).toBeGreaterThan(0)
      expect(Date.now() - begun).toBeGreaterThanOrEqual(busyMs)
      const row = await newest()
      expect(row).toMatchObject({ id, state: 'published', problem: null })
      const { LastCrawl } = (await crawler()) ?? {}
      expect(LastCrawl?.Status).toBe('SUCCEEDED')
      // Ours began when the foreign one was over, long after the commit.
      expect(LastCrawl?.StartTime?.getTime()).toBeGreaterThanOrEqual(foreignUntil - 1_000)
      expect(LastCrawl?.StartTime?.getTime()).toBeGreaterThan(row.committedAt?.getTime() ?? Number.POSITIVE_INFINITY)
      expect(logged.filter(({ level }) => level >= 50)).toEqual([])
    },
    counted(60_000, 600_000),
  )

  test('lake 19: an empty table → kept by the crawler, with its columns and its partition; and verify only reads the catalogue', async () => {
    const { id } = await runSnapshot(lake)
    await aws.glue.send(new StartCrawlerCommand({ Name: place.crawler }))
    await waitUntilReady(aws.glue, place.crawler, { deadline: new Date(Date.now() + 30_000), pace: place.pace })
    const table = (await tables()).find(({ Name }) => Name === EMPTY)
    const columns = SOME.find(({ name }) => name === EMPTY)?.columns ?? []
    expect(table?.Parameters).not.toHaveProperty('DEPRECATED_BY_CRAWLER')
    expect(table?.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual(
      columns.map(({ athenaType, name }) => `${name} ${athenaType}`),
    )
    const commands = new Set<string>()
    reply = ({ command }) => void commands.add(command)
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
    expect([...commands].sort()).toEqual(['GetCrawler', 'GetPartitions', 'GetTables'])
    reply = () => undefined
    const counts = `SELECT count(*), (SELECT count(*) FROM ${place.database}.snapshots WHERE snapshot_id = '${id}')`
    expect((await parts.runner.rows(`${counts} FROM ${place.database}.${EMPTY}_latest`)).rows).toEqual([[0, 1]])
  })

  test('lake 16: a crawl that Glue still shows from before the commit does not count', async () => {
    await runSnapshot(lake)
    const before = (await crawler())?.LastCrawl
    let stale = 0
    reply = async ({ command }, pass) => {
      if (command === 'StartCrawler') {
        stale = 5
        return undefined
      }
      if (command !== 'GetCrawler' || stale === 0) return undefined
      stale--
      const answer = (await pass()) as { Crawler: object }
      return { ...answer, Crawler: { ...answer.Crawler, State: 'READY', LastCrawl: before } }
    }
    await runSnapshot(lake)
    expect(stale).toBe(0)
    const after = (await crawler())?.LastCrawl
    expect(after?.StartTime?.getTime()).toBeGreaterThan(before?.StartTime?.getTime() ?? 0)
  })

  test('a run that is told to stop waits for no crawler and leaves nothing', async () => {
    const stop = new AbortController()
    reply = async ({ command }, pass) => {
      if (command !== 'GetCrawler') return undefined
      const answer = (await pass()) as { Crawler: object }
      setImmediate(() => stop.abort())
      return { ...answer, Crawler: { ...answer.Crawler, State: 'RUNNING' } }
    }
    await expect(runSnapshot(lake, { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' })
    expect(await newest()).toMatchObject({ state: 'failed', problem: { code: 'cancelled', phase: 'prepared' } })
  })
})

describe('partitions', () => {
  /** Glue answers 200, and that one entry of it was not done. */
  const failing = (times: number): Reply => {
    let left = times
    return ({ command, input }) => {
      if (command !== 'BatchCreatePartition' || input.TableName !== 'games' || left-- <= 0) return undefined
      const [entry] = input.PartitionInputList as { Values: string[] }[]
      return { Errors: [{ PartitionValues: entry?.Values, ErrorDetail: { ErrorCode: 'InternalServiceException' } }] }
    }
  }

  test('lake 17: BatchCreatePartition gives 200 with Errors for one entry → retried', async () => {
    reply = failing(2)
    const { id } = await runSnapshot(lake)
    expect(await shown('games_latest')).toEqual([id])
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
  })

  test('lake 17: BatchCreatePartition gives 200 with Errors for one entry, lasting → views stay, state committed, alarm', async () => {
    const first = await runSnapshot(lake)
    reply = failing(Number.POSITIVE_INFINITY)
    await expect(runSnapshot(lake)).rejects.toMatchObject({ code: 'catalogue_failed' })
    const second = await newest()
    expect(second).toMatchObject({ state: 'committed', problem: { code: 'catalogue_failed', table: 'games' } })
    expect(second.problem?.message).toContain('InternalServiceException')
    for (const view of ['games_latest', 'players_latest', 'players_daily'])
      expect(await shown(view)).toEqual([first.id])
    // What the API answers, and what an alarm on the log sees.
    const service = new LakeService({
      database: lake.database,
      starter: {} as never,
      verify: async () => ({}) as never,
    })
    expect(await service.snapshot(second.id)).toMatchObject({
      state: 'committed',
      problem: { code: 'catalogue_failed', message: expect.stringContaining('partitions of games') },
    })
    expect(logged.filter(({ level }) => level >= 50)).toEqual([
      expect.objectContaining({ snapshotId: second.id, code: 'catalogue_failed', msg: 'snapshot not finished' }),
    ])
    // A snapshot that waits for its publication is none that something is wrong with in S3.
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])

    reply = () => undefined
    expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ from: 'committed', to: 'published' }])
    expect(await newest()).toMatchObject({ id: second.id, state: 'published', problem: null })
    expect(await shown('games_latest')).toEqual([second.id])
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
  })
})

describe('views', () => {
  test('of which some could not be moved are told, and moved by the next recovery', async () => {
    const first = await runSnapshot(lake)
    const refuses: Reply = ({ command, input }) =>
      command === 'StartQueryExecution' && /VIEW \S+\.games_latest AS/.test(String(input.QueryString))
        ? error('InvalidRequestException', 'no')
        : undefined
    reply = refuses
    await expect(runSnapshot(lake)).rejects.toMatchObject({
      code: 'query_failed',
      message: expect.stringContaining('1 of 7 views are not moved yet'),
    })
    const second = await newest()
    expect(second).toMatchObject({ state: 'committed', problem: { code: 'query_failed', viewsLeft: 1 } })
    // Neither an old nor a new view is a finding while they move.
    expect(await shown('games_latest')).toEqual([first.id])
    expect(await shown('players_latest')).toEqual([second.id])
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])

    const replaced: string[] = []
    reply = ({ command, input }) => {
      const view = /VIEW \S+\.(\w+) AS/.exec(String(input.QueryString))?.[1]
      if (command === 'StartQueryExecution' && view !== undefined) replaced.push(view)
      return undefined
    }
    expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ from: 'committed', to: 'published' }])
    expect(replaced).toEqual(['games_latest'])
    expect(await shown('games_latest')).toEqual([second.id])
    expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
  })

  test('whose statement fails by no fault of its own are tried again', async () => {
    const failed = new Set<string>()
    reply = async ({ command }, pass) => {
      if (command !== 'GetQueryExecution') return undefined
      const answer = (await pass()) as { QueryExecution: { Query: string; Status: { State: string } } }
      const { QueryExecution: execution } = answer
      const view = /VIEW \S+\.(\w+_latest) AS/.exec(execution.Query)?.[1]
      if (view === undefined || failed.has(view) || execution.Status.State !== 'SUCCEEDED') return answer
      // Each of them once.
      failed.add(view)
      const AthenaError = { ErrorCategory: 1, Retryable: true }
      const Status = { ...execution.Status, State: 'FAILED', StateChangeReason: 'INTERNAL_ERROR', AthenaError }
      return { QueryExecution: { ...execution, Status } }
    }
    const { id } = await runSnapshot(lake)
    expect(failed.size).toBe(SOME.length)
    expect(await shown('games_latest')).toEqual([id])
  })
})
