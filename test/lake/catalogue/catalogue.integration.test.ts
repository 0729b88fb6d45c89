import {
  CreateTableCommand,
  GetCrawlerCommand,
  GetPartitionCommand,
  GetTableCommand,
  StartCrawlerCommand,
  type TableInput,
  UpdateCrawlerCommand,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Catalogue } from '../../../src/lake/catalogue/catalogue.ts'
import { contracts, type TableContract } from '../../../src/lake/contract.ts'
import { ensureBuckets } from '../../../src/lake/lake-buckets.ts'
import { DriftError, LakeProblem } from '../../../src/lake/lake-problem.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { parquetOf, testPlace, writeSnapshot } from '../lake-fixture.ts'

let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(async () => {
  await aws?.stop()
})

const PACE = { firstMs: 20, longestMs: 200 }
const FIRST = '20261121t020000z-00000001'
const SECOND = '20261122t020000z-00000002'

let number = 0

/** A lake of its own with its buckets and resources. */
async function newLake(of: readonly TableContract[] = contracts) {
  number += 1
  const place = testPlace(`c${number}`)
  await ensureBuckets(aws.s3, place)
  const catalogue = new Catalogue(aws.glue, of, { ...place, pace: PACE })
  await catalogue.ensure()
  return { place, catalogue }
}

type Lake = Awaited<ReturnType<typeof newLake>>

async function tableOf({ place }: Lake, name: string) {
  const { Table } = await aws.glue.send(new GetTableCommand({ DatabaseName: place.rawDatabase, Name: name }))
  if (Table === undefined) throw new Error('no table')
  return Table
}

async function retype(lake: Lake, table: string, column: string, type: string) {
  const { Name, Parameters, PartitionKeys, StorageDescriptor, TableType } = await tableOf(lake, table)
  const Columns = StorageDescriptor?.Columns?.map((each) => (each.Name === column ? { ...each, Type: type } : each))
  const TableInput = {
    ...{ Name, Parameters, PartitionKeys, TableType },
    StorageDescriptor: { ...StorageDescriptor, Columns },
  } as TableInput
  await aws.glue.send(new UpdateTableCommand({ DatabaseName: lake.place.rawDatabase, TableInput }))
}

const codesOf = async (lake: Lake, live: Parameters<Catalogue['findings']>[0]) =>
  (await lake.catalogue.findings(live)).map(({ code, table, snapshotId }) =>
    [code, table, snapshotId].filter(Boolean).join(' '),
  )

async function driftOf(call: Promise<unknown>): Promise<string[]> {
  try {
    await call
  } catch (error) {
    if (error instanceof DriftError) return error.findings.map((finding) => finding.code)
    throw error
  }
  return []
}

