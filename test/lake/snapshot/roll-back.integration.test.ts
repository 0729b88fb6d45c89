import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { type Manifest, parseManifest } from '../../../src/lake/manifest.ts'
import { partKey } from '../../../src/lake/object-keys.ts'
import { faultTap } from '../../../src/lake/snapshot/faults.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { recorder } from './death.ts'
import { seedAccounts } from './seed.ts'
import { SITUATIONS } from './situations.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const NOTHING = { files: [], uploads: [], manifests: [], current: false }

let database: TestDatabase
let aws: TestAws
let place: LakePlace
let remove: () => Promise<void>
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 50)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  const fresh = await newPlace(aws, database.url)
  remove = fresh.remove
  place = { ...fresh, tables: ['players', 'games'] }
  open = openLake(place)
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await remove()
})

const newest = async () => (await listSnapshots(open.database, { limit: 1 }))[0]

async function manifest(): Promise<Manifest> {
  return parseManifest((await manifestOf(open.database, (await newest())?.id ?? '')) ?? '')
}

const told = new LakeProblem('cancelled', 'The run was told to stop')

test('a removal that fails half way is still decided, and its reason is kept', async () => {
  await SITUATIONS['recovery of a prepared snapshot']?.before(place)
  const failing = openLake(place, { preparedTtlMs: 0 }, faultTap('before-AbortMultipartUpload#*:fail'))
  const { snapshots } = await recoverSnapshots(failing.lake)
  await failing.close()
  expect(snapshots).toMatchObject([{ from: 'prepared', to: 'prepared', problem: 'storage_failed' }])
  const { problem } = await open.database.prisma.lakeSnapshot.findFirstOrThrow()
  expect(problem).toMatchObject({ code: 'prepared_expired', rollingBack: true })
  // By its age alone this one could still be published.
  expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ to: 'failed', problem: 'prepared_expired' }])
  expect(await contents(open.lake)).toEqual(NOTHING)
})

test('what a crawl in the middle of a commit has registered goes when the commit is rolled back, and later as well', async () => {
  await SITUATIONS['recovery of a commit whose upload is gone']?.before(place)
  await open.publisher.register(await manifest())
  expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ to: 'failed', problem: 'rolled_back' }])
  expect(open.publisher.registered).toEqual([])
  expect(open.publisher.calls.slice(-2)).toEqual(['crawlerReady', `unregister ${(await newest())?.id}`])
  const key = partKey('players', (await newest())?.id ?? '', 0, 0)
  await open.lake.bucket.putText(key, 'late', '*')
  await open.publisher.register(await manifest())
  expect((await recoverSnapshots(open.lake)).removedObjects).toEqual([key])
  expect(open.publisher.registered).toEqual([])
})

test('a run that is told to stop while it waits for the crawler leaves nothing', async () => {
  const leave = new AbortController()
  open.publisher.beforeNext('crawlerReady', async () => leave.abort(told))
  await expect(runSnapshot(open.lake, { signal: leave.signal })).rejects.toBe(told)
  expect(await newest()).toMatchObject({ state: 'failed', problem: { code: 'cancelled', phase: 'prepared' } })
  expect(await contents(open.lake)).toEqual(NOTHING)
})

test('a run that is told to stop in the middle of its commit leaves nothing, one that has committed is published by recovery', async () => {
  const leave = new AbortController()
  const tap = recorder()
  const stopped = openLake(place, {}, { ...tap, during: (name) => name.startsWith('Complete') && leave.abort(told) })
  await expect(runSnapshot(stopped.lake, { signal: leave.signal })).rejects.toBe(told)
  await stopped.close()
  expect(tap.met).toContain('after-CompleteMultipartUpload')
  expect(await newest()).toMatchObject({ state: 'failed', problem: { code: 'cancelled', phase: 'committing' } })
  expect((await contents(open.lake)).files).toEqual([])

  const later = new AbortController()
  open.publisher.beforeNext('register', async () => later.abort(told))
  open.publisher.beforeNext('publishViews', async () => later.signal.throwIfAborted())
  await expect(runSnapshot(open.lake, { signal: later.signal })).rejects.toBe(told)
  expect(await newest()).toMatchObject({ state: 'committed', problem: { code: 'cancelled' } })
  expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ from: 'committed', to: 'published' }])
})

test('a run that is told to stop while it recovers another one leaves that to the next recovery, and asks for none of its own', async () => {
  await SITUATIONS['recovery of a prepared snapshot']?.before(place)
  const leave = new AbortController()
  open.publisher.beforeNext('crawlerReady', async () => leave.abort(told))
  await expect(runSnapshot(open.lake, { signal: leave.signal })).rejects.toBe(told)
  expect(await listSnapshots(open.database, { limit: 5 })).toMatchObject([{ state: 'prepared' }])
  expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ from: 'prepared', to: 'published' }])
  expect(await newest()).toMatchObject({ state: 'published', problem: null })
})
