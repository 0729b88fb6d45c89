import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchGetPartitionCommand,
  BatchUpdatePartitionCommand,
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  DeletePartitionCommand,
  GetColumnStatisticsForPartitionCommand,
  GetPartitionCommand,
  GetPartitionsCommand,
  type GlueClient,
  type PartitionInput,
  paginateGetPartitions,
  UpdateColumnStatisticsForPartitionCommand,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { checkAnswers } from './wire-shape.ts'

let aws: TestAws
let glue: GlueClient
let where: { DatabaseName: string; TableName: string }
let count = 0

beforeAll(async () => {
  aws = await startTestAws()
  glue = checkAnswers(aws.glue)
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'raw' } }))
})
afterAll(() => aws?.stop())
beforeEach(async () => {
  count += 1
  where = { DatabaseName: 'raw', TableName: `t_${count}` }
  await glue.send(new CreateTableCommand({ DatabaseName: 'raw', TableInput: definition() }))
})

const definition = () => ({
  Name: where.TableName,
  StorageDescriptor: { Columns: [{ Name: 'x', Type: 'int' }], Location: 's3://lake/t/' },
  PartitionKeys: [
    { Name: 'day', Type: 'date' },
    { Name: 'country', Type: 'string' },
  ],
})

const partition = (day: string, country = 'de', location = 's3://lake/t/'): PartitionInput => ({
  Values: [day, country],
  StorageDescriptor: { Columns: [{ Name: 'x', Type: 'int' }], Location: location },
})
const batchCreate = (PartitionInputList: PartitionInput[]) =>
  glue.send(new BatchCreatePartitionCommand({ ...where, PartitionInputList }))
const days = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => partition(`2026-01-01`, `c${from + index}`))
const list = async (input: object = {}) =>
  (await glue.send(new GetPartitionsCommand({ ...where, ...input }))).Partitions?.map((one) => one.Values?.join(' '))

describe('one partition', () => {
  test('is made, read, changed, moved and deleted', async () => {
    await glue.send(new CreatePartitionCommand({ ...where, PartitionInput: partition('2026-01-01') }))
    const PartitionValues = ['2026-01-01', 'de']
    const first = (await glue.send(new GetPartitionCommand({ ...where, PartitionValues }))).Partition
    expect(first).toMatchObject({
      ...where,
      Values: PartitionValues,
      Parameters: {},
      StorageDescriptor: { NumberOfBuckets: 0, Compressed: false, SerdeInfo: { Parameters: {} } },
    })
    const again = glue.send(new CreatePartitionCommand({ ...where, PartitionInput: partition('2026-01-01') }))
    await expect(again).rejects.toMatchObject({ name: 'AlreadyExistsException', message: 'Partition already exists.' })

    const update = (from: string, PartitionInput: PartitionInput) =>
      glue.send(new UpdatePartitionCommand({ ...where, PartitionValueList: [from, 'de'], PartitionInput }))
    await update('2026-01-01', partition('2026-01-02', 'de', 's3://lake/moved/'))
    expect(await list()).toEqual(['2026-01-02 de'])
    await expect(update('2026-01-01', partition('2026-01-02'))).rejects.toMatchObject({
      name: 'EntityNotFoundException',
      message: 'Cannot find partition.',
    })
    await glue.send(new DeletePartitionCommand({ ...where, PartitionValues: ['2026-01-02', 'de'] }))
    expect(await list()).toEqual([])
  })

  test('needs one value for each key', async () => {
    const wrong = glue.send(new CreatePartitionCommand({ ...where, PartitionInput: { Values: ['2026-01-01'] } }))
    await expect(wrong).rejects.toMatchObject({
      name: 'InvalidInputException',
      message: 'The number of partition keys do not match the number of partition values',
    })
  })

  test('keeps the table from changing the number of its keys', async () => {
    await batchCreate([partition('2026-01-01')])
    const fewer = { ...definition(), PartitionKeys: [{ Name: 'day', Type: 'date' }] }
    const update = glue.send(new UpdateTableCommand({ DatabaseName: 'raw', TableInput: fewer }))
    await expect(update).rejects.toMatchObject({ name: 'InvalidInputException' })
  })

  test('has column statistics that leave with it', async () => {
    await batchCreate([partition('2026-01-01')])
    const PartitionValues = ['2026-01-01', 'de']
    const statistics = {
      ColumnName: 'x',
      ColumnType: 'int',
      AnalyzedTime: new Date(1_700_000_000_000),
      StatisticsData: {
        Type: 'LONG' as const,
        LongColumnStatisticsData: { NumberOfNulls: 0, NumberOfDistinctValues: 1 },
      },
    }
    const which = { ...where, PartitionValues }
    await glue.send(new UpdateColumnStatisticsForPartitionCommand({ ...which, ColumnStatisticsList: [statistics] }))
    const get = () => glue.send(new GetColumnStatisticsForPartitionCommand({ ...which, ColumnNames: ['x'] }))
    expect((await get()).ColumnStatisticsList).toEqual([statistics])
    await glue.send(new DeletePartitionCommand(which))
    await batchCreate([partition('2026-01-01')])
    expect((await get()).ColumnStatisticsList).toEqual([])
  })
})

