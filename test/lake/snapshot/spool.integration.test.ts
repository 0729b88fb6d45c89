import { mkdir, mkdtemp, open, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { newSnapshotId } from '../../../src/lake/object-keys.ts'
import type { Lake, SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { Spool, SpoolFile } from '../../../src/lake/snapshot/spool.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { tableRows } from './file-rows.ts'
import { startS3Proxy, type Verdict } from './s3-proxy.ts'
import { seedAccounts } from './seed.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const PLAYERS = 8_000

let aws: TestAws
let database: TestDatabase
let place: LakePlace & { remove(): Promise<void> }
let dir: string

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  place = await newPlace(aws, database.url)
  dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-spool-'))
})

afterEach(async () => {
  await Promise.all([place.remove(), rm(dir, { recursive: true, force: true })])
})

/** Runs with a lake whose files pass through the folder. */
async function withSpool<T>(
  work: (lake: OpenLake) => Promise<T>,
  settings: Partial<SnapshotSettings> = {},
  endpoint = aws.endpoint,
): Promise<T> {
  const lake = openLake({ ...place, endpoint }, { spoolDir: dir, ...settings })
  try {
    await forgetSnapshots(lake.database)
    return await work(lake)
  } finally {
    await lake.close()
  }
}

test('files go to the spool first, for the owner alone to read, then to S3; the folder is empty afterwards', async () => {
  const proxy = await startS3Proxy(aws.endpoint)
  const seen = new Map<string, { mode: number; bytes: number }>()
  let folderMode = 0
  proxy.decide = async ({ method, url = '' }): Promise<Verdict> => {
    if (method !== 'PUT' || !url.includes('partNumber')) return 'pass'
    for (const folder of await readdir(dir)) {
      folderMode = (await stat(path.join(dir, folder))).mode & 0o777
      for (const name of await readdir(path.join(dir, folder))) {
        const { mode, size } = await stat(path.join(dir, folder, name))
        seen.set(name, { mode: mode & 0o777, bytes: size })
      }
    }
    return 'pass'
  }
  try {
    await withSpool(
      async ({ lake }) => {
        const { id } = await runSnapshot(lake)
        const players = await tableRows(lake, id, 'players')
        expect(new Set(players.map((row) => row.player_ref)).size).toBe(PLAYERS)
      },
      {},
      proxy.endpoint,
    )
  } finally {
    await proxy.close()
  }
  expect(seen.size).toBe(contracts.length)
  expect(new Set([...seen.values()].map(({ mode }) => mode))).toEqual(new Set([0o600]))
  expect(folderMode).toBe(0o700)
  expect(await readdir(dir)).toEqual([])
})

test('several readers share a spool', async () => {
  await withSpool(
    async ({ lake }) => {
      const { id } = await runSnapshot(lake)
      expect((await tableRows(lake, id, 'players')).length).toBe(PLAYERS)
    },
    { readers: 2, parallelTableBytes: 500_000, rowGroupRows: 1_024, fileTargetBytes: 20_000 },
  )
  expect(await readdir(dir)).toEqual([])
})

test('a run that fails leaves nothing in the spool', async () => {
  const proxy = await startS3Proxy(aws.endpoint)
  proxy.decide = ({ method, url }) => (method === 'PUT' && url?.includes('partNumber') ? 'refuse' : 'pass')
  try {
    await withSpool(
      async ({ database: control, lake }) => {
        await expect(runSnapshot(lake)).rejects.toMatchObject({ code: 'storage_denied' })
        expect((await listSnapshots(control, { limit: 1 }))[0]).toMatchObject({ state: 'failed' })
        expect(await contents(lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
      },
      {},
      proxy.endpoint,
    )
  } finally {
    await proxy.close()
  }
  expect(await readdir(dir)).toEqual([])
})

test.each([
  ['the next one starts', (lake: Lake) => runSnapshot(lake)],
  ['somebody recovers', (lake: Lake) => recoverSnapshots(lake)],
])('what a run that was killed left goes when %s; what belongs to others stays', async (_, next) => {
  const left = path.join(dir, `${place.bucket}.${newSnapshotId(new Date())}`)
  const others = [`another-lake.${newSnapshotId(new Date())}`, 'notes.txt', `${place.bucket}.backup`]
  await mkdir(left)
  await writeFile(path.join(left, 'part'), 'half a file')
  for (const name of others) await writeFile(path.join(dir, name), '')
  await withSpool(({ lake }) => next(lake).then(() => undefined))
  expect((await readdir(dir)).sort()).toEqual([...others].sort())
})

test('a folder that is not there, is none or has no room is refused before the first row, by name', async () => {
  const options = { bucket: 'lake', snapshotId: newSnapshotId(new Date()), leastFreeBytes: 1 }
  await expect(Spool.open({ ...options, dir: path.join(dir, 'none') })).rejects.toMatchObject({
    code: 'spool_unusable',
  })
  const file = path.join(dir, 'file')
  await writeFile(file, '')
  await expect(Spool.open({ ...options, dir: file })).rejects.toMatchObject({ code: 'spool_unusable' })
  const { bavail, bsize } = await statfs(dir)
  const all = Spool.open({ ...options, dir, leastFreeBytes: bavail * bsize * 2 })
  await expect(all).rejects.toMatchObject({ code: 'spool_full' })
  await withSpool(
    async ({ database: control, lake }) => {
      await expect(runSnapshot(lake)).rejects.toMatchObject({ code: 'spool_unusable' })
      expect(await control.prisma.lakeUpload.count()).toBe(0)
    },
    { spoolDir: path.join(dir, 'none') },
  )
})

test('a disk that is full in mid-file is told by name, at once and at the end', async () => {
  // A device that answers every write as a full disk does.
  const file = new SpoolFile('/dev/full', await open('/dev/full', 'w'), (work) => work())
  file.write(Buffer.alloc(1_000))
  await expect(file.close()).rejects.toMatchObject({ code: 'spool_full', facts: { errno: 'ENOSPC' } })
  expect(() => file.write(Buffer.alloc(1))).toThrow(/full/)
  expect(file.busy).toBe(false)
})
