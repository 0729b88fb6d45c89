import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemContext } from '../../../src/caller.ts'
import { LakeService } from '../../../src/lake/lake-service.ts'
import type { LakeStarter } from '../../../src/lake/lake-starter.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { partitionPrefix, retiredKey } from '../../../src/lake/object-keys.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { manifestOf, readSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type S3Proxy, startS3Proxy } from './s3-proxy.ts'
import {
  contents,
  FEW_TABLES,
  forgetSnapshots,
  type LakePlace,
  newPlace,
  type OpenLake,
  openLake,
} from './test-lake.ts'

const HOUR_MS = 3_600_000

let database: TestDatabase
let aws: TestAws
let proxy: S3Proxy
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  place = { ...(await newPlace(aws, database.url)), tables: FEW_TABLES }
  proxy = await startS3Proxy(aws.endpoint)
  open = openLake({ ...place, endpoint: proxy.endpoint })
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await proxy.close()
  await place.remove()
})

const later = (ms: number) => new Date(Date.now() + ms)
const state = async (id: string) => (await readSnapshot(open.database, id)).state

/** Two snapshots of one day, three days ago as retention sees it: the first one may go. */
async function twoOldSnapshots() {
  const first = await runSnapshot(open.lake)
  const second = await runSnapshot(open.lake)
  return { first: first.id, second: second.id, now: later(72 * HOUR_MS) }
}

test('a snapshot leaves views and catalogue first, its objects an hour later', async () => {
  const { first, now, second } = await twoOldSnapshots()
  const before = await contents(open.lake)
  expect(await retainSnapshots(open.lake, { dryRun: true, now })).toMatchObject({ retiring: [first] })
  expect(await state(first)).toBe('published')

  expect(await retainSnapshots(open.lake, { now })).toMatchObject({ retiring: [first], waiting: [first], retired: [] })
  expect(open.publisher.views).toEqual([second])
  expect(open.publisher.registered).toEqual([second])
  expect((await contents(open.lake)).files).toEqual(before.files)
  expect(await state(first)).toBe('retiring')
  expect((await verifySnapshots(open.lake)).findings).toEqual([])

  const soon = await retainSnapshots(open.lake, { now: later(HOUR_MS / 2) })
  expect(soon).toMatchObject({ retiring: [], waiting: [first], retired: [] })
  expect((await contents(open.lake)).files).toEqual(before.files)

  const report = await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })
  expect(report).toEqual({ retiring: [], waiting: [], retired: [first], leftover: [] })
  const after = await contents(open.lake)
  expect(after.files).toEqual(before.files.filter((key) => !key.includes(first)))
  expect(after.manifests).toHaveLength(1)
  expect((await open.lake.bucket.getText(retiredKey(first)))?.text).toContain(first)
  expect(await state(first)).toBe('retired')
  expect((await verifySnapshots(open.lake, { all: true })).findings).toEqual([])
})

test('a held snapshot stays until the hold ends', async () => {
  const { first, now } = await twoOldSnapshots()
  const hold = {
    id: randomUUID(),
    snapshotId: first,
    holder: 'job',
    reason: 'reads it',
    expiresAt: later(80 * HOUR_MS),
  }
  await open.database.prisma.lakeHold.create({ data: hold })
  expect((await retainSnapshots(open.lake, { now })).retiring).toEqual([])
  expect((await retainSnapshots(open.lake, { now: later(90 * HOUR_MS) })).retiring).toEqual([first])
})

test('a hold that comes while retention chooses keeps its snapshot, or is refused', async () => {
  const { first, now } = await twoOldSnapshots()
  const service = new LakeService({
    database: open.database,
    starter: {} as LakeStarter,
    verify: () => Promise.reject(new Error('not asked')),
  })
  const context = systemContext('test', 'request')
  const hold = (holder: string) =>
    service.holds.add(first, { holder, reason: 'reads it', expiresAt: later(80 * HOUR_MS) }, context).then(
      () => true,
      () => false,
    )
  // After the holds were looked up, and again while the views move.
  proxy.decide = async ({ url }) => {
    if (url?.includes('CURRENT.json')) await hold('early')
    return 'pass' as const
  }
  open.publisher.beforeNext('publishViews', async () => {
    await hold('late')
  })
  expect(await retainSnapshots(open.lake, { now: later(72 * HOUR_MS) })).toMatchObject({ retiring: [], waiting: [] })
  expect(await state(first)).toBe('published')
  expect(open.publisher.registered).toContain(first)

  await open.database.prisma.lakeHold.deleteMany()
  proxy.decide = () => 'pass'
  let late = true
  open.publisher.beforeNext('publishViews', async () => {
    late = await hold('late')
  })
  expect((await retainSnapshots(open.lake, { now })).retiring).toEqual([first])
  expect(late).toBe(false)
})

