import {
  DeletePartitionCommand,
  GetPartitionCommand,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { columnComment, tableDescription } from '../../../src/lake/catalogue/table-definition.ts'
import { findTable } from '../../../src/lake/catalogue/tables.ts'
import { contracts, type TableContract } from '../../../src/lake/contract.ts'
import { DriftError } from '../../../src/lake/lake-problem.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'
import { type OpenLake, openLake } from './test-lake.ts'

/** Somebody says in Glue that a column is of another type, in the table or in one partition. */

const place = testPlace('drifting')
const games = contracts.find((contract) => contract.name === 'games') as TableContract
/** One of each type that the table has, said to be another one that an engine would read without a word, or not at all. */
const RETYPED: Readonly<Record<string, string>> = {
  ...{ min_age: 'decimal(12,2)', release_date: 'int', created_at: 'bigint', title: 'binary', version: 'date' },
}
const DRIFTS = Object.keys(RETYPED).length

let database: TestDatabase
let aws: TestAws
let open: OpenLake
let parts: LakeParts
let lake: Lake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 10)
  await ensureLake(place, aws, { owned: true }, [games])
  parts = lakeParts(place, aws, [games])
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  lake = { ...open.lake, contracts: [games], publisher: parts.publisher }
})

afterAll(async () => {
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

async function retypeTable(types: Readonly<Record<string, string>>, words?: string): Promise<void> {
  const table = await findTable(aws.glue, place.rawDatabase, 'games')
  const { Name = '', Parameters, PartitionKeys, StorageDescriptor, TableType } = table ?? {}
  const Columns = StorageDescriptor?.Columns?.map((column) => ({
    ...column,
    Type: types[column.Name ?? ''] ?? column.Type,
    Comment: words ?? column.Comment,
  }))
  const input = { Name, Description: words ?? table?.Description, Parameters, PartitionKeys, TableType }
  const TableInput = { ...input, StorageDescriptor: { ...StorageDescriptor, Columns } } as never
  await aws.glue.send(new UpdateTableCommand({ DatabaseName: place.rawDatabase, TableInput }))
}

async function retypePartition(
  values: string[],
  types: Readonly<Record<string, string>>,
  location?: string,
): Promise<string> {
  const where = { DatabaseName: place.rawDatabase, TableName: 'games' }
  const { Partition } = await aws.glue.send(new GetPartitionCommand({ ...where, PartitionValues: values }))
  const { Parameters, StorageDescriptor } = Partition ?? {}
  const Columns = StorageDescriptor?.Columns?.map((column) => ({
    ...column,
    Type: types[column.Name ?? ''] ?? column.Type,
  }))
  const Location = location ?? StorageDescriptor?.Location ?? ''
  const PartitionInput = { Values: values, Parameters, StorageDescriptor: { ...StorageDescriptor, Columns, Location } }
  await aws.glue.send(new UpdatePartitionCommand({ ...where, PartitionValueList: values, PartitionInput }))
  return StorageDescriptor?.Location ?? ''
}

/** Does something just before the program sends its first command of this name. */
async function justBefore<T>(command: string, change: (input: object) => Promise<unknown>, work: () => Promise<T>) {
  let open = true
  aws.glue.middlewareStack.add(
    (next, context) => async (request) => {
      if (context.commandName === command && open) {
        open = false
        await change(request.input)
      }
      return next(request)
    },
    { step: 'initialize', name: 'altering' },
  )
  try {
    return await work()
  } finally {
    aws.glue.middlewareStack.remove('altering')
  }
}

const valuesOf = (id: string) => [`${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}`, id]

const types = (names: readonly string[]) =>
  Object.fromEntries(
    names.map((name) => [name, games.columns.find((column) => column.name === name)?.athenaType ?? '']),
  )
const RIGHT = types(Object.keys(RETYPED))

async function select(sql: string) {
  const { run, rows } = await parts.runner.rows(sql)
  if (run.state !== 'succeeded') throw new Error(run.problem?.detail ?? run.state)
  return rows
}
const shown = async () => (await select(`SELECT DISTINCT snapshot_id FROM ${place.database}.games_latest`)).flat()
const codes = async (all = false) => (await verifySnapshots(lake, { all })).findings.map((finding) => finding.code)

async function driftOf(run: Promise<unknown>): Promise<string[]> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(DriftError)
  const [newest] = await listSnapshots(lake.database, { limit: 1 })
  expect(newest).toMatchObject({ state: 'committed', problem: { code: 'catalogue_drift' } })
  return (error as DriftError).findings.map((finding) => finding.code)
}

test('lake 31: a column of the Glue table altered to another type than the files is told by verify and stops the publication; the views stay', async () => {
  const first = await runSnapshot(lake)
  expect(await codes(true)).toEqual([])
  await retypeTable(RETYPED)
  expect(await codes()).toEqual(Array(DRIFTS).fill('type_drift'))
  const found = await driftOf(runSnapshot(lake))
  expect(new Set(found)).toEqual(new Set(['type_drift']))
  expect(found.length).toBeGreaterThanOrEqual(DRIFTS)
  // The view names the first snapshot still, and over the altered table it fails honestly.
  const text = (await select(`SHOW CREATE VIEW ${place.database}.games_latest`)).flat().join('\n')
  expect(text).toContain(first.id)
  await expect(shown()).rejects.toThrow('VIEW_IS_STALE')
  await retypeTable(RIGHT)
  expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ from: 'committed', to: 'published' }])
  expect(await codes(true)).toEqual([])
})

