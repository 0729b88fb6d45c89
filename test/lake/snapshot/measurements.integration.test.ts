import type { IncomingMessage } from 'node:http'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { DriftError } from '../../../src/lake/lake-problem.ts'
import type { ProgressEvent } from '../../../src/lake/snapshot/lake.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { PHASES, RunMeasurements } from '../../../src/lake/snapshot/run-measurements.ts'
import { listSnapshots, readSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type S3Proxy, startS3Proxy } from './s3-proxy.ts'
import { seedAccounts } from './seed.ts'
import { forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const PLAYERS = 300
const isPart = ({ method, url }: IncomingMessage) => method === 'PUT' && url?.includes('partNumber=') === true

let database: TestDatabase
let aws: TestAws
let proxy: S3Proxy
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query('ANALYZE player')
  await client.end()
  proxy = await startS3Proxy(aws.endpoint)
})

afterAll(async () => {
  await proxy?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  proxy.decide = () => 'pass'
  place = await newPlace(aws, database.url)
  open = openLake({ ...place, endpoint: proxy.endpoint })
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await place.remove()
})

test('a run stores the time of each phase, and counts exactly what S3 was asked for again', async () => {
  let failures = 0
  proxy.decide = (request) => (isPart(request) && failures++ < 3 ? 'slow-down' : 'pass')
  const events: ProgressEvent[] = []
  const { id } = await runSnapshot(open.lake, { progress: (event) => void events.push(event) })
  const snapshot = await readSnapshot(open.database, id)
  const uploads = await open.database.prisma.lakeUpload.findMany({ select: { parts: true } })
  const parts = uploads.flatMap((upload) => upload.parts as unknown[])
  expect(snapshot.measurements).toMatchObject({
    ...{ partsSent: parts.length, partsResent: 3, slowDowns: 3, callsRepeated: 3 },
    ...{ unrepresentable: 0, driftFindings: 0, readers: 1 },
  })
  expect(parts.length).toBe(contracts.length)
  expect(snapshot.measurements?.cpuSeconds).toBeGreaterThan(0)
  expect(snapshot.measurements?.peakRssBytes).toBeGreaterThan(30_000_000)
  expect(snapshot.phase).toBeNull()
  const told = events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []))
  expect(snapshot.phases.map(({ name }) => name)).toEqual(told)
  // The catalogue of this test has no crawler.
  expect(PHASES.filter((phase) => !told.includes(phase) && phase !== 'crawl')).toEqual([])
  const all = snapshot.phases.reduce((sum, { seconds }) => sum + seconds, 0)
  const whole = ((snapshot.publishedAt?.getTime() ?? 0) - (snapshot.startedAt?.getTime() ?? 0)) / 1000
  expect(all).toBeGreaterThan(whole / 2)
  expect(all).toBeLessThan(whole + 1)
})

test('a run says how many rows it expects of each table before it reads the first one', async () => {
  const events: ProgressEvent[] = []
  const { id } = await runSnapshot(open.lake, { progress: (event) => void events.push(event) })
  const plan = events.findIndex((event) => event.kind === 'tables')
  const first = events.findIndex((event) => event.kind === 'table')
  expect(plan).toBeGreaterThan(-1)
  expect(plan).toBeLessThan(first)
  const { tables } = await readSnapshot(open.database, id)
  expect(tables.map(({ name }) => name)).toEqual(contracts.map(({ name }) => name).sort())
  expect(tables.find(({ name }) => name === 'players')).toMatchObject({ estimatedRows: PLAYERS, rowsCopied: PLAYERS })
})

test('a run that failed keeps what it cost, and in which phase it failed', async () => {
  proxy.decide = (request) => (isPart(request) ? 'refuse' : 'pass')
  await expect(runSnapshot(open.lake)).rejects.toMatchObject({ code: 'storage_denied' })
  const [failed] = await listSnapshots(open.database, { limit: 1 })
  expect(failed).toMatchObject({
    state: 'failed',
    phases: [{ name: 'planning' }, { name: 'uploading' }],
    measurements: { partsSent: 0, partsResent: 0 },
    problem: { code: 'storage_denied', next: expect.stringContaining('Give the role') },
  })
})

test('recovery goes on with the counts of the run that it ends, and drift that is over counts no more', async () => {
  const findings = ['one', 'two'].map((message) => ({ code: 'type_drift' as const, message }))
  open.publisher.beforeNext('register', () => Promise.reject(new DriftError(findings)))
  await expect(runSnapshot(open.lake)).rejects.toMatchObject({ code: 'catalogue_drift' })
  const [stuck] = await listSnapshots(open.database, { limit: 1 })
  expect(stuck).toMatchObject({ state: 'committed', phase: 'catalogue', measurements: { driftFindings: 2 } })
  const later = openLake(place)
  try {
    await recoverSnapshots(later.lake)
  } finally {
    await later.close()
  }
  const { measurements, phases, state } = await readSnapshot(open.database, stuck?.id ?? '')
  expect(state).toBe('published')
  expect(measurements).toMatchObject({ partsSent: stuck?.measurements?.partsSent, driftFindings: 0 })
  expect(phases.map(({ name }) => name)).toEqual(expect.arrayContaining(['planning', 'uploading', 'views']))
})

test('what a row holds from another version counts as nothing', () => {
  const measurements = new RunMeasurements()
  measurements.partsSent = 7
  measurements.restart({ phases: 'unknown' })
  expect(measurements.stored()).toMatchObject({ phase: null, phasesMs: {}, partsSent: 0, partsResent: 0 })
})