describe('batches', () => {
  test('answer 200 with an error for each entry that failed, and do the rest', async () => {
    const { Errors } = await batchCreate([
      partition('2026-01-01'),
      { Values: ['only one'] },
      partition('2026-01-01'),
      partition('2026-01-02'),
    ])
    expect(Errors?.map((one) => [one.PartitionValues, one.ErrorDetail?.ErrorCode])).toEqual([
      [['only one'], 'InvalidInputException'],
      [['2026-01-01', 'de'], 'AlreadyExistsException'],
    ])
    expect(await list()).toEqual(['2026-01-01 de', '2026-01-02 de'])

    const updated = await glue.send(
      new BatchUpdatePartitionCommand({
        ...where,
        Entries: [
          { PartitionValueList: ['2026-01-01', 'de'], PartitionInput: partition('2026-01-01', 'de', 's3://lake/new/') },
          { PartitionValueList: ['2026-01-09', 'de'], PartitionInput: partition('2026-01-09') },
        ],
      }),
    )
    expect(updated.Errors?.map((one) => one.PartitionValueList)).toEqual([['2026-01-09', 'de']])

    const PartitionsToDelete = [{ Values: ['2026-01-01', 'de'] }, { Values: ['2026-01-09', 'de'] }]
    const deleted = await glue.send(new BatchDeletePartitionCommand({ ...where, PartitionsToDelete }))
    expect(deleted.Errors?.map((one) => [one.PartitionValues, one.ErrorDetail?.ErrorCode])).toEqual([
      [['2026-01-09', 'de'], 'EntityNotFoundException'],
    ])
    expect(await list()).toEqual(['2026-01-02 de'])
  })

  test('keep AWS’s limits: 100 creates, 25 deletes', async () => {
    await expect(batchCreate(days(0, 101))).rejects.toMatchObject({ name: 'ValidationException' })
    expect(await list()).toEqual([])
    await batchCreate(days(0, 100))
    const PartitionsToDelete = days(0, 26).map(({ Values }) => ({ Values }))
    const tooMany = glue.send(new BatchDeletePartitionCommand({ ...where, PartitionsToDelete }))
    await expect(tooMany).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("'partitionsToDelete' failed to satisfy constraint"),
    })
    expect(await list()).toHaveLength(100)
  })

  test('reads of many leave out what is not there', async () => {
    await batchCreate([partition('2026-01-01'), partition('2026-01-02')])
    const { Partitions, UnprocessedKeys } = await glue.send(
      new BatchGetPartitionCommand({
        ...where,
        PartitionsToGet: [{ Values: ['2026-01-02', 'de'] }, { Values: ['2026-01-09', 'de'] }],
      }),
    )
    expect(Partitions?.map((one) => one.Values?.[0])).toEqual(['2026-01-02'])
    expect(UnprocessedKeys).toEqual([])
  })
})

