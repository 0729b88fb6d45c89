import {
  BatchGetCrawlersCommand,
  type Crawler,
  CreateCrawlerCommand,
  type CreateCrawlerRequest,
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  DeleteCrawlerCommand,
  GetCrawlerCommand,
  GetCrawlerMetricsCommand,
  GetCrawlersCommand,
  GetPartitionIndexesCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  GetTagsCommand,
  type GlueClient,
  ListCrawlersCommand,
  ListCrawlsCommand,
  StartCrawlerCommand,
  StopCrawlerCommand,
  UpdateCrawlerCommand,
} from '@aws-sdk/client-glue'
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { openParquetFiles, type ParquetFiles } from './parquet-files.ts'
import { checkAnswers } from './wire-shape.ts'

let aws: TestAws
let glue: GlueClient
let files: ParquetFiles
let bucket: string
let count = 0

beforeAll(async () => {
  files = await openParquetFiles()
  aws = await startTestAws()
  glue = checkAnswers(aws.glue)
})
afterAll(async () => {
  await aws?.stop()
  await files?.close()
})
beforeEach(async () => {
  count += 1
  bucket = `lake-${count}`
  await aws.s3.send(new CreateBucketCommand({ Bucket: bucket }))
})

const db = () => `db_${count}`
const name = () => `crawler ${count}`
const put = async (Key: string, select: string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: await files.bytes(select) }))
const putText = (Key: string, Body: string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(Body) }))
const remove = (Key: string) => aws.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }))

const definition = (more: Partial<CreateCrawlerRequest> = {}): CreateCrawlerRequest => ({
  Name: name(),
  Role: 'arn:aws:iam::000000000000:role/crawler',
  DatabaseName: db(),
  Targets: { S3Targets: [{ Path: `s3://${bucket}/v1/` }] },
  ...more,
})
const create = (more: Partial<CreateCrawlerRequest> = {}) => glue.send(new CreateCrawlerCommand(definition(more)))

async function crawl(): Promise<Crawler> {
  await glue.send(new StartCrawlerCommand({ Name: name() }))
  for (;;) {
    const { Crawler: crawler } = await glue.send(new GetCrawlerCommand({ Name: name() }))
    if (crawler?.State === 'READY') return crawler
  }
}
async function succeed(): Promise<Crawler> {
  const crawler = await crawl()
  expect(crawler.LastCrawl).toMatchObject({ Status: 'SUCCEEDED' })
  return crawler
}

const table = async (Name: string) => (await glue.send(new GetTableCommand({ DatabaseName: db(), Name }))).Table
const tableNames = async () =>
  (await glue.send(new GetTablesCommand({ DatabaseName: db() }))).TableList?.map((one) => one.Name)
const columns = async (Name: string) =>
  Object.fromEntries((await table(Name))?.StorageDescriptor?.Columns?.map((one) => [one.Name, one.Type]) ?? [])
const partitions = async (TableName: string) =>
  (await glue.send(new GetPartitionsCommand({ DatabaseName: db(), TableName }))).Partitions ?? []
const values = async (TableName: string) => (await partitions(TableName)).map((one) => one.Values?.join(' '))

