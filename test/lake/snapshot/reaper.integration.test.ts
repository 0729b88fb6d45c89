import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSnapshotId, partKey } from '../../../src/lake/object-keys.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { newPlace, type OpenLake, openLake } from './test-lake.ts'

const MINUTE_MS = 60_000

let database: TestDatabase
let aws: TestAws
let open: OpenLake
let remove: () => Promise<void>

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  const place = await newPlace(aws, database.url)
  remove = place.remove
  open = openLake(place)
})

afterAll(async () => {
  await open?.close()
  await remove?.()
  await Promise.all([database?.drop(), aws?.stop()])
})

async function pending(): Promise<string[]> {
  const { Uploads = [] } = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket: open.lake.bucket.name }))
  return Uploads.map(({ Key = '' }) => Key).sort()
}

test('recover ends uploads under lake/ that are older than an hour and whose snapshot is over or unknown, and no other', async () => {
  const { prisma } = open.database
  const over = (await requestSnapshot(open.database, 'test')).id
  const problem = { code: 'internal', message: 'for a test', phase: 'requested' }
  await prisma.lakeSnapshot.update({ where: { id: over }, data: { state: 'failed', endedAt: new Date(), problem } })
  const running = (await requestSnapshot(open.database, 'test')).id
  const keys = {
    over: partKey('players', over, 0, 0),
    unknown: partKey('players', newSnapshotId(new Date()), 0, 0),
    foreign: 'lake/v1/players/notes.txt',
    running: partKey('players', running, 0, 0),
    elsewhere: 'curated/v1/top/part.parquet',
  }
  for (const Key of Object.values(keys)) {
    await aws.s3.send(new CreateMultipartUploadCommand({ Bucket: open.lake.bucket.name, Key }))
  }
  const after = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS)
  expect((await recoverSnapshots(open.lake, { now: after(59) })).abortedUploads).toEqual([])
  expect(await pending()).toHaveLength(5)
  const { abortedUploads } = await recoverSnapshots(open.lake, { now: after(61) })
  expect([...abortedUploads].sort()).toEqual([keys.foreign, keys.over, keys.unknown].sort())
  expect(await pending()).toEqual([keys.elsewhere, keys.running].sort())
})
