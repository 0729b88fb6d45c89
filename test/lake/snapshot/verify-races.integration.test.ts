import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { ensureLake, lakeParts } from '../../../src/lake/lake-setup.ts'
import { newSnapshotId, partKey, retiredKey } from '../../../src/lake/object-keys.ts'
import type { Finding, Publisher } from '../../../src/lake/publication.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'
import { forgetSnapshots, type OpenLake, openLake } from './test-lake.ts'

/** A verification must not call wrong what somebody is just doing, nor overlook what lasts, nor go on for ever. */

const SOME = contracts.filter(({ name }) => ['games', 'players'].includes(name))
const DAY_MS = 86_400_000

let database: TestDatabase
let aws: TestAws
let open: OpenLake
let lake: Lake
let number = 0
let bucket: string

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 50)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  number += 1
  const place = testPlace(`races${number}`)
  bucket = place.bucket
  await ensureLake(place, aws, { owned: true }, SOME)
  const { credentials, dir, endpoint, region } = aws
  open = openLake(
    { databaseUrl: database.url, credentials, endpoint, region, bucket, publisherDir: dir },
    { retireGraceMs: 0 },
  )
  await forgetSnapshots(open.database)
  lake = { ...open.lake, contracts: SOME, publisher: lakeParts(place, aws, SOME).publisher }
})

afterEach(async () => {
  await open?.close()
})

const put = (Key: string) => aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))
const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code)

/** The lake's publisher with something that happens before each of its readings. */
function during(work: (reading: number) => Promise<readonly Finding[]>): Publisher {
  const real = lake.publisher
  let readings = 0
  return {
    crawlerReady: (...args) => real.crawlerReady(...args),
    register: (...args) => real.register(...args),
    publishViews: (...args) => real.publishViews(...args),
    unregister: (...args) => real.unregister(...args),
    plannedChanges: (...args) => real.plannedChanges(...args),
    findings: async (...args) => [...(await work(++readings)), ...(await real.findings(...args))],
  }
}

const failedRow = () =>
  open.database.prisma.lakeSnapshot.create({
    data: {
      ...{ id: newSnapshotId(new Date()), requestedBy: 'test', state: 'failed', endedAt: new Date() },
      problem: { code: 'cancelled', message: 'The snapshot was stopped before its commit' },
    },
  })

test('verify beside snapshots, recovery and retention that never pause finds nothing', async () => {
  await runSnapshot(lake)
  let working = true
  const work = async () => {
    for (let i = 0; i < counted(2, 20); i++) {
      await runSnapshot(lake)
      await recoverSnapshots(lake)
      const later = new Date(Date.now() + 30 * DAY_MS)
      await retainSnapshots(lake, { now: later })
      await retainSnapshots(lake, { now: later })
    }
  }
  const done = work().finally(() => {
    working = false
  })
  const found: Finding[] = []
  let verified = 0
  while (working) {
    found.push(...(await verifySnapshots(lake, { all: true, deep: verified % 2 === 1 })).findings)
    verified++
  }
  await done
  expect(found).toEqual([])
  expect(verified).toBeGreaterThan(1)
  const states = (await listSnapshots(lake.database, { limit: 50 })).map(({ state }) => state)
  expect(states[0]).toBe('published')
  expect(states.slice(1).every((state) => state === 'retired')).toBe(true)
  expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
})

test('what a snapshot left that came and failed between two readings is no finding', async () => {
  await runSnapshot(lake)
  const key = partKey('games', newSnapshotId(new Date()), 0, 0)
  await put(key)
  const publisher = during(async (reading) => {
    if (reading === 1) {
      await failedRow()
      await lake.bucket.delete([key])
    }
    return []
  })
  expect((await verifySnapshots({ ...lake, publisher }, { all: true })).findings).toEqual([])
})

test('a lake that never stands still is verified all the same: what lasts is found, and it ends', async () => {
  const { id } = await runSnapshot(lake)
  await put('lake/v1/games/notes.txt')
  let readings = 0
  const publisher = during(async (reading) => {
    readings = reading
    await failedRow()
    return [{ code: 'view_drift', message: 'a view that is just being moved', table: `view_${reading}` }]
  })
  expect(codes((await verifySnapshots({ ...lake, publisher }, { id })).findings)).toEqual(['stray_object'])
  expect(readings).toBeGreaterThan(1)
  expect(readings).toBeLessThan(10)
})

test('a snapshot that retention takes away while it is read has no verdict', async () => {
  const first = await runSnapshot(lake)
  const second = await runSnapshot(lake)
  const later = new Date(Date.now() + 30 * DAY_MS)
  let retired: Promise<unknown> | undefined
  const report = await verifySnapshots(lake, {
    all: true,
    progress: () => {
      retired ??= retainSnapshots(lake, { now: later }).then(() => retainSnapshots(lake, { now: later }))
    },
  })
  await retired
  expect(report.findings).toEqual([])
  expect([...report.snapshots, ...report.gone].sort()).toEqual([first.id, second.id].sort())
  const after = await verifySnapshots(lake, { all: true })
  expect(after).toMatchObject({ snapshots: [second.id], gone: [], findings: [] })

  // What is kept of a retired one is looked at as well.
  await lake.bucket.delete([retiredKey(first.id)])
  expect(codes((await verifySnapshots(lake)).findings)).toEqual(['retired_missing'])
  await put(retiredKey(first.id))
  expect(codes((await verifySnapshots(lake)).findings)).toEqual(['retired_mismatch'])
})

test('a verification that is told to stop stops', async () => {
  await runSnapshot(lake)
  const stop = new AbortController()
  const verifying = verifySnapshots(lake, { signal: stop.signal, progress: () => stop.abort(new Error('enough')) })
  await expect(verifying).rejects.toThrow('enough')
})
