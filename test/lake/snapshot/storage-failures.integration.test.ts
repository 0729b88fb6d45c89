import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, snapshotDate } from '../../../src/lake/object-keys.ts'
import type { SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { LakeBucket } from '../../../src/lake/storage/lake-bucket.ts'
import { crc32Base64, PART_LIMIT } from '../../../src/lake/storage/multipart-sink.ts'
import { s3Client } from '../../../src/lake/storage/s3-client.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt } from './death.ts'
import { tableRows } from './file-rows.ts'
import { faultRate, operationOf, type S3Proxy, startS3Proxy, type Verdict } from './s3-proxy.ts'
import { seedAccounts, seedNoise } from './seed.ts'
import { expireLease } from './situations.ts'
import {
  contents,
  FEW_TABLES,
  forgetSnapshots,
  type LakePlace,
  newPlace,
  type OpenLake,
  openLake,
} from './test-lake.ts'

const PLAYERS = 2_000
const MIB = 1024 * 1024
/** One of them of several parts. */
const TABLES = ['studios', ...FEW_TABLES]

let database: TestDatabase
let aws: TestAws
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake
let proxy: S3Proxy
let failing: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
  // One file of several parts.
  await seedNoise(database.url, 45_000)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  place = { ...(await newPlace(aws, database.url)), tables: TABLES }
  proxy = await startS3Proxy(aws.endpoint, { slowBytesPerSecond: 20 * MIB, slowStartMs: 5 })
  open = openLake(place)
  failing = through()
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await failing.close()
  await open.close()
  await proxy.close()
  await place.remove()
})

/** A lake behind the proxy, with parts as small as S3 takes. */
function through(settings: Partial<SnapshotSettings> = {}, where: LakePlace = place): OpenLake {
  return openLake({ ...where, endpoint: proxy.endpoint }, { partBytes: 5 * MIB, rowGroupRows: 8_192, ...settings })
}

const isPart = ({ method, url = '' }: IncomingMessage) => method === 'PUT' && url.includes('partNumber=')
const isFile = ({ url = '' }: IncomingMessage) => url.includes('/lake/v1/')

async function problemOf(run: Promise<unknown>): Promise<LakeProblem> {
  return run.then(
    () => Promise.reject(new Error('It did not fail')),
    (reason: LakeProblem) => reason,
  )
}

async function expectNothingLeft(code: string): Promise<void> {
  const [snapshot] = await listSnapshots(open.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code } })
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  expect(open.publisher.views).toEqual([])
}

async function expectWhole(id: string, lake = open.lake): Promise<void> {
  // The bytes are compared below; what they decode to is the proof's business.
  const { findings } = await verifySnapshots(lake, { deep: counted(0, 1) === 1 })
  expect(findings).toEqual([])
  const { tables } = parseManifest((await manifestOf(open.database, id)) ?? '')
  for (const { files } of tables) {
    for (const { bytes, key, sha256 } of files) {
      const stored = await open.lake.bucket.range(key, 0, bytes)
      expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256)
    }
  }
  expect(tables.find(({ name }) => name === 'players')?.rows).toBe(PLAYERS)
  expect((await contents(open.lake)).uploads).toEqual([])
}

describe('lake 7: a run gets through', () => {
  test(
    'lake 7: 30 % of S3 calls answer 503, Create and Complete included: success, part bytes identical, nothing truncated',
    async () => {
      const until = Date.now() + counted(0, 120_000)
      let seed = 7
      do {
        const decide = faultRate(0.3, ['slow-down'], seed++)
        const refused = new Map<string, number>()
        const inARow = new Map<string, number>()
        proxy.decide = (request) => {
          const kind = `${request.method} ${/uploads/.test(request.url ?? '') ? 'create' : isPart(request) ? 'part' : 'other'}`
          // The first of each kind in any case: a run has few of some.
          const call = `${request.method} ${request.url}`
          const row = inARow.get(call) ?? 0
          // By chance alone one of many calls would meet more than it is tried.
          const verdict = row >= 4 ? 'pass' : refused.has(kind) ? decide(request) : 'slow-down'
          inARow.set(call, verdict === 'pass' ? 0 : row + 1)
          if (verdict !== 'pass') refused.set(kind, (refused.get(kind) ?? 0) + 1)
          return verdict
        }
        const { id } = await runSnapshot(failing.lake)
        expect([...refused.keys()]).toEqual(expect.arrayContaining(['POST create', 'PUT part', 'POST other']))
        await expectWhole(id)
      } while (Date.now() < until)
    },
    counted(60_000, 600_000),
  )

  test(
    'lake 7: connections that break before, in the middle of and after a request, lost answers and slow bytes',
    async () => {
      const verdicts: Verdict[] = ['reset', 'lost-answer', 'cut-answer', 'internal-error', 'slow']
      // All tables: so many requests that each of these happens to one.
      const all = through({}, { ...place, tables: undefined })
      try {
        for (let seed = 1; seed <= counted(1, 10); seed++) {
          proxy.decide = faultRate(0.25, verdicts, seed)
          const { id } = await runSnapshot(all.lake)
          proxy.decide = () => 'pass'
          await expectWhole(id, all.lake)
        }
      } finally {
        await all.close()
      }
      expect(verdicts.filter((verdict) => proxy.verdicts[verdict] === 0)).toEqual([])
    },
    counted(60_000, 600_000),
  )

  test('lake 7: a request that is never answered does not hold a run up for ever', async () => {
    const client = s3Client({ region: place.region, endpoint: proxy.endpoint, silenceMs: 1_000 })
    client.config.credentials = async () => place.credentials
    const bucket = new LakeBucket({
      client,
      bucket: place.bucket,
      retries: { tries: 6, baseMs: 1, capMs: 5, totalMs: 20_000 },
    })
    const kinds = new Set<string>()
    // The first call of each kind: create, part, complete, head, get, manifest, pointer.
    proxy.decide = (request) => {
      const kind = `${operationOf(request)} ${isFile(request)}`
      if (kinds.has(kind) || kinds.size >= counted(4, 99)) return 'pass'
      kinds.add(kind)
      return 'time-out'
    }
    try {
      const { id } = await runSnapshot({ ...failing.lake, bucket })
      expect(proxy.verdicts['time-out']).toBe(kinds.size)
      expect(kinds.size).toBeGreaterThan(3)
      await expectWhole(id)
    } finally {
      client.destroy()
    }
  })
})

