import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'
import { type OpenLake, openLake } from './test-lake.ts'

const place = testPlace('publication')

let database: TestDatabase
let aws: TestAws
let open: OpenLake
let parts: LakeParts
let lake: Lake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 500)
  await ensureLake(place, aws, { owned: true })
  parts = lakeParts(place, aws)
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  lake = { ...open.lake, publisher: parts.publisher }
})

afterAll(async () => {
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

/** Snapshot and number of rows that `<table>_latest` shows. */
async function latest(table: string): Promise<(readonly unknown[])[]> {
  const { rows } = await parts.runner.rows(`SELECT snapshot_id, count(*) AS n FROM ${table}_latest GROUP BY 1`)
  return rows
}

/** Somebody says in Glue that a column is of another type. */
async function retype(table: string, column: string, type: string): Promise<void> {
  const where = { DatabaseName: place.rawDatabase, Name: table }
  const { Table: found } = await aws.glue.send(new GetTableCommand(where))
  const columns = found?.StorageDescriptor?.Columns?.map((each) =>
    each.Name === column ? { ...each, Type: type } : each,
  )
  const { Parameters, PartitionKeys, TableType } = found ?? {}
  await aws.glue.send(
    new UpdateTableCommand({
      DatabaseName: place.rawDatabase,
      TableInput: {
        Name: table,
        ...{ Parameters, PartitionKeys, TableType },
        StorageDescriptor: { ...found?.StorageDescriptor, Columns: columns },
      },
    }),
  )
}

test('analysts see each published snapshot whole, and nothing of one whose catalogue has drifted', async () => {
  const first = await runSnapshot(lake)
  expect(await latest('players')).toEqual([[first.id, 500]])
  expect((await verifySnapshots(lake, { all: true, deep: true })).findings).toEqual([])

  await retype('players', 'version', 'string')
  const findings = (await verifySnapshots(lake)).findings.map((finding) => finding.code)
  expect(new Set(findings)).toEqual(new Set(['type_drift']))
  await expect(runSnapshot(lake)).rejects.toMatchObject({ code: 'catalogue_drift' })
  const [second] = await listSnapshots(lake.database, { limit: 1 })
  expect(second).toMatchObject({ state: 'committed', problem: { code: 'catalogue_drift' } })
  // A query on the retyped column's own table fails, as it should; the views have not moved.
  expect(await latest('studios')).toEqual([[first.id, 20]])

  await retype('players', 'version', 'int')
  expect((await recoverSnapshots(lake)).snapshots).toMatchObject([{ from: 'committed', to: 'published' }])
  expect(await latest('players')).toEqual([[second?.id, 500]])
  expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])

  // Retention takes the older one out of views and catalogue, and an hour later out of S3.
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000)
  expect((await retainSnapshots(lake, { now: inDays(3) })).retiring).toEqual([first.id])
  expect((await retainSnapshots(lake, { now: inDays(4) })).retired).toEqual([first.id])
  expect(await latest('players')).toEqual([[second?.id, 500]])
  expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
})
