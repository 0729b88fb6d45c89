import { spawn } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { LAKE_PREFIX, manifestKey } from '../../../src/lake/object-keys.ts'
import type { FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { seedAccounts } from './seed.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

let database: TestDatabase
let aws: TestAws

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 5_000)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

/** Runs a snapshot in a child that kills itself at `point`. @returns the signal that ended it. */
function runKilledAt(place: LakePlace, point: FaultPoint): Promise<NodeJS.Signals | null> {
  const script = path.join(import.meta.dirname, 'runner-process.ts')
  const settings = JSON.stringify({ fault: `${point}:kill` })
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, JSON.stringify(place), settings], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', (_, signal) => resolve(signal))
  })
}

/** Lists and reads final keys until told to stop; whatever is seen must belong to a snapshot at its commit or after it. */
function watchKeys({ lake }: OpenLake) {
  const seen: { keys: string[]; state: string }[] = []
  let stopped = false
  const watching = (async () => {
    for (let last = false; !last; ) {
      // The one that begins after the end was asked for is the last: what is visible then is seen in any case.
      last = stopped
      const keys: string[] = []
      for await (const object of lake.bucket.objects(LAKE_PREFIX)) keys.push(object.key)
      // Read after the listing: states only go forward, so this is the earliest that can be blamed.
      const [snapshot] = await listSnapshots(lake.database, { limit: 1 })
      if (keys.length > 0) seen.push({ keys, state: snapshot?.state ?? 'none' })
      await sleep(10)
    }
  })()
  return {
    async stop() {
      stopped = true
      await watching
      return seen
    },
  }
}

/** The steps up to `prepared` leave nothing; from there on recovery publishes what was uploaded. */
const OUTCOME: Partial<Record<FaultPoint, 'failed' | 'published'>> = {
  'after-CreateMultipartUpload': 'failed',
  'during-UploadPart': 'failed',
  'before-control-prepared': 'failed',
  'after-control-prepared': 'published',
  'before-CompleteMultipartUpload': 'published',
  'after-CompleteMultipartUpload': 'published',
  'before-PutObject-manifest': 'published',
  'after-PutObject-manifest': 'published',
}

describe('a snapshot whose process is killed', () => {
  test.each(Object.keys(OUTCOME) as FaultPoint[])(
    'at %s is there once after recovery, or not at all',
    async (point) => {
      const place = await newPlace(aws, database.url)
      const open = openLake(place)
      try {
        await forgetSnapshots(open.database)
        const watch = watchKeys(open)
        expect(await runKilledAt(place, point)).toBe('SIGKILL')
        const refused = await requestSnapshot(open.database, 'test').catch((error: unknown) => error)
        expect(refused).toMatchObject({ code: 'snapshot-running', extra: { abandoned: true } })
        const [recovery] = (await recoverSnapshots(open.lake)).snapshots
        const seen = await watch.stop()
        expect(recovery?.to).toBe(OUTCOME[point])
        await expectWholeOrNothing(open)
        expect(seen.length > 0).toBe(OUTCOME[point] === 'published')
        for (const { state } of seen) expect(['committing', 'committed', 'published']).toContain(state)
        // A second recovery finds nothing to do.
        expect((await recoverSnapshots(open.lake)).snapshots).toEqual([])
      } finally {
        await open.close()
        await place.remove()
      }
    },
  )
})

test('a prepared snapshot that nobody finished in time is removed', async () => {
  const place = await newPlace(aws, database.url)
  const open = openLake(place, { preparedTtlMs: 0 })
  try {
    await forgetSnapshots(open.database)
    expect(await runKilledAt(place, 'after-control-prepared')).toBe('SIGKILL')
    expect((await contents(open.lake)).uploads).toHaveLength(9)
    const { snapshots } = await recoverSnapshots(open.lake)
    expect(snapshots).toMatchObject([{ from: 'prepared', to: 'failed', problem: 'prepared_expired' }])
    expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  } finally {
    await open.close()
    await place.remove()
  }
})

test('a runner recovers what a dead one left, then takes its own snapshot', async () => {
  const place = await newPlace(aws, database.url)
  const open = openLake(place)
  try {
    await forgetSnapshots(open.database)
    expect(await runKilledAt(place, 'before-PutObject-manifest')).toBe('SIGKILL')
    const { id } = await runSnapshot(open.lake)
    const [second, first] = await listSnapshots(open.database, { limit: 5 })
    expect([first?.state, second?.state, second?.id]).toEqual(['published', 'published', id])
    expect(open.publisher.views).toEqual([first?.id, id])
  } finally {
    await open.close()
    await place.remove()
  }
})

async function expectWholeOrNothing({ lake, publisher }: OpenLake): Promise<void> {
  const [snapshot, ...others] = await listSnapshots(lake.database, { limit: 10 })
  expect(others).toEqual([])
  const found = await contents(lake)
  expect(found.uploads).toEqual([])
  if (snapshot?.state === 'failed') {
    expect(found).toEqual({ files: [], uploads: [], manifests: [], current: false })
    expect(publisher.registered).toEqual([])
    expect(publisher.views).toEqual([])
    expect(snapshot.problem?.code).toBe('abandoned')
    return
  }
  const id = snapshot?.id ?? ''
  const manifest = parseManifest((await lake.bucket.getText(manifestKey(id)))?.text ?? '')
  expect(found.files).toEqual(manifest.tables.flatMap((table) => table.files.map((file) => file.key)).sort())
  expect(found.manifests).toEqual([manifestKey(id)])
  expect(manifest.tables.find((table) => table.name === 'players')?.rows).toBe(5_000)
  expect(publisher.registered).toEqual([id])
  expect(publisher.views).toEqual([id])
  const report = await verifySnapshots(lake)
  expect(report.findings).toEqual([])
  expect(report.rows).toBe(manifest.totals.rows)
}