describe('lake 8: a run fails by name', () => {
  test('lake 8: S3 fails for good in mid-upload: every upload aborted, no short file, views untouched', async () => {
    const parts = new Set<string>()
    proxy.decide = (request) => {
      if (!isPart(request)) return 'pass'
      parts.add(request.url ?? '')
      return parts.size > 3 ? 'internal-error' : 'pass'
    }
    expect(await problemOf(runSnapshot(failing.lake))).toMatchObject({
      code: 'storage_failed',
      facts: { operation: 'UploadPart', status: 500 },
    })
    expect(parts.size).toBeGreaterThan(3)
    await expectNothingLeft('storage_failed')
    expect((await listSnapshots(open.database, { limit: 1 }))[0]?.problem).toMatchObject({ phase: 'uploading' })
  })

  test('lake 8: S3 is away altogether: the run ends, and recovery removes what is left once S3 is back', async () => {
    let parts = 0
    proxy.decide = (request) => ((isPart(request) && ++parts > 2) || parts > 2 ? 'reset' : 'pass')
    expect((await problemOf(runSnapshot(failing.lake))).code).toBe('storage_failed')
    expect((await contents(open.lake)).uploads.length).toBeGreaterThan(0)
    const { snapshots } = await recoverSnapshots(open.lake)
    expect(snapshots).toMatchObject([{ to: 'failed', problem: 'storage_failed' }])
    await expectNothingLeft('storage_failed')
  })

  test('lake 8: a refusal is not repeated, and names the operation', async () => {
    proxy.decide = (request) => (isPart(request) ? 'refuse' : 'pass')
    expect(await problemOf(runSnapshot(failing.lake))).toMatchObject({
      code: 'storage_denied',
      facts: { operation: 'UploadPart', status: 403, awsCode: 'AccessDenied' },
    })
    await expectNothingLeft('storage_denied')
  })
})

describe('lake 9: a bit that flips', () => {
  test('lake 9: in one part on its way is refused by S3 and the part is sent again', async () => {
    let flipped = 0
    proxy.decide = (request) =>
      isPart(request) && request.url?.includes('/studios/') && flipped++ === 1 ? 'flip' : 'pass'
    const { id } = await runSnapshot(failing.lake)
    expect(proxy.verdicts.flip).toBe(1)
    await expectWhole(id)
  })

  test('lake 9: in every copy of a part ends the run: no manifest, nothing left', async () => {
    proxy.decide = (request) => (isPart(request) && request.url?.includes('/studios/') ? 'flip' : 'pass')
    expect(await problemOf(runSnapshot(failing.lake))).toMatchObject({
      code: 'storage_failed',
      // On a machine that stands still for seconds the last of many tries may not have come as far as S3.
      facts: { operation: 'UploadPart', awsCode: expect.stringMatching(/^(BadDigest|TimeoutError)$/) },
    })
    expect(proxy.verdicts.flip).toBeGreaterThan(1)
    await expectNothingLeft('storage_failed')
  })

  test('lake 9: in the memory of whoever kept the parts: Complete is refused, no manifest', async () => {
    failing.publisher.beforeNext('crawlerReady', async () => {
      const upload = await open.database.prisma.lakeUpload.findFirstOrThrow({ where: { tableName: 'studios' } })
      const { key, uploadId } = upload
      // Another process sends part 1 again, with other bytes and their right checksum.
      const bytes = Buffer.alloc(5 * MIB, 1)
      await open.lake.bucket.multipart.sendPart(
        { key, uploadId },
        { number: 1, bytes, crc32: crc32Base64(crc32(bytes)) },
      )
    })
    expect((await problemOf(runSnapshot(failing.lake))).code).toBe('object_mismatch')
    await expectNothingLeft('object_mismatch')
  })

  test('lake 9: in a completed object is found before the manifest, and in an answer alone does not count', async () => {
    let seen = 0
    // The answer to the first reading of a footer is damaged on its way; the object is whole.
    proxy.decide = (request) => (request.method === 'GET' && isFile(request) && seen++ === 0 ? 'flip' : 'pass')
    await runSnapshot(failing.lake)
    expect(proxy.verdicts.flip).toBe(1)
    await forgetSnapshots(open.database)
    // Every reading of this footer: then it is the object.
    proxy.decide = (request) =>
      request.method === 'GET' && request.url?.includes('/players/') && isFile(request) ? 'flip' : 'pass'
    const before = await contents(open.lake)
    expect((await problemOf(runSnapshot(failing.lake))).code).toBe('object_mismatch')
    expect(await contents(open.lake)).toEqual(before)
  })
})

