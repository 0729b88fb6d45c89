import { spawn } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseCurrent, parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, manifestKey } from '../../../src/lake/object-keys.ts'
import { FAULT_POINTS, type FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import type { SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt, recorder } from './death.ts'
import { seedAccounts } from './seed.ts'
import { expireLease, putRight, SITUATIONS, type Situation } from './situations.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'
import { WORKS } from './works.ts'

const PLAYERS = 300
/** All points in all shapes take many minutes. */
const LONG_MS = counted(120_000, 3_600_000)
/** Few tables, so that a death costs little: one with more than one file, one without a row. */
const TABLES = ['players', 'player_identities']
const MIB = 1024 * 1024

/** Shapes of data: the last two take their time, so they are for the proof. */
const SHAPES: Readonly<Record<string, { tables?: readonly string[]; settings: Partial<SnapshotSettings> }>> = {
  'one file a table': { tables: TABLES, settings: {} },
  'several files': { tables: TABLES, settings: { rowGroupRows: 64, fileTargetBytes: 4_000, partBytes: 5 * MIB } },
  'all tables': { settings: { codec: 'snappy' } },
}

/** Points of calls to Glue and Athena are the business of kill-catalogue.integration.test.ts, those of its jobs of kill-spark-job. */
const CATALOGUE =
  /-(GetDatabase|CreateDatabase|\w*Tables?|\w*Partitions?|\w*Crawler|\w*JobRuns?|\w*QueryExecutions?(-view|-query)?|GetQueryResults)$/
const POINTS = FAULT_POINTS.filter((point) => !CATALOGUE.test(point))

/** One database each: the lake has one lease. */
let lanes: TestDatabase[]
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  lanes = await Promise.all([createTestDatabase(), createTestDatabase()])
  for (const lane of lanes) await seedAccounts(lane.url, PLAYERS)
})

afterAll(async () => {
  await Promise.all([...(lanes ?? []).map((lane) => lane.drop()), aws?.stop()])
})

interface Death {
  readonly point: FaultPoint
  readonly situation: string
  readonly shape: string
  readonly outcome: readonly string[]
}

/** Runs a work in a child that kills itself at the point. */
function killed(place: LakePlace, { point, shape, situation }: Death): Promise<NodeJS.Signals | null> {
  const script = path.join(import.meta.dirname, 'runner-process.ts')
  const settings = JSON.stringify({ ...SHAPES[shape]?.settings, ...hurried(point), fault: `${point}:kill` })
  const work = SITUATIONS[situation]?.work ?? ''
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, JSON.stringify(place), settings, work], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.on('error', reject)
    child.on('exit', (_, signal) => resolve(signal))
  })
}

/** A heart that beats so often that it does so within any work. */
const hurried = (point: string) => (point.endsWith('-control-lease-extend') ? { leaseTtlMs: 400 } : {})

async function dieIn(lane: TestDatabase, death: Death, die: (place: LakePlace) => Promise<void>): Promise<void> {
  const fresh = await newPlace(aws, lane.url)
  const place: LakePlace = { ...fresh, tables: SHAPES[death.shape]?.tables }
  const open = openLake(place)
  try {
    await forgetSnapshots(open.database)
    const { before, work } = SITUATIONS[death.situation] as Situation
    await before(place)
    await die(place)
    await putRight(open, work)
    await expectSettled(open, death.outcome)
    expect((await recoverSnapshots(open.lake)).snapshots).toEqual([])
  } catch (error) {
    throw new Error(`${death.point} in ${death.situation} (${death.shape})`, { cause: error })
  } finally {
    await open.close()
    await fresh.remove()
  }
}