describe('listing', () => {
  test('pages and segments show each of 1,200 partitions exactly once', async () => {
    for (let from = 0; from < 1200; from += 100) await batchCreate(days(from, from + 100))
    const collect = async (Segment?: { SegmentNumber: number; TotalSegments: number }) => {
      const values: string[] = []
      const pages = paginateGetPartitions({ client: glue, pageSize: 170 }, { ...where, Segment })
      for await (const page of pages) values.push(...(page.Partitions ?? []).map((one) => one.Values?.[1] ?? ''))
      return values
    }
    const all = await collect()
    expect(new Set(all).size).toBe(1200)
    expect(all).toHaveLength(1200)
    const segments = await Promise.all(
      [0, 1, 2, 3, 4].map((SegmentNumber) => collect({ SegmentNumber, TotalSegments: 5 })),
    )
    expect(segments.flat().sort()).toEqual([...all].sort())
    for (const segment of segments) expect(segment.length).toBeGreaterThan(150)
    const beyond = glue.send(new GetPartitionsCommand({ ...where, Segment: { SegmentNumber: 5, TotalSegments: 5 } }))
    await expect(beyond).rejects.toMatchObject({ name: 'InvalidInputException' })
  })

  test('expressions are typed by the key; a bad one is an error', async () => {
    const none = '__HIVE_DEFAULT_PARTITION__'
    await batchCreate([partition('2026-01-01', "o'brien"), partition('2026-01-02'), partition(none, none)])
    expect(await list({ Expression: "((day >= '2026-01-01') and (country in ('de','fr')))" })).toEqual([
      '2026-01-02 de',
    ])
    expect(await list({ Expression: "country = 'o''brien'" })).toEqual(["2026-01-01 o'brien"])
    expect(await list({ Expression: `(day = '${none}')` })).toEqual([`${none} ${none}`])
    expect(await list({ Expression: '' })).toHaveLength(3)
    await expect(list({ Expression: "country = 'o'brien'" })).rejects.toMatchObject({ name: 'InvalidInputException' })
    await expect(list({ Expression: "city = 'x'" })).rejects.toMatchObject({ name: 'InvalidInputException' })
  })

  test('columns can be left out', async () => {
    await batchCreate([partition('2026-01-01')])
    const { Partitions } = await glue.send(new GetPartitionsCommand({ ...where, ExcludeColumnSchema: true }))
    expect(Partitions?.[0]?.StorageDescriptor?.Columns).toBeUndefined()
    expect(Partitions?.[0]?.StorageDescriptor?.Location).toBe('s3://lake/t/')
  })
})

test('what was acknowledged is there after kill -9 in the middle of writing', async () => {
  const own = await startTestAws()
  const table = { DatabaseName: 'd', TableName: 't' }
  const keys = [{ Name: 'n', Type: 'int' }]
  await own.glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'd' } }))
  await own.glue.send(new CreateTableCommand({ DatabaseName: 'd', TableInput: { Name: 't', PartitionKeys: keys } }))
  const acknowledged: string[] = []
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; n < 1000; n += 1) {
      const value = String(writer * 1000 + n)
      await own.glue.send(new CreatePartitionCommand({ ...table, PartitionInput: { Values: [value] } }))
      acknowledged.push(value)
      if (acknowledged.length === 40) void own.kill()
    }
  })
  await Promise.allSettled(writers)
  expect(acknowledged.length).toBeGreaterThanOrEqual(40)

  const again = await startTestAws(own.dir)
  try {
    const found: string[] = []
    for await (const page of paginateGetPartitions({ client: again.glue }, table)) {
      found.push(...(page.Partitions ?? []).map((one) => one.Values?.[0] ?? ''))
    }
    expect(found).toEqual(expect.arrayContaining(acknowledged))
    expect(found.length).toBeLessThanOrEqual(acknowledged.length + 4)
  } finally {
    await again.stop()
  }
})