test('lake 10: parts so small that 10,000 would be needed: part_limit, never success with fewer rows', async () => {
  const tiny = through({ partBytes: 300 })
  // Ten thousand acknowledged parts are the proof's business; here all but the acknowledgement is real.
  const { multipart } = tiny.lake.bucket
  const send = multipart.sendPart.bind(multipart)
  multipart.sendPart = async (upload, { bytes, crc32, number }, signal) =>
    counted(0, 1) === 1
      ? send(upload, { bytes, crc32, number }, signal)
      : { number, crc32, etag: 'acknowledged', bytes: bytes.length }
  try {
    expect(await problemOf(runSnapshot(tiny.lake))).toMatchObject({
      code: 'part_limit',
      message: expect.stringMatching(new RegExp(`${PART_LIMIT} parts`)),
    })
    await expectNothingLeft('part_limit')
  } finally {
    await tiny.close()
  }
}, 600_000)

test('lake 11: rows deleted at the source after prepared, then a crash: recovery publishes the uploaded bytes, a new run has a new id', async () => {
  const own = await createTestDatabase()
  const client = new pg.Client(own.url)
  await client.connect()
  await seedAccounts(own.url, 500)
  const ownPlace = { ...place, databaseUrl: own.url }
  const dying = openLake(ownPlace, {}, deathAt('after-control-prepared'))
  const after = openLake(ownPlace)
  try {
    await runSnapshot(dying.lake).catch(() => undefined)
    await client.query('SET session_replication_role = replica')
    await client.query('DELETE FROM player_game; DELETE FROM player')
    await expireLease(after)
    const [left] = (await recoverSnapshots(after.lake)).snapshots
    expect(left).toMatchObject({ from: 'prepared', to: 'published' })
    expect(await tableRows(after.lake, left?.snapshotId ?? '', 'players')).toHaveLength(500)
    const { id } = await runSnapshot(after.lake)
    expect(id).not.toBe(left?.snapshotId)
    expect(await tableRows(after.lake, id, 'players')).toEqual([])
    expect(await tableRows(after.lake, left?.snapshotId ?? '', 'players')).toHaveLength(500)
  } finally {
    await client.end()
    await dying.close()
    await after.close()
    await own.drop()
  }
})

test('lake 12: two snapshots in one second, and the clock set back 1 h: distinct ids, no overwritten key, order right by sequence', async () => {
  const noon = new Date('2026-11-22T00:20:00Z').getTime()
  const few = openLake({ ...place, tables: FEW_TABLES })
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  try {
    const first = await runSnapshot(few.lake)
    vi.setSystemTime(noon)
    const second = await runSnapshot(few.lake)
    vi.setSystemTime(noon - 3_600_000)
    const third = await runSnapshot(few.lake)
    const ids = [first.id, second.id, third.id]
    expect(new Set(ids).size).toBe(3)
    expect(ids.map((id) => id.slice(0, 16))).toEqual(['20261122t002000z', '20261122t002000z', '20261121t232000z'])
    expect(snapshotDate(third.id)).toBe('2026-11-21')
    expect(first.sequence < second.sequence && second.sequence < third.sequence).toBe(true)
    // The last one is current, though its clock says that it is the oldest.
    expect((await open.lake.bucket.getText(CURRENT_KEY))?.text).toContain(third.id)
    expect(open.publisher.views).toEqual(ids)
    const manifests = await Promise.all(
      ids.map(async (id) => parseManifest((await manifestOf(open.database, id)) ?? '')),
    )
    const keys = manifests.flatMap(({ tables }) => tables.flatMap(({ files }) => files.map(({ key }) => key)))
    expect(new Set(keys).size).toBe(keys.length)
    expect((await verifySnapshots(few.lake, { all: true })).findings).toEqual([])
  } finally {
    vi.useRealTimers()
    await few.close()
  }
})
