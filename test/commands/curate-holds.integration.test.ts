import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from '../../src/commands/composition.ts'
import { withCurateHolds } from '../../src/commands/curate-holds.ts'
import { LakeHolds } from '../../src/lake/lake-holds.ts'
import { runSnapshot } from '../../src/lake/snapshot/run.ts'
import { newPlace, openLake } from '../lake/snapshot/test-lake.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'

let database: TestDatabase
let aws: TestAws
let place: Awaited<ReturnType<typeof newPlace>>

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  place = await newPlace(aws, database.url)
})

afterAll(async () => {
  await place?.remove()
  await Promise.all([database?.drop(), aws?.stop()])
})

test('a curate job has holds on what it reads while it runs, and none afterwards, also when it fails', async () => {
  const open = openLake(place)
  const { lake } = open
  // What the holds need of a program; the rest of it is not asked for.
  const program = { database: lake.database, lake: () => ({ lake }) } as unknown as Program
  const holds = new LakeHolds(lake.database)
  const held = async () => (await holds.list({ limit: 100 })).map((each) => each.snapshotId).sort()
  try {
    const [first, second, third] = [await runSnapshot(lake), await runSnapshot(lake), await runSnapshot(lake)]
    const all = [first.id, second.id, third.id].sort()
    expect(await withCurateHolds(program, false, held)).toEqual(all)
    expect(await held()).toEqual([])

    const snapshots = [first, second].map(({ id }) => ({ snapshot_id: id }))
    await lake.bucket.putText('curated-meta/v1/r1.json', JSON.stringify({ run_id: 'r1', snapshots }), '*')
    await lake.bucket.putText('curated-meta/v1/CURRENT.json', JSON.stringify({ run_id: 'r1' }), '*')
    expect(await withCurateHolds(program, false, held)).toEqual([third.id])
    expect(await withCurateHolds(program, true, held)).toEqual(all)

    const failed = withCurateHolds(program, true, () => Promise.reject(new Error('the job failed')))
    await expect(failed).rejects.toThrow('the job failed')
    expect(await held()).toEqual([])
  } finally {
    await open.close()
  }
})
