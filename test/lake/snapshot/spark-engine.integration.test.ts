import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { unloadPlanKey, unloadReportKey } from '../../../src/lake/object-keys.ts'
import type { SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import type { Trouble } from './fake-spark.ts'
import { tableRows } from './file-rows.ts'
import { seedAccounts } from './seed.ts'
import { expireLease } from './situations.ts'
import {
  contents,
  forgetSnapshots,
  type LakePlace,
  newPlace,
  type OpenLake,
  openLake,
  TEST_SETTINGS,
  unloadKeys,
} from './test-lake.ts'

const PLAYERS = 600
const TABLES = ['players', 'studios', 'player_identities']
const NOTHING = { files: [], uploads: [], manifests: [], current: false }

let aws: TestAws
let database: TestDatabase
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake
let more: OpenLake[]

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  more = []
  place = { ...(await newPlace(aws, database.url)), tables: TABLES }
  open = spark()
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const each of more) await each.close()
  await place.remove()
})

function spark(settings: Partial<SnapshotSettings> = {}, where: LakePlace = place): OpenLake {
  const opened = openLake(where, { engine: 'spark', leaseTtlMs: 30_000, ...settings })
  more.push(opened)
  return opened
}

const trouble = (name: Trouble) => vi.stubEnv('FAKE_SPARK', name)

/** The processes that play a job of this test's bucket. */
function jobs(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      return line.includes('fake-spark.ts') && line.includes(place.bucket) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

async function expectNothing(code: string): Promise<void> {
  const [snapshot] = await listSnapshots(open.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code } })
  expect(await contents(open.lake)).toEqual(NOTHING)
  expect(await unloadKeys(open.lake)).toEqual([])
  await expect.poll(jobs, { timeout: 10_000 }).toEqual([])
}

describe('a snapshot by the Spark engine', () => {
  test('holds the rows that a snapshot by this process holds, in one file a range, and leaves nothing under unload/', async () => {
    const whole = { ...place, tables: undefined }
    const node = openLake(whole)
    more.push(node)
    const one = await runSnapshot(node.lake)
    const events: unknown[] = []
    const many = spark({ fileTargetBytes: 2_500 }, whole)
    const two = await runSnapshot(many.lake, { progress: (event) => events.push(event) })
    expect(two).toMatchObject({ state: 'published', totalRows: one.totalRows })
    expect(two.measurements?.partsSent).toBeGreaterThan(contracts.length)
    for (const { name } of contracts) {
      const lines = async (id: string) =>
        (await tableRows(many.lake, id, name))
          .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
          .sort()
      expect(await lines(two.id), name).toEqual(await lines(one.id))
    }
    const manifest = parseManifest((await manifestOf(many.database, two.id)) ?? '')
    const files = manifest.tables.find(({ name }) => name === 'players')?.files ?? []
    expect(files.length).toBeGreaterThan(2)
    expect(files.map(({ key }) => key.slice(-21))).toEqual(
      files.map((_, i) => `part-00-${String(i).padStart(5, '0')}.parquet`),
    )
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(PLAYERS)
    expect(events).toContainEqual({
      ...{ kind: 'table', table: 'players', done: true, rows: PLAYERS },
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    })
    expect(await unloadKeys(many.lake)).toEqual([])
    expect((await verifySnapshots(many.lake, { all: true, deep: true })).findings).toEqual([])
    const three = await runSnapshot(node.lake)
    const next = parseManifest((await manifestOf(node.database, three.id)) ?? '')
    expect(next).toMatchObject({ previous_snapshot_id: two.id, totals: { rows: manifest.totals.rows } })
  })

  test('tells the job everything but secrets', async () => {
    trouble('silent')
    let plan = ''
    const { bucket } = open.lake
    const watched: typeof open.lake = {
      ...open.lake,
      sparkJob: {
        ready: async () => undefined,
        endLeft: async () => undefined,
        run: async (order) => {
          plan = (await bucket.getText(unloadPlanKey(order.snapshotId)))?.text ?? ''
          expect(order.pseudonymKey).toEqual(open.lake.settings.pseudonymKey)
          expect(order.sourcePassword).toBe(decodeURIComponent(new URL(database.url).password))
        },
      },
    }
    await expect(runSnapshot(watched)).rejects.toMatchObject({ code: 'report_invalid', message: /without its report/ })
    const { jdbc, tables } = JSON.parse(plan)
    expect(tables.map(({ name }: { name: string }) => name).sort()).toEqual([...TABLES].sort())
    const { hostname, password, pathname, port } = new URL(database.url)
    expect(jdbc.url).toMatch(new RegExp(`^jdbc:postgresql://${hostname}:${port}${pathname}\\?ApplicationName=rocket`))
    expect(plan).not.toContain(TEST_SETTINGS.pseudonymKey.toString('hex'))
    expect(password === '' || !plan.includes(password)).toBe(true)
    await expectNothing('report_invalid')
  })
})

