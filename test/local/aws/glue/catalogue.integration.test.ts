import {
  BatchDeleteTableCommand,
  BatchDeleteTableVersionCommand,
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreatePartitionIndexCommand,
  CreateTableCommand,
  DeleteColumnStatisticsForTableCommand,
  DeleteDatabaseCommand,
  DeletePartitionIndexCommand,
  DeleteTableCommand,
  DeleteTableVersionCommand,
  GetColumnStatisticsForTableCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetPartitionIndexesCommand,
  GetTableCommand,
  GetTablesCommand,
  GetTableVersionCommand,
  GetTableVersionsCommand,
  GetTagsCommand,
  GetUnfilteredTableMetadataCommand,
  GetUserDefinedFunctionsCommand,
  type GlueClient,
  paginateGetTables,
  SearchTablesCommand,
  type SearchTablesCommandInput,
  type TableInput,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateColumnStatisticsForTableCommand,
  UpdateDatabaseCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { signedRequest } from '../signed-request.ts'
import { checkAnswers } from './wire-shape.ts'

let aws: TestAws
let glue: GlueClient
let db: string
let count = 0

beforeAll(async () => {
  aws = await startTestAws()
  glue = checkAnswers(aws.glue)
})
afterAll(() => aws?.stop())
beforeEach(async () => {
  count += 1
  db = `db_${count}`
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: db } }))
})

const table = (name: string, more: Partial<TableInput> = {}): TableInput => ({
  Name: name,
  StorageDescriptor: { Columns: [{ Name: 'id', Type: 'bigint' }], Location: `s3://lake/${name}/` },
  PartitionKeys: [{ Name: 'day', Type: 'string' }],
  ...more,
})
const create = (input: TableInput) => glue.send(new CreateTableCommand({ DatabaseName: db, TableInput: input }))
const read = async (name: string) => (await glue.send(new GetTableCommand({ DatabaseName: db, Name: name }))).Table