test('lake 31: a column of one partition altered to another type is told by verify, and by the drift check of the snapshot that it belongs to', async () => {
  const [before] = await listSnapshots(lake.database, { limit: 1 })
  await retypePartition(valuesOf(before?.id ?? ''), RETYPED)
  expect(await codes(true)).toEqual(Array(DRIFTS).fill('type_drift'))
  await retypePartition(valuesOf(before?.id ?? ''), RIGHT)
  expect(await codes(true)).toEqual([])
  // The next snapshot's partition is altered after its crawl, before it is looked at.
  let altered = ''
  const alter = async (input: { PartitionValues?: string[] }) => {
    altered = input.PartitionValues?.[1] ?? ''
    await retypePartition(input.PartitionValues ?? [], RETYPED)
  }
  await justBefore('GetPartitionCommand', alter, async () => {
    expect(await driftOf(runSnapshot(lake))).toEqual(Array(DRIFTS).fill('type_drift'))
  })
  expect(await shown()).toEqual([before?.id])
  expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ snapshotId: altered, to: 'published' }])
  expect(await shown()).toEqual([altered])
})

test('lake 31: a partition of an older snapshot that reads something else stops the publication of the next one; one that is gone does not', async () => {
  const [older] = await listSnapshots(lake.database, { limit: 1, state: 'published' })
  const values = valuesOf(older?.id ?? '')
  // A crawl leaves the place of a partition as it is, and sets its columns back: somebody was faster than we.
  const location = await retypePartition(values, {}, `s3://${place.bucket}/lake/v1/elsewhere/`)
  expect(await driftOf(runSnapshot(lake))).toEqual(['partition_location'])
  await retypePartition(values, {}, location)
  const alter = () => retypePartition(values, RETYPED)
  await justBefore('GetPartitionsCommand', alter, async () => {
    const { snapshots } = await recoverSnapshots(lake)
    expect(snapshots).toMatchObject([{ to: 'committed', problem: 'catalogue_drift' }])
  })
  expect(await shown()).toEqual([older?.id])
  const where = { DatabaseName: place.rawDatabase, TableName: 'games', PartitionValues: values }
  await justBefore(
    'GetPartitionsCommand',
    () => aws.glue.send(new DeletePartitionCommand(where)),
    async () => {
      expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ to: 'published' }])
    },
  )
  expect(await shown()).not.toEqual([older?.id])
  expect(await codes(true)).toEqual(['partition_missing'])
  // The next crawl finds its files.
  await runSnapshot(lake)
  expect(await codes(true)).toEqual([])
})

test('the words of datasets.ts are in Glue and in DESCRIBE, survive the crawl, and are put right where they are out of date', async () => {
  const stored = async () => {
    const table = await findTable(aws.glue, place.rawDatabase, 'games')
    const comments = table?.StorageDescriptor?.Columns?.map((column) => [column.Name, column.Comment])
    return { description: table?.Description, comments, version: Number(table?.VersionId) }
  }
  const right = {
    description: tableDescription(games),
    comments: games.columns.map((column) => [column.name, columnComment(column)]),
  }
  expect(await stored()).toMatchObject(right)
  const described = (await select(`DESCRIBE ${place.rawDatabase}.games`)).map(([line]) => String(line))
  expect(described.find((line) => line.startsWith('min_age'))).toMatch(
    /^min_age\s+int\s+Lowest age the game is rated for\. In years\. \[public, as it is\]/,
  )
  expect(described.find((line) => line.startsWith('snapshot_id'))).toMatch(/The snapshot: all tables of one/)
  await retypeTable({}, 'somebody else wrote this')
  expect((await parts.catalogue.plannedChanges()).changes).toEqual([
    `table games: comments of ${games.columns.map((column) => column.name).join(', ')}; description`,
  ])
  // Words are no drift: verify is content, and the next snapshot puts them right in one update.
  expect(await codes()).toEqual([])
  const before = await stored()
  await runSnapshot(lake)
  const after = await stored()
  expect(after).toMatchObject(right)
  expect(after.version).toBeGreaterThan(before.version)
})