test('interrupted before the views have moved, the next call moves them before the partitions go', async () => {
  const { first, now, second } = await twoOldSnapshots()
  open.publisher.beforeNext('publishViews', () => Promise.reject(new Error('Athena is away')))
  await expect(retainSnapshots(open.lake, { now })).rejects.toThrow('Athena is away')
  expect(open.publisher.registered).toContain(first)
  expect(open.publisher.views).toEqual([first, second])
  open.publisher.beforeNext('unregister', async () => expect(open.publisher.views).toEqual([second]))
  expect((await retainSnapshots(open.lake, { now })).waiting).toEqual([first])
})

test('a retention that was taken for dead does not move the views back', async () => {
  const { now, second } = await twoOldSnapshots()
  let third = ''
  proxy.decide = async ({ url }) => {
    if (third === '' && url?.includes('CURRENT.json')) {
      third = 'begun'
      const taker = openLake(place)
      await open.database.prisma.$executeRaw`UPDATE lake_lease SET expires_at = 'epoch'`
      third = (await runSnapshot(taker.lake)).id
      await taker.close()
    }
    return 'pass' as const
  }
  await expect(retainSnapshots(open.lake, { now })).rejects.toMatchObject({ code: 'fenced' })
  expect(open.publisher.views).toContain(second)
  expect(open.publisher.views.at(-1)).toBe(third)
})

test('retention waits for a short work on the lake', async () => {
  const { first, now } = await twoOldSnapshots()
  const recovery = await Lease.take(open.database, open.lake.settings.leaseTtlMs)
  const retained = retainSnapshots(open.lake, { now })
  await Promise.race([retained, setImmediate()])
  await recovery.release()
  expect((await retained).retiring).toEqual([first])
})

test('interrupted between views and partitions, the next call goes on and the grace time begins then', async () => {
  const { first, now } = await twoOldSnapshots()
  open.publisher.beforeNext('unregister', () => Promise.reject(new Error('Glue is away')))
  await expect(retainSnapshots(open.lake, { now })).rejects.toThrow('Glue is away')
  expect(await state(first)).toBe('retiring')
  expect(open.publisher.registered).toContain(first)

  // Long after: no partition without objects, so the objects stay another hour.
  const report = await retainSnapshots(open.lake, { now })
  expect(report).toMatchObject({ waiting: [first], retired: [] })
  expect(open.publisher.registered).not.toContain(first)
  expect((await contents(open.lake)).files.some((key) => key.includes(first))).toBe(true)
})

test('interrupted after half of the objects, the next call deletes the rest', async () => {
  const { first, now, second } = await twoOldSnapshots()
  await retainSnapshots(open.lake, { now })
  // Some are deleted already, as by a call that died; the next one may not even delete at first.
  const [gone] = (await contents(open.lake)).files.filter((key) => key.includes(first))
  await open.lake.bucket.delete([gone ?? ''])
  proxy.decide = ({ method, url }) => (method === 'POST' && url?.includes('delete') ? 'refuse' : 'pass')
  await expect(retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).rejects.toMatchObject({
    code: 'storage_denied',
  })
  expect(await state(first)).toBe('retiring')
  proxy.decide = () => 'pass'
  expect((await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).retired).toEqual([first])
  expect((await contents(open.lake)).files.every((key) => key.includes(second))).toBe(true)
})

test('what nobody knows under a retired snapshot is reported and not deleted', async () => {
  const { first, now } = await twoOldSnapshots()
  const stray = `${partitionPrefix('players', first)}notes.txt`
  await open.lake.bucket.putText(stray, 'mine', '*')
  await retainSnapshots(open.lake, { now })
  expect((await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).leftover).toEqual([stray])
  expect(await open.lake.bucket.head(stray)).toBeDefined()
})