describe('a job that fails leaves nothing', () => {
  test.each<[Trouble, string, RegExp]>([
    ['fail', 'spark_failed', /^The Spark job ended with exit code 1: for a test$/],
    ['crash', 'spark_failed', /signal SIGKILL$/],
    ['problem', 'null_in_not_null', /^player.username of the row id=7 is NULL/],
    ['silent', 'report_invalid', /ended without its report/],
    ['miscount', 'count_mismatch', /Postgres sent \d+ rows, the files hold \d+/],
    ['corrupt', 'object_mismatch', /./],
  ])('%s: %s', async (name, code, message) => {
    trouble(name)
    await expect(runSnapshot(open.lake)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    await expectNothing(code)
  })

  test('a machine without Spark refuses before the database is asked for anything', async () => {
    const { LocalSparkJob } = await import('../../../src/local/spark/local-spark-job.ts')
    const command = async () => ({ missing: 'Java 17 is not installed' })
    const sparkJob = new LocalSparkJob({ command, region: 'us-east-1', endpoint: undefined })
    await expect(runSnapshot({ ...open.lake, sparkJob })).rejects.toMatchObject({
      code: 'spark_not_started',
      message: /Java 17 is not installed/,
    })
    await expectNothing('spark_not_started')
  })
})

/** A run whose job has read a table and holds its locks, for ever. */
async function reading(options: { signal?: AbortSignal } = {}): Promise<{ readonly run: Promise<unknown> }> {
  const read = Promise.withResolvers<void>()
  const run = runSnapshot(open.lake, {
    ...options,
    progress: (event) => {
      if (event.kind === 'table') read.resolve()
    },
  })
  // Awaited by whoever called; should it end before, that is told here.
  run.catch(read.reject)
  await read.promise
  return { run }
}

describe('a job that is under way', () => {
  test.each([
    ['the table', 'ALTER TABLE player ADD COLUMN passing integer; ALTER TABLE player DROP COLUMN passing'],
    // The transaction that holds the snapshot locks tables; an index is locked by whoever reads.
    [
      'what only the job has locked',
      `REINDEX INDEX ${contracts.find(({ name }) => TABLES.includes(name))?.table}_pkey`,
    ],
  ])('makes way within five seconds for somebody who wants %s', async (_, sql) => {
    trouble('hang')
    const { run } = await reading()
    const client = new pg.Client(database.url)
    await client.connect()
    try {
      const began = performance.now()
      await client.query(sql)
      expect(performance.now() - began).toBeLessThan(5_000)
    } finally {
      await client.end()
    }
    await expect(run).rejects.toMatchObject({ code: 'preempted_by_migration' })
    await expectNothing('preempted_by_migration')
  })

  test.each<Trouble>(['hang', 'deaf'])('ends with a run that is told to stop: %s', async (name) => {
    trouble(name)
    const leave = new AbortController()
    const { run } = await reading({ signal: leave.signal })
    leave.abort()
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    await expectNothing('cancelled')
  })

  test('ends when the snapshot reaches its greatest age', async () => {
    trouble('hang')
    const old = spark({ maxSnapshotAgeMs: 3_000 })
    await expect(runSnapshot(old.lake)).rejects.toMatchObject({ code: 'snapshot_expired' })
    await expectNothing('snapshot_expired')
  })

  test('ends when the connection that holds the snapshot breaks', async () => {
    trouble('hang')
    const { run } = await reading()
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'rocketgames-snapshot:%' AND query ~ 'pg_export_snapshot'`,
    )
    await client.end()
    await expect(run).rejects.toMatchObject({ code: 'connection_lost' })
    await expectNothing('connection_lost')
  })
})

/** A runner of its own, whose job hangs. */
async function runner(settings: Partial<SnapshotSettings> = {}): Promise<ChildProcess> {
  const script = path.join(import.meta.dirname, 'runner-process.ts')
  const child = spawn(
    process.execPath,
    [script, JSON.stringify(place), JSON.stringify({ engine: 'spark', ...settings })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, FAKE_SPARK: 'hang' },
    },
  )
  await expect.poll(jobs, { timeout: 30_000 }).toHaveLength(1)
  return child
}

describe('a runner that is gone', () => {
  test('takes its local job with it, and recovery removes what both left', async () => {
    const child = await runner()
    expect((await contents(open.lake)).uploads).toHaveLength(TABLES.length)
    expect(await unloadKeys(open.lake)).toHaveLength(1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect.poll(jobs, { timeout: 10_000 }).toEqual([])
    await expireLease(open)
    expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ to: 'failed', problem: 'abandoned' }])
    await expectNothing('abandoned')
    const { state } = await runSnapshot(open.lake)
    expect(state).toBe('published')
  })

  test('that slept through its lease neither commits nor spoils what its successor does', async () => {
    const child = await runner({ leaseTtlMs: 1_000 })
    process.kill(child.pid ?? 0, 'SIGSTOP')
    try {
      expect((await recoverSnapshots(open.lake)).snapshots).toMatchObject([{ to: 'failed', problem: 'abandoned' }])
      expect(await contents(open.lake)).toEqual(NOTHING)
      const { id, state } = await runSnapshot(open.lake)
      expect(state).toBe('published')
      let said = ''
      child.stdout?.on('data', (text) => {
        said += text
      })
      const ended = once(child, 'close')
      process.kill(child.pid ?? 0, 'SIGCONT')
      await ended
      expect(said).toMatch(/fenced|connection_lost/)
      expect(open.publisher.views).toEqual([id])
      expect((await verifySnapshots(open.lake, { all: true })).findings).toEqual([])
      expect(await unloadKeys(open.lake)).toEqual([])
    } finally {
      child.kill('SIGKILL')
    }
    await expect.poll(jobs, { timeout: 10_000 }).toEqual([])
  })

  test('and its job, whose report comes when everything is over: recovery sweeps it', async () => {
    trouble('fail')
    await expect(runSnapshot(open.lake)).rejects.toMatchObject({ code: 'spark_failed' })
    const [{ id } = { id: '' }] = await listSnapshots(open.database, { limit: 1 })
    await open.lake.bucket.putText(unloadReportKey(id), '{}', '*')
    expect((await recoverSnapshots(open.lake)).removedObjects).toEqual([unloadReportKey(id)])
    expect(await unloadKeys(open.lake)).toEqual([])
  })
})
