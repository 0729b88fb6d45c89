import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteObjectsCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { isFinished } from '../../../src/lake/athena/query-run.ts'
import { crawl } from '../../../src/lake/catalogue/crawl.ts'
import { partitionsIn } from '../../../src/lake/catalogue/partitions.ts'
import type { Manifest } from '../../../src/lake/manifest.ts'
import { LAKE_PREFIX, parsePartKey } from '../../../src/lake/object-keys.ts'
import type { Publisher } from '../../../src/lake/publication.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { counted } from '../../support/counts.ts'
import type { Verdict } from '../snapshot/s3-proxy.ts'
import { seedAccounts } from '../snapshot/seed.ts'
import { holdQuery } from './held-engine.ts'
import { addPlayers } from './moves.ts'
import { openWholeLake, type WholeLake } from './whole-lake.ts'

const PLAYERS = 500
/** Processes are started one after another; other tests may take the cores meanwhile. */
const TIME = { timeout: counted(180_000, 3_600_000) }
const QUERIES = counted(6, 1_000)
/** Between two queries. */
const PAUSE_MS = counted(100, 0)
/** All may go at once but the newest and those that are held. */
const GREEDY = { LAKE_KEEP_ALL: '0s', LAKE_DAILY_DAYS: '1' }
const retain = (retireGraceMs = 3_600_000) =>
  retainSnapshots(lake.inProcess({ keepAllMs: 0, dailyDays: 1, retireGraceMs }))

let lake: WholeLake

beforeAll(async () => {
  lake = await openWholeLake('retention', { env: GREEDY })
  await seedAccounts(lake.databaseUrl, PLAYERS)
})

afterAll(async () => {
  await lake?.close()
})

afterEach(() => {
  lake.proxy.decide = () => 'pass'
})

/** A snapshot with other rows than the one before. @returns its id. */
async function newSnapshot(publisher: Publisher = lake.parts.publisher): Promise<string> {
  await addPlayers(lake.databaseUrl, 10)
  return (await runSnapshot({ ...lake.inProcess(), publisher })).id
}

async function objectKeys(): Promise<string[]> {
  const keys: string[] = []
  let token: string | undefined
  do {
    const page: ListObjectsV2CommandOutput = await lake.aws.s3.send(
      new ListObjectsV2Command({ Bucket: lake.place.bucket, Prefix: LAKE_PREFIX, ContinuationToken: token }),
    )
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
    token = page.NextContinuationToken
  } while (token !== undefined)
  return keys
}

/** `<table> <snapshot>` of each partition, and of those that point where no object is. */
async function partitions() {
  const keys = await objectKeys()
  const all: string[] = []
  const empty: string[] = []
  for (const { name } of (await firstManifest()).tables) {
    for (const { StorageDescriptor, Values } of await partitionsIn(lake.aws.glue, lake.place.rawDatabase, name)) {
      const folder = `${StorageDescriptor?.Location ?? ''}`.replace(`s3://${lake.place.bucket}/`, '')
      all.push(`${name} ${Values?.[1]}`)
      if (!keys.some((key) => key.startsWith(folder))) empty.push(`${name} ${Values?.[1]}`)
    }
  }
  return { all, empty, of: (id: string) => all.filter((each) => each.endsWith(` ${id}`)).length }
}

async function firstManifest(): Promise<Manifest> {
  const [manifest] = (await lake.manifests('published', 'retiring', 'retired')).values()
  if (manifest === undefined) throw new Error('There is no snapshot yet')
  return manifest
}

const objectsOf = async (id: string) => (await objectKeys()).filter((key) => parsePartKey(key)?.snapshotId === id)
const state = async (id: string) => (await lake.database.prisma.lakeSnapshot.findUniqueOrThrow({ where: { id } })).state

async function hold(snapshotId: string): Promise<void> {
  const expiresAt = new Date(Date.now() + 3_600_000)
  await lake.database.prisma.lakeHold.create({
    data: { id: crypto.randomUUID(), snapshotId, holder: 'job', reason: 'reads it', expiresAt },
  })
}

/** Kills `rocketgames retention` when `when` says so of a request; what `first` does is done before that. */
async function killRetention(when: (target: string) => boolean, first: () => Promise<unknown>, env = {}) {
  const retention = lake.start(['retention'], env)
  lake.proxy.decide = async ({ headers, method, url = '' }): Promise<Verdict> => {
    if (!when(String(headers['x-amz-target'] ?? `${method} ${url}`))) return 'pass'
    await first()
    retention.child.kill('SIGKILL')
    return 'reset'
  }
  expect((await retention.ended).signal).toBe('SIGKILL')
  lake.proxy.decide = () => 'pass'
}