test('somebody who starts the crawler while objects are deleted leaves no partition of what is gone', async () => {
  const { first, now } = await twoOldSnapshots()
  await retainSnapshots(open.lake, { now })
  const manifest = parseManifest((await manifestOf(open.database, first)) ?? '')
  let crawls = 0
  proxy.decide = async ({ method, url }) => {
    if (method === 'POST' && url?.includes('delete') && crawls++ === 0) await open.publisher.register(manifest)
    return 'pass' as const
  }
  expect((await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).retired).toEqual([first])
  expect(open.publisher.registered).not.toContain(first)
})

/** Two that have left the views already, and the one that stays. */
async function twoRetiring() {
  const first = await runSnapshot(open.lake)
  const second = await runSnapshot(open.lake)
  await runSnapshot(open.lake)
  await retainSnapshots(open.lake, { now: later(72 * HOUR_MS) })
  return [first.id, second.id] as const
}

test('a snapshot whose objects cannot be deleted keeps no other one', async () => {
  const [first, second] = await twoRetiring()
  let deletions = 0
  proxy.decide = ({ method, url }) =>
    method === 'POST' && url?.includes('delete') && ++deletions === 1 ? 'refuse' : 'pass'
  const call = retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })
  await expect(call).rejects.toMatchObject({ code: 'storage_denied' })
  expect([await state(first), await state(second)]).toEqual(['retiring', 'retired'])
})

test('while views cannot be moved, objects whose time is over go nevertheless', async () => {
  const [first, second] = await twoRetiring()
  const third = (await runSnapshot(open.lake)).id
  open.publisher.beforeNext('publishViews', () => Promise.reject(new Error('Athena is away')))
  await expect(retainSnapshots(open.lake, { now: later(72 * HOUR_MS) })).rejects.toThrow('Athena is away')
  expect([await state(first), await state(second), await state(third)]).toEqual(['retired', 'retired', 'published'])
})

test('retention waits for as long as a snapshot may take', async () => {
  const { first, now } = await twoOldSnapshots()
  const leaseTtlMs = 500
  const runner = await Lease.take(open.database, 60_000)
  const impatient = openLake({ ...place, endpoint: proxy.endpoint }, { leaseTtlMs })
  try {
    const retained = retainSnapshots(impatient.lake, { now })
    // longer than others wait for a lease
    expect(await Promise.race([retained, sleep(3 * leaseTtlMs, 'waiting')])).toBe('waiting')
    await runner.release()
    expect((await retained).retiring).toEqual([first])
  } finally {
    await impatient.close()
  }
})

/** Its runner died when the views had moved and the pointer had not. */
async function movedAndLeft(): Promise<string> {
  proxy.decide = ({ method, url }) => (method === 'PUT' && url?.includes('CURRENT.json') ? 'refuse' : 'pass')
  await expect(runSnapshot(open.lake)).rejects.toMatchObject({ code: 'storage_denied' })
  proxy.decide = () => 'pass'
  const id = open.publisher.views.at(-1) ?? ''
  expect(await state(id)).toBe('committed')
  return id
}

test('views that a dead runner has moved are not moved back: its snapshot is published first', async () => {
  const { first, now, second } = await twoOldSnapshots()
  const third = await movedAndLeft()
  open.publisher.beforeNext('unregister', async () => expect(open.publisher.views).toEqual([third]))
  expect((await retainSnapshots(open.lake, { now })).retiring).toEqual([first, second])
  expect([await state(third), open.publisher.views.at(-1)]).toEqual(['published', third])
})

test('while a committed snapshot cannot be published, no view moves; objects whose time is over go', async () => {
  const { first, now } = await twoOldSnapshots()
  await retainSnapshots(open.lake, { now })
  const third = await movedAndLeft()
  const views = open.publisher.views
  open.publisher.beforeNext('register', () => Promise.reject(new Error('Glue is away')))
  const report = await retainSnapshots(open.lake, { now: later(72 * HOUR_MS) })
  expect(report).toMatchObject({ retiring: [], retired: [first] })
  expect([open.publisher.views, await state(third)]).toEqual([views, 'committed'])
})