describe('what a crawl finds', () => {
  test('a partitioned table with AWS’s parameters, in a database it makes itself', async () => {
    await put('v1/Players/snapshot_date=2026-01-01/a.parquet', "1::int AS Id, 'x' AS name")
    await put('v1/Players/snapshot_date=2026-01-02/a.parquet', "2::bigint AS id, 'y' AS name, true AS extra")
    await create({ TablePrefix: 'raw_' })
    await succeed()
    expect(await columns('raw_players')).toEqual({ id: 'bigint', name: 'string', extra: 'boolean' })
    expect(await table('raw_players')).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [{ Name: 'snapshot_date', Type: 'string' }],
      Parameters: {
        classification: 'parquet',
        compressionType: 'none',
        typeOfData: 'file',
        objectCount: '2',
        recordCount: '2',
        UPDATED_BY_CRAWLER: name(),
      },
      StorageDescriptor: {
        Location: `s3://${bucket}/v1/Players/`,
        SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
      },
    })
    const found = await partitions('raw_players')
    expect(found.map((one) => [one.Values, one.StorageDescriptor?.Location])).toEqual([
      [['2026-01-01'], `s3://${bucket}/v1/Players/snapshot_date=2026-01-01/`],
      [['2026-01-02'], `s3://${bucket}/v1/Players/snapshot_date=2026-01-02/`],
    ])
    expect(found[0]?.StorageDescriptor?.Columns?.map((one) => one.Type)).toEqual(['int', 'string'])
    const { CrawlerMetricsList } = await glue.send(new GetCrawlerMetricsCommand({ CrawlerNameList: [name()] }))
    expect(CrawlerMetricsList).toMatchObject([{ CrawlerName: name(), TablesCreated: 1, TablesUpdated: 0 }])
  })

  test('not: hidden, empty, excluded and broken files; the broken one is named', async () => {
    await put('v1/t/good.parquet', '1 AS a')
    await put('v1/t/_temporary/x.parquet', '1 AS hidden')
    await put('v1/t/.x.parquet', '1 AS hidden')
    await put('v1/t/old/x.parquet', '1 AS excluded')
    await putText('v1/t/empty.parquet', '')
    await putText('v1/t/broken.parquet', 'this is no Parquet file')
    await putText('v1/notes/readme.txt', 'hello, I am no table at all')
    await create({ Targets: { S3Targets: [{ Path: `s3://${bucket}/v1/`, Exclusions: ['t/old/**', '**.json'] }] } })
    const { LastCrawl } = await succeed()
    expect(await tableNames()).toEqual(['t'])
    expect(await columns('t')).toEqual({ a: 'int' })
    expect((await table('t'))?.Parameters?.objectCount).toBe('1')
    expect(LastCrawl?.ErrorMessage).toContain(`s3://${bucket}/v1/t/broken.parquet is no Parquet file`)
    expect(LastCrawl?.ErrorMessage).toContain('readme.txt')
  })

  test('folders without a key name become partition_N below the table’s level', async () => {
    await put('v1/t/2026/01/a.parquet', '1 AS a')
    await put('v1/t/2026/02/b.parquet', '1 AS a')
    const Configuration = JSON.stringify({ Version: 1.0, Grouping: { TableLevelConfiguration: 3 } })
    await create({ Configuration })
    await succeed()
    expect((await table('t'))?.PartitionKeys?.map((key) => key.Name)).toEqual(['partition_0', 'partition_1'])
    expect(await values('t')).toEqual(['2026 01', '2026 02'])
  })

  test('escaped values are unescaped, and a key is never a column too', async () => {
    await put('v1/t/City=S%C3%A3o%20Paulo/a.parquet', "1 AS a, 'x' AS city")
    await create()
    await succeed()
    expect(await values('t')).toEqual(['São Paulo'])
    expect(await columns('t')).toEqual({ a: 'int' })
  })

  test('two folders of one name are two tables, kept apart by a hash', async () => {
    await put('v1/x/events/a.parquet', '1 AS a')
    await put('v1/y/events/a.parquet', '1 AS b')
    await create()
    await succeed()
    const names = await tableNames()
    expect(names).toEqual(['events', expect.stringMatching(/^events_[0-9a-f]{32}$/)])
    await succeed()
    expect(await tableNames()).toEqual(names)
  })

  test('types that do not widen become string, and both files are named', async () => {
    await put('v1/t/a.parquet', '1::int AS a')
    await put('v1/t/b.parquet', "'x' AS a")
    await create()
    const { LastCrawl } = await succeed()
    expect(await columns('t')).toEqual({ a: 'string' })
    expect(LastCrawl?.ErrorMessage).toMatch(/a: int in v1\/t\/a\.parquet, string in v1\/t\/b\.parquet/)
  })

  test('with a sample size only so many files of each folder are read', async () => {
    await put('v1/t/k=1/a.parquet', '1 AS a')
    await put('v1/t/k=1/b.parquet', '1 AS a, 2 AS b')
    await create({ Targets: { S3Targets: [{ Path: `s3://${bucket}/v1/t`, SampleSize: 1 }] } })
    await succeed()
    expect(await columns('t')).toEqual({ a: 'int' })
    expect((await table('t'))?.Parameters?.objectCount).toBe('2')
  })
})