describe('databases', () => {
  test('are made, read, changed and deleted, in lower case', async () => {
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'Games_X', Description: 'first' } }))
    const { Database } = await glue.send(new GetDatabaseCommand({ Name: 'GAMES_x' }))
    expect(Database).toMatchObject({ Name: 'games_x', Description: 'first', Parameters: {} })
    expect(Math.abs(Date.now() - (Database?.CreateTime?.getTime() ?? 0))).toBeLessThan(60_000)
    await glue.send(
      new UpdateDatabaseCommand({ Name: 'games_x', DatabaseInput: { Name: 'games_x', LocationUri: 's3://lake/' } }),
    )
    const changed = (await glue.send(new GetDatabaseCommand({ Name: 'games_x' }))).Database
    expect(changed).toMatchObject({ LocationUri: 's3://lake/', CreateTime: Database?.CreateTime })
    expect(changed?.Description).toBeUndefined()
    await glue.send(new DeleteDatabaseCommand({ Name: 'games_x' }))
    await expect(glue.send(new GetDatabaseCommand({ Name: 'games_x' }))).rejects.toMatchObject({
      name: 'EntityNotFoundException',
      message: 'Database games_x not found.',
    })
  })

  test('exist once, and are listed page by page', async () => {
    const again = glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: db.toUpperCase() } }))
    await expect(again).rejects.toMatchObject({ name: 'AlreadyExistsException' })
    const first = await glue.send(new GetDatabasesCommand({ MaxResults: 1 }))
    expect(first.DatabaseList).toHaveLength(1)
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: `${db}_other` } }))
    const rest = await glue.send(new GetDatabasesCommand({ NextToken: (await firstPage()).NextToken }))
    expect(rest.DatabaseList?.map((one) => one.Name)).toContain(`${db}_other`)
  })
  const firstPage = () => glue.send(new GetDatabasesCommand({ MaxResults: 1 }))

  test('any name is safe: it never becomes a path', async () => {
    const names = ['../../escape', '..', 'a/b', 'a.b', 'ünïcode', 'x'.repeat(255), '-', 'con']
    for (const name of names) await create(table(name))
    const { TableList } = await glue.send(new GetTablesCommand({ DatabaseName: db }))
    expect(TableList?.map((one) => one.Name).sort()).toEqual([...names].sort())
    for (const name of names) expect((await read(name))?.Name).toBe(name)
    await expect(create(table('x'.repeat(256)))).rejects.toMatchObject({ name: 'ValidationException' })
    await expect(create(table('two\nlines'))).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

describe('tables', () => {
  test('answer with defaults for what was left out', async () => {
    await create({ Name: 'Bare', StorageDescriptor: {} })
    expect(await read('bare')).toMatchObject({
      Name: 'bare',
      DatabaseName: db,
      Retention: 0,
      PartitionKeys: [],
      Parameters: {},
      VersionId: '0',
      IsRegisteredWithLakeFormation: false,
      StorageDescriptor: {
        Columns: [],
        Compressed: false,
        NumberOfBuckets: 0,
        SerdeInfo: { Parameters: {} },
        BucketColumns: [],
        SortColumns: [],
        Parameters: {},
        StoredAsSubDirectories: false,
      },
    })
  })

  test('keep everything they were given, views too', async () => {
    const input: TableInput = {
      Name: 'v',
      TableType: 'VIRTUAL_VIEW',
      ViewOriginalText: '/* Presto View: e30= */',
      ViewExpandedText: '/* Presto View */',
      Description: 'd',
      Owner: 'me',
      Retention: 3,
      Parameters: { presto_view: 'true', comment: 'Presto View' },
      StorageDescriptor: {
        Columns: [{ Name: 'a', Type: 'decimal(12,2)', Comment: 'c', Parameters: { x: 'y' } }],
        SortColumns: [{ Column: 'a', SortOrder: 1 }],
        SkewedInfo: { SkewedColumnNames: ['a'], SkewedColumnValues: ['1'], SkewedColumnValueLocationMaps: { a: 'b' } },
      },
    }
    await create(input)
    expect(await read('v')).toMatchObject(input)
  })

  test('UpdateTable replaces, and counts versions', async () => {
    await create(table('t', { Parameters: { a: '1' }, Description: 'first' }))
    const before = await read('t')
    await glue.send(new UpdateTableCommand({ DatabaseName: db, TableInput: table('T', { Parameters: { b: '2' } }) }))
    const after = await read('t')
    expect(after).toMatchObject({ VersionId: '1', Parameters: { b: '2' }, CreateTime: before?.CreateTime })
    expect(after?.Description).toBeUndefined()
    const skip = { DatabaseName: db, TableInput: table('t', { Description: 'third' }), SkipArchive: true }
    await glue.send(new UpdateTableCommand(skip))
    const { TableVersions } = await glue.send(new GetTableVersionsCommand({ DatabaseName: db, TableName: 't' }))
    expect(TableVersions?.map((one) => [one.VersionId, one.Table?.Description])).toEqual([
      ['2', 'third'],
      ['0', 'first'],
    ])
    const old = await glue.send(new GetTableVersionCommand({ DatabaseName: db, TableName: 't', VersionId: '0' }))
    expect(old.TableVersion?.Table?.Parameters).toEqual({ a: '1' })
  })

  test('a stale VersionId is a concurrent modification', async () => {
    await create(table('t'))
    const update = (VersionId: string) =>
      glue.send(new UpdateTableCommand({ DatabaseName: db, TableInput: table('t'), VersionId }))
    await update('0')
    await expect(update('0')).rejects.toMatchObject({ name: 'ConcurrentModificationException' })
    const racers = await Promise.allSettled(Array.from({ length: 10 }, () => update('1')))
    expect(racers.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
  })

  test('older versions are deleted, the current one is not', async () => {
    await create(table('t'))
    for (let version = 0; version < 12; version += 1) {
      await glue.send(new UpdateTableCommand({ DatabaseName: db, TableInput: table('t') }))
    }
    const where = { DatabaseName: db, TableName: 't' }
    await glue.send(new DeleteTableVersionCommand({ ...where, VersionId: '3' }))
    const { Errors } = await glue.send(
      new BatchDeleteTableVersionCommand({ ...where, VersionIds: ['4', '3', '12', '99'] }),
    )
    expect(Errors?.map((one) => [one.VersionId, one.ErrorDetail?.ErrorCode])).toEqual([
      ['3', 'EntityNotFoundException'],
      ['12', 'InvalidInputException'],
      ['99', 'EntityNotFoundException'],
    ])
    const first = await glue.send(new GetTableVersionsCommand({ ...where, MaxResults: 6 }))
    const second = await glue.send(new GetTableVersionsCommand({ ...where, NextToken: first.NextToken }))
    const ids = [...(first.TableVersions ?? []), ...(second.TableVersions ?? [])].map((one) => one.VersionId)
    expect(ids).toEqual(['12', '11', '10', '9', '8', '7', '6', '5', '2', '1', '0'])
  })

  test('are listed by pattern and page, all of them once', async () => {
    for (let index = 0; index < 7; index += 1) await create(table(`t_${index}`))
    await create(table('other'))
    const names: (string | undefined)[] = []
    const pages = paginateGetTables({ client: glue, pageSize: 3 }, { DatabaseName: db, Expression: 'T_.*' })
    for await (const page of pages) names.push(...(page.TableList ?? []).map((one) => one.Name))
    expect(names).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => `t_${index}`))
    const all = await glue.send(new GetTablesCommand({ DatabaseName: db, Expression: '*', AttributesToGet: ['NAME'] }))
    expect(all.TableList).toHaveLength(8)
    const bad = glue.send(new GetTablesCommand({ DatabaseName: db, Expression: '(' }))
    await expect(bad).rejects.toMatchObject({ name: 'InvalidInputException' })
    const badToken = glue.send(new GetTablesCommand({ DatabaseName: db, NextToken: 'x' }))
    await expect(badToken).rejects.toMatchObject({ name: 'InvalidInputException' })
  })

  test('a batch delete reports each table that is not there', async () => {
    await create(table('a'))
    const { Errors } = await glue.send(
      new BatchDeleteTableCommand({ DatabaseName: db, TablesToDelete: ['A', 'b', 'a'] }),
    )
    expect(Errors?.map((one) => [one.TableName, one.ErrorDetail?.ErrorCode])).toEqual([
      ['b', 'EntityNotFoundException'],
      ['a', 'EntityNotFoundException'],
    ])
  })

  test('a table made anew has none of the old one’s partitions', async () => {
    await create(table('t'))
    const where = { DatabaseName: db, TableName: 't' }
    await glue.send(new CreatePartitionCommand({ ...where, PartitionInput: { Values: ['1'] } }))
    await glue.send(new DeleteTableCommand({ DatabaseName: db, Name: 't' }))
    await create(table('t'))
    await glue.send(new CreatePartitionCommand({ ...where, PartitionInput: { Values: ['1'] } }))
  })

  test('a field that is not offered is refused by its name', async () => {
    const wanted = { name: 'InvalidInputException' }
    await expect(
      glue.send(new GetTableCommand({ DatabaseName: db, Name: 't', QueryAsOfTime: new Date() })),
    ).rejects.toMatchObject({ ...wanted, message: expect.stringContaining('QueryAsOfTime') })
    await expect(create(table('t', { TargetTable: { Name: 'x' } }))).rejects.toMatchObject({
      ...wanted,
      message: expect.stringContaining('TableInput.TargetTable'),
    })
    await expect(glue.send(new GetDatabaseCommand({ Name: db, CatalogId: '123456789012' }))).rejects.toMatchObject({
      ...wanted,
      message: expect.stringContaining('CatalogId'),
    })
    await glue.send(new GetDatabaseCommand({ Name: db, CatalogId: '000000000000' }))
  })

  test('an operation that is not offered says so', async () => {
    const call = glue.send(
      new GetUnfilteredTableMetadataCommand({
        CatalogId: '0',
        DatabaseName: db,
        Name: 't',
        SupportedPermissionTypes: [],
      }),
    )
    await expect(call).rejects.toMatchObject({ name: 'UnknownOperationException' })
  })
})

describe('what belongs to a table', () => {
  test('partition indexes: at most three, on its keys, active at once', async () => {
    await create(table('t', { PartitionKeys: ['a', 'b', 'c', 'd'].map((Name) => ({ Name, Type: 'int' })) }))
    const where = { DatabaseName: db, TableName: 't' }
    const add = (IndexName: string, Keys: string[]) =>
      glue.send(new CreatePartitionIndexCommand({ ...where, PartitionIndex: { IndexName, Keys } }))
    await add('one', ['a', 'B'])
    await expect(add('one', ['c'])).rejects.toMatchObject({ name: 'AlreadyExistsException' })
    await expect(add('x', ['e'])).rejects.toMatchObject({ name: 'InvalidInputException' })
    await add('two', ['c'])
    await add('three', ['d'])
    await expect(add('four', ['b'])).rejects.toMatchObject({ name: 'ResourceNumberLimitExceededException' })
    await glue.send(new DeletePartitionIndexCommand({ ...where, IndexName: 'two' }))
    const { PartitionIndexDescriptorList } = await glue.send(new GetPartitionIndexesCommand(where))
    expect(PartitionIndexDescriptorList?.map((one) => [one.IndexName, one.IndexStatus, one.Keys])).toEqual([
      [
        'one',
        'ACTIVE',
        [
          { Name: 'a', Type: 'int' },
          { Name: 'b', Type: 'int' },
        ],
      ],
      ['three', 'ACTIVE', [{ Name: 'd', Type: 'int' }]],
    ])
  })

  test('column statistics are kept; an absent one is no error', async () => {
    await create(table('t'))
    const where = { DatabaseName: db, TableName: 't' }
    const statistics = {
      ColumnName: 'id',
      ColumnType: 'bigint',
      AnalyzedTime: new Date(1_700_000_000_000),
      StatisticsData: {
        Type: 'LONG' as const,
        LongColumnStatisticsData: { MinimumValue: 1, MaximumValue: 9, NumberOfNulls: 0, NumberOfDistinctValues: 9 },
      },
    }
    const { Errors } = await glue.send(
      new UpdateColumnStatisticsForTableCommand({
        ...where,
        ColumnStatisticsList: [statistics, { ...statistics, ColumnName: 'nope' }],
      }),
    )
    expect(Errors?.map((one) => one.ColumnStatistics?.ColumnName)).toEqual(['nope'])
    const get = () => glue.send(new GetColumnStatisticsForTableCommand({ ...where, ColumnNames: ['ID', 'day'] }))
    expect((await get()).ColumnStatisticsList).toEqual([statistics])
    await glue.send(new DeleteColumnStatisticsForTableCommand({ ...where, ColumnName: 'id' }))
    expect((await get()).ColumnStatisticsList).toEqual([])
  })
})

test('tables are found by words, tokens and times in all databases', async () => {
  await create(table('customer-link', { Description: 'Orders of 2026' }))
  await create(table('xxlinkyy'))
  const search = async (input: SearchTablesCommandInput) => {
    const inThis = { Key: 'DatabaseName', Value: db }
    const { TableList } = await glue.send(
      new SearchTablesCommand({ ...input, Filters: [inThis, ...(input.Filters ?? [])] }),
    )
    return TableList?.map((one) => one.Name)
  }
  expect(await search({})).toEqual(['customer-link', 'xxlinkyy'])
  expect(await search({ Filters: [{ Key: 'Name', Value: 'link' }] })).toEqual(['customer-link'])
  expect(await search({ SearchText: 'link' })).toEqual(['customer-link', 'xxlinkyy'])
  expect(await search({ SearchText: 'orders LINK' })).toEqual(['customer-link'])
  expect(await search({ SearchText: '"xxlinkyy"' })).toEqual(['xxlinkyy'])
  expect(await search({ SortCriteria: [{ FieldName: 'Name', Sort: 'DESC' }] })).toEqual(['xxlinkyy', 'customer-link'])
  const later = { Key: 'CreateTime', Comparator: 'GREATER_THAN' as const, Value: '2100-01-01T00:00:00Z' }
  expect(await search({ Filters: [later] })).toEqual([])
  await expect(search({ Filters: [{ Key: 'Colour', Value: 'x' }] })).rejects.toMatchObject({
    name: 'InvalidInputException',
  })
})

test('databases carry tags', async () => {
  const ResourceArn = `arn:aws:glue:us-east-1:000000000000:database/${db}`
  await glue.send(new TagResourceCommand({ ResourceArn, TagsToAdd: { app: 'x', team: 'y' } }))
  await glue.send(new UntagResourceCommand({ ResourceArn, TagsToRemove: ['team'] }))
  expect((await glue.send(new GetTagsCommand({ ResourceArn }))).Tags).toEqual({ app: 'x' })
  const missing = glue.send(new GetTagsCommand({ ResourceArn: ResourceArn.replace(db, 'nope') }))
  await expect(missing).rejects.toMatchObject({ name: 'EntityNotFoundException' })
})

test('there are no functions, and asking for them is no error', async () => {
  const { UserDefinedFunctions } = await glue.send(
    new GetUserDefinedFunctionsCommand({ DatabaseName: db, Pattern: '.*' }),
  )
  expect(UserDefinedFunctions).toEqual([])
})

describe('members of a wrong type, as no SDK sends them', () => {
  const call = (operation: string, input: object) =>
    signedRequest(aws, {
      method: 'POST',
      path: '/',
      service: 'glue',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSGlue.${operation}` },
      body: JSON.stringify(input),
    })

  test.each([
    { Description: 5 },
    { CreateTableDefaultPermissions: ['x'] },
    { CreateTableDefaultPermissions: [{ Permissions: 'ALL' }] },
  ])('of a database are refused, not stored: %j', async (more) => {
    const answer = await call('CreateDatabase', { DatabaseInput: { Name: 'wrong', ...more } })
    expect([answer.status, answer.code]).toEqual([400, 'SerializationException'])
  })

  test.each([
    { Owner: {} },
    { Retention: '1' },
    { StorageDescriptor: { Compressed: 'yes' } },
    { StorageDescriptor: { SkewedInfo: [] } },
    { StorageDescriptor: { Columns: [{ Name: 'a', Type: 1 }] } },
    { StorageDescriptor: { SerdeInfo: { SerializationLibrary: [] } } },
  ])('of a table are refused, not stored: %j', async (more) => {
    const answer = await call('CreateTable', { DatabaseName: db, TableInput: { Name: 'wrong', ...more } })
    expect([answer.status, answer.code]).toEqual([400, 'SerializationException'])
  })
})
