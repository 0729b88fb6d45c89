import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { parseCurrent, parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, manifestKey, retiredKey } from '../../../src/lake/object-keys.ts'
import { settleRestored } from '../../../src/lake/snapshot/after-restore.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { readSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { seedAccounts } from './seed.ts'
import { forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const HOUR_MS = 3_600_000

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

const later = (ms: number) => new Date(Date.now() + ms)
const run = () => runSnapshot(open.lake)

/** The control tables as a restore to an instant before these snapshots leaves them. */
async function lose(ids: readonly string[], nextNumber: number): Promise<void> {
  await open.database.withClient(async (client) => {
    for (const table of ['lake_uploads', 'lake_snapshot_tables'])
      await client.query(`DELETE FROM ${table} WHERE snapshot_id = ANY($1)`, [ids])
    await client.query('DELETE FROM lake_snapshots WHERE id = ANY($1)', [ids])
    await client.query(`ALTER TABLE lake_snapshots ALTER COLUMN sequence RESTART WITH ${nextNumber}`)
  })
}

const codes = async () =>
  [...new Set((await verifySnapshots(open.lake, { all: true })).findings.map(({ code }) => code))].sort()

test('numbers that were given before the restore are not given again: views and pointer move to the next snapshot', async () => {
  const kept = await run()
  const lost = [await run(), await run()]
  await lose(
    lost.map(({ id }) => id),
    kept.sequence + 1,
  )
  expect(await codes()).toContain('pointer_mismatch')

  const next = await run()
  const former = lost[1]?.sequence ?? 0
  expect(next.sequence).toBeGreaterThan(former)
  expect(parseManifest((await open.lake.bucket.getText(manifestKey(next.id)))?.text ?? '').sequence).toBe(next.sequence)
  const pointer = parseCurrent((await open.lake.bucket.getText(CURRENT_KEY))?.text ?? '')
  expect(pointer).toMatchObject({ snapshot_id: next.id, sequence: next.sequence })
  expect(open.publisher.views).toEqual([kept.id, next.id])
  expect((await run()).sequence).toBe(next.sequence + 1)
})

test('what the restored database does not know is removed by retention, when it is told so and not before', async () => {
  const kept = await run()
  const lost = await run()
  await lose([lost.id], kept.sequence + 1)
  await expect(settleRestored(open.lake)).rejects.toThrow(/Take a snapshot/)
  const next = await run()
  expect(await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).toMatchObject({ retiring: [], retired: [] })
  expect(await codes()).toEqual(['extra_partition', 'stray_manifest', 'stray_object'])

  expect(await settleRestored(open.lake, { dryRun: true })).toEqual({ retiring: [lost.id], retired: [] })
  expect(await codes()).toEqual(['extra_partition', 'stray_manifest', 'stray_object'])
  expect(await settleRestored(open.lake)).toEqual({ retiring: [lost.id], retired: [] })
  expect(await settleRestored(open.lake)).toEqual({ retiring: [], retired: [] })
  expect(await retainSnapshots(open.lake)).toMatchObject({ waiting: [lost.id] })
  expect(open.publisher.registered.sort()).toEqual([kept.id, next.id].sort())
  expect(await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).toMatchObject({ retired: [lost.id] })
  expect(await codes()).toEqual([])
})

test('snapshots that retention has removed since are removed in the restored database, too', async () => {
  const old = await run()
  const alsoLost = await run()
  await run()
  await open.database.prisma.lakeSnapshot.updateMany({
    where: { id: { in: [old.id, alsoLost.id] } },
    data: { state: 'retiring' },
  })
  await retainSnapshots(open.lake)
  const done = await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })
  expect(done.retired).toEqual([old.id, alsoLost.id])
  // As it was when both were published, and before the second one was.
  await open.database.prisma.lakeSnapshot.update({
    where: { id: old.id },
    data: { state: 'published', retiringAt: null },
  })
  await lose([alsoLost.id], alsoLost.sequence + 10)
  await run()
  expect(await codes()).toEqual(expect.arrayContaining(['object_missing', 'manifest_missing', 'stray_manifest']))

  expect(await settleRestored(open.lake)).toEqual({ retiring: [old.id], retired: [alsoLost.id] })
  await retainSnapshots(open.lake)
  expect(await retainSnapshots(open.lake, { now: later(2 * HOUR_MS) })).toMatchObject({
    retired: [old.id],
    leftover: [],
  })
  expect(await codes()).toEqual([])
  expect(await open.lake.bucket.getText(retiredKey(old.id))).toBeDefined()
})

test.each([
  ['uploading', { manifest: null, manifestSha256: null, preparedAt: null }],
  ['prepared', { preparedAt: new Date(0) }],
  ['committing', {}],
] as const)(
  'a snapshot that was %s at the instant of the restore, and committed after it, is published again',
  async (state, row) => {
    const { id } = await run()
    await open.database.prisma.lakeSnapshot.update({
      where: { id },
      data: { state, committedAt: null, publishedAt: null, endedAt: null, ...row },
    })
    await open.database.withClient(async (client) => {
      await client.query(`UPDATE lake_uploads SET state = 'open'`)
      if (state === 'uploading') await client.query('DELETE FROM lake_snapshot_tables')
    })
    const { snapshots } = await recoverSnapshots(open.lake)
    expect(snapshots).toEqual([{ snapshotId: id, from: state, to: 'published', problem: undefined }])
    expect(await readSnapshot(open.database, id)).toMatchObject({ state: 'published', problem: null })
    expect(await codes()).toEqual([])
  },
)