describe('what a crawl does to a table that exists', () => {
  const CreatePartitionIndex = true
  const merging = JSON.stringify({
    Version: 1.0,
    CreatePartitionIndex,
    CrawlerOutput: {
      Tables: { AddOrUpdateBehavior: 'MergeNewColumns' },
      Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
    },
  })

  test('MergeNewColumns only adds; partitions inherit the table’s columns', async () => {
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: db() } }))
    const TableInput = {
      Name: 'mine',
      Parameters: { own: 'kept' },
      PartitionKeys: [{ Name: 'k', Type: 'int' }],
      StorageDescriptor: {
        Location: `s3://${bucket}/v1/t`,
        Columns: [
          { Name: 'a', Type: 'int', Comment: 'kept' },
          { Name: 'gone', Type: 'string' },
        ],
      },
    }
    await glue.send(new CreateTableCommand({ DatabaseName: db(), TableInput }))
    await put('v1/t/k=1/a.parquet', '1::bigint AS a, 1.5::double AS b')
    await create({ Configuration: merging })
    await succeed()
    expect(await tableNames()).toEqual(['mine'])
    expect(await table('mine')).toMatchObject({
      VersionId: '1',
      Parameters: { own: 'kept', objectCount: '1' },
      PartitionKeys: [{ Name: 'k', Type: 'int' }],
      StorageDescriptor: {
        Columns: [
          { Name: 'a', Type: 'int', Comment: 'kept' },
          { Name: 'gone', Type: 'string' },
          { Name: 'b', Type: 'double' },
        ],
      },
    })
    const [partition] = await partitions('mine')
    expect(partition?.StorageDescriptor?.Columns?.map((one) => one.Name)).toEqual(['a', 'gone', 'b'])
    const where = { DatabaseName: db(), TableName: 'mine' }
    const indexes = await glue.send(new GetPartitionIndexesCommand(where))
    expect(indexes.PartitionIndexDescriptorList).toMatchObject([{ IndexName: 'crawler_partition_index' }])
  })

  test('without it missing columns go and types follow the files; a second crawl changes nothing', async () => {
    await put('v1/t/a.parquet', '1::int AS a, 2 AS b')
    await create()
    await succeed()
    await put('v1/t/a.parquet', "1::bigint AS a, 'x' AS c")
    await succeed()
    expect(await columns('t')).toEqual({ a: 'bigint', c: 'string' })
    const before = await table('t')
    await succeed()
    expect(await table('t')).toEqual(before)
  })

  test('UpdateBehavior LOG leaves tables alone and still adds partitions', async () => {
    await put('v1/t/k=1/a.parquet', '1 AS a')
    await create({ SchemaChangePolicy: { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' } })
    await succeed()
    await put('v1/t/k=2/a.parquet', '1 AS a, 2 AS b')
    await succeed()
    expect(await columns('t')).toEqual({ a: 'int' })
    expect(await values('t')).toEqual(['1', '2'])
  })

  test.each(['LOG', 'DELETE_FROM_DATABASE', 'DEPRECATE_IN_DATABASE'] as const)(
    'what has no files any more, under DeleteBehavior %s',
    async (DeleteBehavior) => {
      await put('v1/t/k=1/a.parquet', '1 AS a')
      await put('v1/t/k=2/a.parquet', '1 AS a')
      await put('v1/u/a.parquet', '1 AS a')
      await create({ SchemaChangePolicy: { DeleteBehavior } })
      await succeed()
      const elsewhere = { Values: ['9'], StorageDescriptor: { Location: `s3://${bucket}/other/` } }
      const where = { DatabaseName: db(), TableName: 't' }
      await glue.send(new CreatePartitionCommand({ ...where, PartitionInput: elsewhere }))
      await remove('v1/t/k=2/a.parquet')
      await remove('v1/u/a.parquet')
      await succeed()
      const deleted = DeleteBehavior === 'DELETE_FROM_DATABASE'
      expect(await values('t')).toEqual(deleted ? ['1', '9'] : ['1', '2', '9'])
      expect(await tableNames()).toEqual(deleted ? ['t'] : ['t', 'u'])
      const marked = (await partitions('t')).filter((one) => one.Parameters?.DEPRECATED_BY_CRAWLER !== undefined)
      expect(marked.map((one) => one.Values)).toEqual(DeleteBehavior === 'DEPRECATE_IN_DATABASE' ? [['2']] : [])
      if (DeleteBehavior !== 'DEPRECATE_IN_DATABASE') return
      expect((await table('u'))?.Parameters?.DEPRECATED_BY_CRAWLER).toBeDefined()
      await put('v1/u/a.parquet', '1 AS a')
      await succeed()
      expect((await table('u'))?.Parameters?.DEPRECATED_BY_CRAWLER).toBeUndefined()
    },
  )

  test('CRAWL_NEW_FOLDERS_ONLY adds new folders and does not look at known ones', async () => {
    await put('v1/t/k=1/a.parquet', '1 AS a')
    const RecrawlPolicy = { RecrawlBehavior: 'CRAWL_NEW_FOLDERS_ONLY' as const }
    await expect(
      create({ RecrawlPolicy, SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE' } }),
    ).rejects.toMatchObject({ name: 'InvalidInputException' })
    await create({ RecrawlPolicy })
    await succeed()
    await put('v1/t/k=1/b.parquet', '1 AS a, 2 AS b')
    await put('v1/t/k=2/a.parquet', '1 AS a, 3 AS c')
    const { LastCrawl } = await succeed()
    expect(LastCrawl?.ErrorMessage).toBeUndefined()
    expect(await columns('t')).toEqual({ a: 'int' })
    const found = await partitions('t')
    expect(found.map((one) => one.StorageDescriptor?.Columns?.map((column) => column.Name))).toEqual([
      ['a'],
      ['a', 'c'],
    ])
  })

  test('folders that do not fit the table’s keys change nothing and are named', async () => {
    await put('v1/t/k=1/a.parquet', '1 AS a')
    await create()
    await succeed()
    await remove('v1/t/k=1/a.parquet')
    await put('v1/t/day=1/a.parquet', '1 AS a')
    const { LastCrawl } = await succeed()
    expect(await values('t')).toEqual(['1'])
    expect(LastCrawl?.ErrorMessage).toContain('table t has the partition keys (k), its folders say (day)')
  })
})

describe('crawlers', () => {
  test('are made, read, changed, listed and deleted', async () => {
    await create({ Tags: { app: 'x' }, Schedule: 'cron(15 12 * * ? *)' })
    await expect(create()).rejects.toMatchObject({ name: 'AlreadyExistsException' })
    const { Crawler: first } = await glue.send(new GetCrawlerCommand({ Name: name() }))
    expect(first).toMatchObject({
      State: 'READY',
      Version: 1,
      SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'DEPRECATE_IN_DATABASE' },
      RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
      Schedule: { ScheduleExpression: 'cron(15 12 * * ? *)', State: 'SCHEDULED' },
    })
    await glue.send(new UpdateCrawlerCommand({ Name: name(), Description: 'changed' }))
    const { Crawlers, CrawlersNotFound } = await glue.send(
      new BatchGetCrawlersCommand({ CrawlerNames: [name(), 'nobody'] }),
    )
    expect(Crawlers).toMatchObject([{ Description: 'changed', Version: 2, Targets: first?.Targets }])
    expect(CrawlersNotFound).toEqual(['nobody'])
    expect((await glue.send(new GetCrawlersCommand({}))).Crawlers?.map((one) => one.Name)).toContain(name())
    expect((await glue.send(new ListCrawlersCommand({ Tags: { app: 'x' } }))).CrawlerNames).toEqual([name()])
    const ResourceArn = `arn:aws:glue:us-east-1:000000000000:crawler/${name()}`
    expect((await glue.send(new GetTagsCommand({ ResourceArn }))).Tags).toEqual({ app: 'x' })
    await expect(glue.send(new StopCrawlerCommand({ Name: name() }))).rejects.toMatchObject({
      name: 'CrawlerNotRunningException',
    })
    await glue.send(new DeleteCrawlerCommand({ Name: name() }))
    await expect(glue.send(new StartCrawlerCommand({ Name: name() }))).rejects.toMatchObject({
      name: 'EntityNotFoundException',
    })
  })

  test.each<[string, Partial<CreateCrawlerRequest>]>([
    ['Targets.JdbcTargets', { Targets: { JdbcTargets: [{ ConnectionName: 'x', Path: 'y' }] } }],
    ['Targets.S3Targets.EventQueueArn', { Targets: { S3Targets: [{ Path: 's3://x/', EventQueueArn: 'arn' }] } }],
    ['s3://', { Targets: { S3Targets: [{ Path: 'lake/x' }] } }],
    ['Exclusions', { Targets: { S3Targets: [{ Path: 's3://x/', Exclusions: ['[a'] }] } }],
    ['Classifiers', { Classifiers: ['mine'] }],
    ['CRAWL_EVENT_MODE', { RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVENT_MODE' } }],
    ['Configuration', { Configuration: '{' }],
    ['Configuration.Version', { Configuration: '{"Version":2}' }],
    ['Configuration.Colour', { Configuration: '{"Version":1,"Colour":1}' }],
    ['Schedule', { Schedule: 'every day' }],
  ])('what cannot be crawled is refused by name: %s', async (named, more) => {
    await expect(create(more)).rejects.toMatchObject({
      name: 'InvalidInputException',
      message: expect.stringContaining(named),
    })
  })

  test('a crawl of a missing bucket fails and says which; the crawler can be started again', async () => {
    await create({ Targets: { S3Targets: [{ Path: 's3://not-there/v1/' }] } })
    for (let round = 0; round < 2; round += 1) {
      const { LastCrawl, State } = await crawl()
      expect(State).toBe('READY')
      expect(LastCrawl).toMatchObject({ Status: 'FAILED', LogGroup: '/aws-glue/crawlers' })
      expect(LastCrawl?.ErrorMessage).toContain('The specified bucket does not exist: not-there')
    }
  })

  test('more tables than the threshold fail the crawl before it changes anything', async () => {
    await put('v1/a/a.parquet', '1 AS a')
    await put('v1/b/a.parquet', '1 AS a')
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: db() } }))
    await create({ Configuration: '{"Version":1.0,"CrawlerOutput":{"Tables":{"TableThreshold":1}}}' })
    expect((await crawl()).LastCrawl).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: expect.stringContaining('TableThreshold of 1'),
    })
    expect(await tableNames()).toEqual([])
  })

  test('the history of crawls is newest first and can be filtered', async () => {
    await put('v1/t/a.parquet', '1 AS a')
    await create()
    await succeed()
    await glue.send(new UpdateCrawlerCommand({ Name: name(), Targets: { S3Targets: [{ Path: 's3://nowhere/' }] } }))
    await crawl()
    const history = async (input: object = {}) =>
      (await glue.send(new ListCrawlsCommand({ CrawlerName: name(), ...input }))).Crawls ?? []
    const all = await history()
    expect(all.map((one) => one.State)).toEqual(['FAILED', 'COMPLETED'])
    expect(JSON.parse(all[1]?.Summary ?? '').TABLE.ADD).toEqual({ count: 1, names: ['t'] })
    const failed = [{ FieldName: 'STATE', FilterOperator: 'EQ', FieldValue: 'FAILED' }]
    expect(await history({ Filters: failed })).toEqual([all[0]])
    const future = [{ FieldName: 'START_TIME', FilterOperator: 'GT', FieldValue: String(Date.now() + 60_000) }]
    expect(await history({ Filters: future })).toEqual([])
  })
})

test('1,000 partitions are crawled', async () => {
  const body = await files.bytes('1 AS a')
  const keys = Array.from({ length: 1000 }, (_, index) => `v1/t/k=${index}/a.parquet`)
  for (let from = 0; from < keys.length; from += 50) {
    const some = keys.slice(from, from + 50)
    await Promise.all(some.map((Key) => aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: body }))))
  }
  await create()
  await succeed()
  expect((await partitions('t')).length).toBe(1000)
  expect((await table('t'))?.Parameters).toMatchObject({ objectCount: '1000', recordCount: '1000' })
})