/** Everything is there once or not at all: rows, objects, uploads, manifests, partitions, views and the pointer agree. */
async function expectSettled({ lake, publisher }: OpenLake, outcome: readonly string[]): Promise<void> {
  const snapshots = (await listSnapshots(lake.database, { limit: 10 })).reverse()
  if (outcome[0] !== 'anything') expect(snapshots.map((snapshot) => snapshot.state)).toEqual(outcome)
  for (const { problem, state } of snapshots) {
    expect(problem?.code).toEqual(state === 'failed' ? expect.stringMatching(/^(abandoned|rolled_back)$/) : undefined)
    expect(problem?.rollingBack).toBeUndefined()
  }
  const published = snapshots.filter(({ state }) => state === 'published').map(({ id }) => id)
  const found = await contents(lake)
  expect(found).toMatchObject({ uploads: [], manifests: published.map(manifestKey) })
  expect(publisher.registered).toEqual(published)
  expect(publisher.views).toEqual(published)
  const files: string[] = []
  for (const id of published) {
    const { tables } = parseManifest((await lake.bucket.getText(manifestKey(id)))?.text ?? '')
    files.push(...tables.flatMap((table) => table.files.map((file) => file.key)))
    expect(tables.find(({ name }) => name === 'players')?.rows).toBe(PLAYERS)
  }
  expect(found.files).toEqual(files.sort())
  const current = await lake.bucket.getText(CURRENT_KEY)
  expect(current && parseCurrent(current.text).snapshot_id).toBe(published.at(-1))
  if (published.length > 0) expect((await verifySnapshots(lake, { all: true })).findings).toEqual([])
}

const known = new Map<string, Promise<Death[]>>()

/** What is met in each situation, in order; what a run does not meet is looked for in the next one. */
function deaths(shape = 'one file a table'): Promise<Death[]> {
  const found = known.get(shape) ?? findDeaths(shape)
  known.set(shape, found)
  return found
}

async function findDeaths(shape: string): Promise<Death[]> {
  const found = new Map<string, Death>()
  for (const [situation, { before, outcome, work }] of Object.entries(SITUATIONS)) {
    const fresh = await newPlace(aws, lanes[0]?.url ?? '')
    const place: LakePlace = { ...fresh, tables: SHAPES[shape]?.tables }
    const tap = recorder()
    const open = openLake(place, SHAPES[shape]?.settings, tap)
    // A heart beats sooner or later: here before the run ends.
    const beat = () => expect.poll(() => tap.met, { timeout: 30_000 }).toContain('after-control-lease-extend')
    if (work === 'run') open.publisher.beforeNext('crawlerReady', beat)
    try {
      await forgetSnapshots(open.database)
      await before(place)
      await WORKS[work](open)
    } finally {
      await open.close()
      await fresh.remove()
    }
    for (const point of new Set(tap.met as FaultPoint[])) {
      const death = { point, situation, shape, outcome: outcome ?? outcomeOfRun(tap.met, point) }
      if (!found.has(point)) found.set(point, death)
    }
  }
  return [...found.values()]
}

/** Before its row is there a run has not been; up to `prepared` it leaves nothing; from there on recovery publishes what it uploaded. */
function outcomeOfRun(met: readonly string[], point: string): string[] {
  // A heart beats anywhere.
  if (point.endsWith('-control-lease-extend')) return ['anything']
  const at = met.indexOf(point)
  if (at < met.indexOf('after-control-requested')) return []
  return [at < met.indexOf('after-control-prepared') ? 'failed' : 'published']
}

/** Two at a time. @returns what went wrong. */
async function all(
  list: readonly Death[],
  die: (death: Death) => (place: LakePlace) => Promise<void>,
): Promise<unknown[]> {
  const queue = [...list]
  const wrong: unknown[] = []
  await Promise.all(
    lanes.map(async (lane) => {
      for (let death = queue.shift(); death; death = queue.shift()) {
        await dieIn(lane, death, die(death)).catch((error: unknown) => wrong.push(error))
      }
    }),
  )
  return wrong
}

const byKill = (death: Death) => async (place: LakePlace) => {
  expect(await killed(place, death)).toBe('SIGKILL')
}

const bySilence =
  ({ point, shape, situation }: Death) =>
  async (place: LakePlace) => {
    const death = deathAt(point)
    const open = openLake(place, { ...SHAPES[shape]?.settings, ...hurried(point) }, death)
    try {
      await WORKS[(SITUATIONS[situation] as Situation).work](open).catch(() => undefined)
      expect(death.dead).toBe(true)
    } finally {
      await expireLease(open)
      await open.close()
    }
  }