test(
  'lake 22: 1,000 queries on players_latest during publish and retention, a long query on the old snapshot: each answer all old or all new; the long query ends',
  TIME,
  async () => {
    await newSnapshot()
    const latest = `${lake.place.database}.players_latest`
    const shown: { id: string; rows: number }[] = []
    let working = true
    let silence = Promise.resolve()
    let asked: Promise<unknown> = Promise.resolve()
    const reading = (async () => {
      while (working || shown.length < QUERIES) {
        await silence
        const asking = lake.select(`SELECT snapshot_id, count(*) FROM ${latest} GROUP BY snapshot_id`)
        asked = asking.catch(() => undefined)
        const rows = await asking
        expect(rows).toHaveLength(1)
        shown.push({ id: String(rows[0]?.[0]), rows: Number(rows[0]?.[1]) })
        await sleep(PAUSE_MS)
      }
    })()
    const failed = reading.then(() => undefined)
    failed.catch(() => undefined)
    try {
      await longQueryOnOld(latest, (work) => {
        const alone = asked.then(work)
        silence = alone.catch(() => undefined)
        return alone
      })
      do {
        const before = (await lake.manifests('retiring')).keys()
        await newSnapshot()
        // its crawl has found the files of those that wait for the end of their grace time
        const { of } = await partitions()
        for (const id of before) expect(of(id)).toBe(0)
        await retain(30_000)
      } while (shown.length < QUERIES)
    } finally {
      working = false
    }
    await failed
    const manifests = await lake.manifests('published', 'retiring', 'retired')
    const players = (id: string) => manifests.get(id)?.tables.find(({ name }) => name === 'players')?.rows
    for (const { id, rows } of shown) expect(rows).toBe(players(id))
    const order = [...manifests.keys()]
    const path = shown.map(({ id }) => order.indexOf(id))
    expect(path).toEqual([...path].sort((a, b) => a - b))
    expect(new Set(path).size).toBeGreaterThan(1)
  },
)

/** The lake's publisher, which does something else first when it comes to the views. */
function beforeViews(work: () => Promise<void>): Publisher {
  const { publisher } = lake.parts
  return {
    crawlerReady: (...rest) => publisher.crawlerReady(...rest),
    register: (...rest) => publisher.register(...rest),
    unregister: (manifest) => publisher.unregister(manifest),
    findings: (...rest) => publisher.findings(...rest),
    plannedChanges: () => publisher.plannedChanges(),
    async publishViews(...rest) {
      await work()
      await publisher.publishViews(...rest)
    },
  }
}

/**
 * A query that began before the views moved and still runs when its snapshot has left them and the catalogue; made longer until it does.
 *
 * @param inSilence does it while nobody else asks.
 */
async function longQueryOnOld(latest: string, inSilence: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const { runner } = lake.parts
  for (let factor = 3; ; factor *= 4) {
    const old = [...(await lake.manifests('published'))].at(-1)
    const rows = old?.[1].tables.find(({ name }) => name === 'players')?.rows ?? 0
    let query = ''
    let goOn = () => {}
    const start = async () => {
      query = await runner.start(`
        SELECT snapshot_id, count(*), count(DISTINCT player_ref)
          FROM ${latest} CROSS JOIN UNNEST(sequence(1, 5000)) AS t (n) CROSS JOIN UNNEST(sequence(1, ${factor})) AS u (m)
         WHERE length(player_ref || CAST(n * m AS varchar)) > 0 GROUP BY snapshot_id`)
    }
    const hasEnded = async () => {
      const run = await runner.find(query)
      return run === undefined || isFinished(run)
    }
    let ended: boolean
    try {
      await newSnapshot(
        beforeViews(() =>
          inSilence(async () => {
            goOn = await holdQuery(lake.aws.pid, start, hasEnded)
          }),
        ),
      )
      await retain()
      ended = await hasEnded()
      expect((await partitions()).of(old?.[0] ?? '')).toBe(0)
    } finally {
      goOn()
    }
    const run = await runner.finished(query)
    expect(run.problem).toBeNull()
    expect((await runner.page(run, 10)).rows.map((row) => row.map(String))).toEqual([
      [old?.[0], rows * 5000 * factor, rows].map(String),
    ])
    if (!ended) return
  }
}

test(
  'lake 23: retention killed after half the partitions, then half the objects: the next call finishes; no partition without objects; held snapshots untouched',
  TIME,
  async () => {
    const held = [...(await lake.manifests('published')).keys()].at(-1) ?? (await newSnapshot())
    await hold(held)
    const old = await newSnapshot()
    await newSnapshot()
    const heldObjects = await objectsOf(held)
    const tables = (await partitions()).of(old)

    let calls = 0
    const halfOfThem = (target: string) => target.endsWith('.BatchDeletePartition') && ++calls > tables / 2
    await killRetention(halfOfThem, async () => undefined)
    expect(await state(old)).toBe('retiring')
    const half = await partitions()
    expect(half.of(old)).toBeGreaterThan(0)
    expect(half.of(old)).toBeLessThan(tables)
    expect(half.empty).toEqual([])

    // somebody starts the crawler in between, and it finds the files of the retiring one
    await crawl(lake.aws.glue, lake.place.crawler, { deadline: new Date(Date.now() + 60_000) })
    expect((await partitions()).of(old)).toBe(tables)
    await retain()
    expect((await partitions()).of(old)).toBe(0)
    expect(await objectsOf(old)).toHaveLength(tables)

    const deleteHalf = async () => {
      const Objects = (await objectsOf(old)).slice(0, Math.floor(tables / 2)).map((Key) => ({ Key }))
      await lake.aws.s3.send(new DeleteObjectsCommand({ Bucket: lake.place.bucket, Delete: { Objects } }))
    }
    // S3 has deleted half of what the call names when the process dies
    await killRetention((target) => /^POST .*[?&]delete\b/.test(target), deleteHalf, { LAKE_RETIRE_GRACE: '0s' })
    expect(await state(old)).toBe('retiring')
    expect((await objectsOf(old)).length).toBeLessThan(tables)
    expect((await partitions()).empty).toEqual([])

    expect((await retain(0)).retired).toContain(old)
    expect(await state(old)).toBe('retired')
    expect(await objectsOf(old)).toEqual([])
    const after = await partitions()
    expect([after.empty, after.of(old), after.of(held)]).toEqual([[], 0, tables])
    expect(await state(held)).toBe('published')
    expect(await objectsOf(held)).toEqual(heldObjects)
    expect((await verifySnapshots(lake.inProcess(), { all: true, deep: true })).findings).toEqual([])
  },
)