describe('the catalogue', () => {
  it('makes what is missing once, and nothing the second time', async () => {
    const place = testPlace('first')
    await ensureBuckets(aws.s3, place)
    const catalogue = new Catalogue(aws.glue, contracts, { ...place, pace: PACE })
    expect(await catalogue.plannedChanges()).toMatchObject({
      changes: ['database raw_first', ...contracts.map((c) => `table ${c.name}`), 'crawler crawler-first'],
      drifts: [],
    })
    const made = await catalogue.ensure()
    expect(made).toEqual(['database raw_first', ...contracts.map((c) => `table ${c.name}`), 'crawler crawler-first'])
    expect(await catalogue.ensure()).toEqual([])
    expect(await catalogue.plannedChanges()).toEqual({ changes: [], crawler: [], drifts: [] })
    expect(await catalogue.crawlerDifferences()).toEqual([])
  })

  it('registers a snapshot: partitions with the columns of its files, one crawl, no drift; and again without harm', async () => {
    const lake = await newLake()
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, {
      id: FIRST,
      sequence: 1,
      rows: { players: [{ player_ref: "'a'", status: "'active'", created_at: "TIMESTAMP '2026-01-01'" }] },
    })
    await lake.catalogue.crawlerReady(new Date(Date.now() + 10_000))
    await lake.catalogue.register(manifest)
    await lake.catalogue.register(manifest)
    expect(await codesOf(lake, [manifest])).toEqual([])
    const { Crawler } = await aws.glue.send(new GetCrawlerCommand({ Name: lake.place.crawler }))
    expect(Crawler).toMatchObject({ State: 'READY', LastCrawl: { Status: 'SUCCEEDED' } })
    const { Partition } = await aws.glue.send(
      new GetPartitionCommand({
        DatabaseName: lake.place.rawDatabase,
        TableName: 'players',
        PartitionValues: ['2026-11-21', FIRST],
      }),
    )
    expect(Partition?.StorageDescriptor?.Location).toBe(
      `s3://${lake.place.bucket}/lake/v1/players/snapshot_date=2026-11-21/snapshot_id=${FIRST}/`,
    )
  })

  it('appends columns that the contract gained, and old partitions stay right', async () => {
    const grown = contracts.map((c) => (c.name === 'players' ? c : c))
    const small = grown.map((c) => (c.name === 'players' ? { ...c, columns: c.columns.slice(0, -1) } : c))
    const before = await newLake(small)
    const manifest = await writeSnapshot(aws.s3, before.place.bucket, { id: FIRST, sequence: 1, contracts: small })
    await before.catalogue.register(manifest)
    const after = new Catalogue(aws.glue, grown, { ...before.place, pace: PACE })
    expect((await after.plannedChanges()).changes).toEqual(['table players: columns updated_at'])
    const next = await writeSnapshot(aws.s3, before.place.bucket, { id: SECOND, sequence: 2 })
    await after.register(next)
    expect(await codesOf({ ...before, catalogue: after }, [manifest, next])).toEqual([])
    expect((await tableOf(before, 'players')).StorageDescriptor?.Columns?.at(-1)?.Name).toBe('updated_at')
  })

  it('stops at a type that differs from the files, in the table and in a partition, and says so in findings', async () => {
    const lake = await newLake()
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 })
    await lake.catalogue.register(manifest)
    await retype(lake, 'games', 'min_age', 'string')
    expect(await codesOf(lake, [manifest])).toEqual(['type_drift games'])
    const next = await writeSnapshot(aws.s3, lake.place.bucket, { id: SECOND, sequence: 2 })
    expect(new Set(await driftOf(lake.catalogue.register(next)))).toEqual(new Set(['type_drift']))
  })

  it('finds a partition that was re-pointed, one without a manifest, and one that is missing', async () => {
    const lake = await newLake()
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 })
    await lake.catalogue.register(manifest)
    const place = { DatabaseName: lake.place.rawDatabase, TableName: 'games' }
    const values = ['2026-11-21', FIRST]
    const { Partition } = await aws.glue.send(new GetPartitionCommand({ ...place, PartitionValues: values }))
    const Location = `s3://${lake.place.bucket}/lake/v1/games/elsewhere/`
    await aws.glue.send(
      new UpdatePartitionCommand({
        ...place,
        PartitionValueList: values,
        PartitionInput: { Values: values, StorageDescriptor: { ...Partition?.StorageDescriptor, Location } },
      }),
    )
    expect(await codesOf(lake, [manifest])).toEqual([`partition_location games ${FIRST}`])
    // Registering again moves the partition back.
    await lake.catalogue.register(manifest)
    expect(await codesOf(lake, [manifest])).toEqual([])
    const next = await writeSnapshot(aws.s3, lake.place.bucket, { id: SECOND, sequence: 2 })
    const others = contracts.filter((c) => c.name !== 'games').map((c) => `partition_missing ${c.name} ${SECOND}`)
    expect(await codesOf(lake, [next])).toEqual(
      expect.arrayContaining([...others, `extra_partition games ${FIRST}`, `partition_missing games ${SECOND}`]),
    )
  })

  it('finds a table that a stray file or somebody else brought', async () => {
    const lake = await newLake()
    await aws.glue.send(
      new CreateTableCommand({
        DatabaseName: lake.place.rawDatabase,
        TableInput: { Name: 'part_00_00000', StorageDescriptor: { Columns: [] } },
      }),
    )
    expect(await codesOf(lake, [])).toEqual(['extra_table part_00_00000'])
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 })
    expect(await driftOf(lake.catalogue.register(manifest))).toEqual(['extra_table'])
  })

  it('finds a column that a foreign file under a table brought in by the crawl', async () => {
    const lake = await newLake()
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 })
    const games = contracts.find((c) => c.name === 'games') as TableContract
    const foreign = await parquetOf(
      { ...games, columns: games.columns.map((c) => ({ ...c, name: `${c.name}_x` })) },
      [],
    )
    const Key = `lake/v1/games/snapshot_date=2026-11-21/snapshot_id=${FIRST}/part-99-00000.parquet`
    await aws.s3.send(new PutObjectCommand({ Bucket: lake.place.bucket, Key, Body: foreign }))
    expect(await driftOf(lake.catalogue.register(manifest))).toContain('extra_column')
  })

  it('unregisters every partition of a snapshot and keeps the others; again without harm', async () => {
    const lake = await newLake()
    const manifests = [
      await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 }),
      await writeSnapshot(aws.s3, lake.place.bucket, { id: SECOND, sequence: 2 }),
    ]
    for (const manifest of manifests) await lake.catalogue.register(manifest)
    const [first, second] = manifests
    if (!first || !second) throw new Error('two manifests')
    await lake.catalogue.unregister(first)
    await lake.catalogue.unregister(first)
    expect(await codesOf(lake, [second])).toEqual([])
    expect(await codesOf(lake, [first, second])).toContain(`partition_missing players ${FIRST}`)
  })
})