/** Where the state of a snapshot changes, or something that cannot be taken back is under way. */
const DECISIVE: readonly FaultPoint[] = [
  ...(['before-control-requested', 'after-control-requested', 'after-CreateMultipartUpload'] as const),
  ...(['during-UploadPart', 'before-control-prepared', 'after-control-prepared'] as const),
  ...(['during-CompleteMultipartUpload', 'after-control-upload-completed', 'during-PutObject-manifest'] as const),
  ...(['after-PutObject-manifest', 'before-control-committed', 'after-PutObject-current'] as const),
  ...([
    'after-AbortMultipartUpload',
    'during-DeleteObjects-file',
    'before-control-failed',
    'after-PutObject-retired',
  ] as const),
]

/** Another part of the points each day: `n` of them. */
function ofToday(list: readonly Death[], n: number): Death[] {
  const day = Math.floor(Date.now() / 86_400_000)
  return Array.from({ length: Math.min(n, list.length) }, (_, i) => list[(day * n + i) % list.length] as Death)
}

test('lake 4: the list of points is what a run, recovery and retention meet, no more and no less', async () => {
  const met = (await deaths()).map(({ point }) => point)
  expect(met.filter((point) => !FAULT_POINTS.includes(point))).toEqual([])
  expect(POINTS.filter((point) => !met.includes(point))).toEqual([])
  expect(met.length).toBeGreaterThan(90)
})

test(
  'lake 4: whatever is the last thing that leaves a process, recovery leaves all or nothing',
  async () => {
    const list = await deaths()
    const wrong = await all(ofToday(list, counted(14, list.length)), bySilence)
    expect(wrong).toEqual([])
  },
  LONG_MS,
)

test(
  'lake 4: kill -9 at each point, before and after each call and control write, leaves all or nothing after recovery',
  async () => {
    const shapes = Object.keys(SHAPES).slice(0, counted(1, 3))
    for (const shape of shapes) {
      const list = await deaths(shape)
      const decisive = list.filter(({ point }) => DECISIVE.includes(point))
      expect(decisive).toHaveLength(DECISIVE.length)
      const others = list.filter(({ point }) => !DECISIVE.includes(point))
      const some = [...ofToday(decisive, counted(6, decisive.length)), ...ofToday(others, counted(1, others.length))]
      const wrong = await all(some, byKill)
      expect(wrong).toEqual([])
    }
  },
  LONG_MS,
)

test('a prepared snapshot that nobody finished in time is removed', async () => {
  const fresh = await newPlace(aws, lanes[0]?.url ?? '')
  const open = openLake(fresh, { preparedTtlMs: 0 })
  try {
    await forgetSnapshots(open.database)
    await SITUATIONS['recovery of a prepared snapshot']?.before(fresh)
    expect((await contents(open.lake)).uploads).toHaveLength(open.lake.contracts.length)
    const { snapshots } = await recoverSnapshots(open.lake)
    expect(snapshots).toMatchObject([{ from: 'prepared', to: 'failed', problem: 'prepared_expired' }])
    expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  } finally {
    await open.close()
    await fresh.remove()
  }
})

test('a runner recovers what a dead one left, then takes its own snapshot', async () => {
  const fresh = await newPlace(aws, lanes[0]?.url ?? '')
  const place = { ...fresh, tables: TABLES }
  const open = openLake(place)
  try {
    await forgetSnapshots(open.database)
    const death = {
      point: 'before-PutObject-manifest',
      situation: 'a run',
      shape: 'one file a table',
      outcome: [],
    } as const
    expect(await killed(place, death)).toBe('SIGKILL')
    const [left] = await listSnapshots(open.database, { limit: 1 })
    expect(left?.abandoned).toBe(true)
    const refused = await requestSnapshot(open.database, 'test').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'snapshot-running', extra: { abandoned: true } })
    const { id } = await runSnapshot(open.lake)
    const [second, first] = await listSnapshots(open.database, { limit: 5 })
    expect([first?.state, second?.state, second?.id]).toEqual(['published', 'published', id])
    expect(open.publisher.views).toEqual([first?.id, id])
  } finally {
    await open.close()
    await fresh.remove()
  }
})