describe('the crawler gate', () => {
  it('refuses a crawler with a schedule, by name', async () => {
    const lake = await newLake()
    await aws.glue.send(new UpdateCrawlerCommand({ Name: lake.place.crawler, Schedule: 'cron(0 2 * * ? *)' }))
    const problem = await lake.catalogue.crawlerReady(new Date(Date.now() + 1000)).catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(LakeProblem)
    expect(problem).toMatchObject({ code: 'crawler_scheduled' })
    expect(await codesOf(lake, [])).toEqual(['crawler_scheduled'])
  })

  it('waits for a crawl under way, and starts one of its own after it', async () => {
    const lake = await newLake()
    const manifest = await writeSnapshot(aws.s3, lake.place.bucket, { id: FIRST, sequence: 1 })
    await aws.glue.send(new StartCrawlerCommand({ Name: lake.place.crawler }))
    await lake.catalogue.crawlerReady(new Date(Date.now() + 20_000))
    await aws.glue.send(new StartCrawlerCommand({ Name: lake.place.crawler }))
    const begun = Date.now()
    await lake.catalogue.register(manifest)
    const { Crawler } = await aws.glue.send(new GetCrawlerCommand({ Name: lake.place.crawler }))
    expect(Crawler?.LastCrawl?.StartTime?.getTime()).toBeGreaterThanOrEqual(Math.floor(begun / 1000) * 1000)
    expect(await codesOf(lake, [manifest])).toEqual([])
  })

  it('tells a crawler that somebody changed, and brings it back when it is ours', async () => {
    const lake = await newLake()
    const { place, catalogue } = lake
    await aws.glue.send(
      new UpdateCrawlerCommand({ Name: place.crawler, SchemaChangePolicy: { DeleteBehavior: 'DELETE_FROM_DATABASE' } }),
    )
    expect(await codesOf(lake, [])).toEqual(['crawler_drift'])
    await catalogue.updateCrawler()
    expect(await codesOf(lake, [])).toEqual([])
  })
})
