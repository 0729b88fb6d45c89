import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { parsePartKey } from '../../../src/lake/object-keys.ts'
import { guideOf } from '../../../src/lake/problem-guide.ts'
import type { Lake, SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import type { Tap } from '../../../src/lake/tap.ts'
import { createLogger } from '../../../src/logger.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createGate } from '../../support/gate.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type CopyTrap, setCopyTrap, withStudioName } from './copy-trap.ts'
import { tableRows } from './file-rows.ts'
import { type PgProxy, startPgProxy } from './pg-proxy.ts'
import { startS3Proxy } from './s3-proxy.ts'
import { seedNoise } from './seed.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const STUDIOS = 12_000
/** In the middle of each half. */
const TRAPS = [4_000, 10_000]
/** The studios, and no other table, are read by two. */
const TWO_READERS: Partial<SnapshotSettings> = { readers: 2, parallelTableBytes: 1_000_000 }
/** How soon a run notices who waits for it; in `npm test` the program's own pace is seen once. */
const QUICK: Partial<SnapshotSettings> = { lockLookMs: counted(100, 2_000) }
const TABLES = ['studios', 'players', 'player_identities']

let aws: TestAws
let database: TestDatabase
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake
/** At the program's own pace. */
let usual: OpenLake
let shared: OpenLake
let admin: pg.Client
let trap: CopyTrap
let proxy: PgProxy

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedNoise(database.url, STUDIOS)
  admin = new pg.Client(database.url)
  await admin.connect()
  await admin.query('SET session_replication_role = replica')
})

afterAll(async () => {
  await admin?.end()
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  await admin.query('DROP SEQUENCE IF EXISTS trap')
  trap = await setCopyTrap(database.url, TRAPS)
  proxy = await startPgProxy(database.url)
  place = { ...(await newPlace(aws, database.url)), tables: TABLES }
  usual = openLake(place)
  open = openLake(place, QUICK)
  shared = openLake(place, { ...TWO_READERS, ...QUICK })
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await trap.close()
  await Promise.all([usual.close(), open.close(), shared.close(), place.remove()])
  await proxy.close()
})

/** A lake whose snapshots fall into the trap, and read through the proxy. */
const trapped = ({ lake }: OpenLake): Lake => ({
  ...lake,
  sourceUrl: proxy.url,
  contracts: trap.contracts.filter(({ name }) => TABLES.includes(name)),
})

async function problemOf(run: Promise<unknown>): Promise<LakeProblem> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof LakeProblem)) throw error ?? new Error('The run did not fail')
  return error
}

/** Every upload is gone, no file is there, the views stand where they stood, and the row says why. */
async function expectNothingLeft(code: string): Promise<void> {
  const [snapshot] = await listSnapshots(open.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code, phase: 'uploading' } })
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  const uploads = await open.database.prisma.lakeUpload.findMany()
  expect(uploads.length).toBeGreaterThan(0)
  expect(open.publisher.views).toEqual([])
}

async function clientPort(pid: number): Promise<number> {
  const { rows } = await admin.query<{ port: number }>(
    'SELECT client_port AS port FROM pg_stat_activity WHERE pid = $1',
    [pid],
  )
  return rows[0]?.port ?? 0
}

const terminate = (pid: number) => admin.query('SELECT pg_terminate_backend($1)', [pid])
const cut = async (pid: number) => proxy.cutPort(await clientPort(pid))

describe.each([
  ['the connection is lost', cut],
  ['pg_terminate_backend ends it', terminate],
])('lake 8: in the middle of a COPY %s', (_, strike) => {
  test('lake 8: of one reader: failed by name, every upload aborted, views untouched', async () => {
    const running = problemOf(runSnapshot(trapped(open)))
    const [pid = 0] = await trap.caught()
    await strike(pid)
    expect(await running).toMatchObject({ code: 'connection_lost', facts: { table: 'studio' } })
    await expectNothingLeft('connection_lost')
  })

  test('lake 8: of several readers: their ranges are read again under the same snapshot, nothing is missing or twice', async () => {
    const running = runSnapshot(trapped(shared))
    const pids = await trap.caught(2)
    // What is written now is in neither reading of the range.
    await admin.query(`UPDATE studio SET legal_name = 'later' WHERE slug LIKE 'noise-%7'`)
    await trap.open()
    await strike(pids[1] ?? 0)
    await strike(pids[0] ?? 0)
    const { id } = await running
    const manifest = parseManifest((await manifestOf(open.database, id)) ?? '')
    const studios = manifest.tables.find((table) => table.name === 'studios')
    expect(studios?.rows).toBe(STUDIOS)
    // Other names than those of the files that were given up.
    expect(studios?.files.map((file) => parsePartKey(file.key)?.reader)).toEqual([2, 3])
    const rows = await tableRows(open.lake, id, 'studios')
    expect(new Set(rows.map((row) => row.slug)).size).toBe(STUDIOS)
    expect(rows.filter((row) => row.legal_name === 'later')).toEqual([])
    expect((await contents(open.lake)).uploads).toEqual([])
    await admin.query(`UPDATE studio SET legal_name = md5(slug) WHERE legal_name = 'later'`)
  })
})

test('a database that is away while a run is planned fails it by a name that the schedule tries again', async () => {
  const gate = await createGate(database.url)
  const tap: Tap = { before: () => undefined, after: (name) => void (name === 'control-planning' && gate.shut()) }
  const away = openLake({ ...place, databaseUrl: gate.url }, {}, tap)
  // It is back as soon as the run has noticed.
  const logger = createLogger({ level: 'error', destination: { write: () => gate.open() } })
  try {
    await expect(runSnapshot({ ...away.lake, logger })).rejects.toMatchObject({ code: 'unavailable' })
    const [snapshot] = await listSnapshots(open.database, { limit: 1 })
    expect(snapshot?.problem).toMatchObject({ code: 'connection_lost', phase: 'planning' })
    expect(guideOf(snapshot?.problem?.code ?? '').passes).toBe(true)
  } finally {
    await away.close()
    await gate.close()
  }
})

test('lake 8: the connection of one of several readers breaks twice: failed by name, every upload aborted, views untouched', async () => {
  const running = problemOf(runSnapshot(trapped(shared)))
  const pids = await trap.caught(2)
  await cut(pids[1] ?? 0)
  const [again = 0] = await trap.caught(1, pids)
  await cut(again)
  expect(await running).toMatchObject({ code: 'connection_lost', facts: { table: 'studio' } })
  await expectNothingLeft('connection_lost')
})

test('lake 8: the connection that holds the snapshot of several readers breaks: failed by name, every upload aborted', async () => {
  const running = problemOf(runSnapshot(trapped(shared)))
  await trap.caught(2)
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
        AND application_name LIKE 'rocketgames-snapshot:%'`,
  )
  expect(rows).toHaveLength(1)
  await cut(rows[0]?.pid ?? 0)
  expect((await running).code).toBe('connection_lost')
  await expectNothingLeft('connection_lost')
})

describe.each([
  ['one reader', () => open],
  ['one of several readers', () => shared],
])('of %s', (_, which) => {
  test('lake 8: an SQL error in mid-COPY fails by its SQLSTATE, aborts every upload and leaves the views', async () => {
    const sql = `CASE WHEN slug = 'noise-10000' THEN (1 / (length(name) - length(name)))::text ELSE name END`
    const problem = await problemOf(runSnapshot({ ...which().lake, contracts: withStudioName(sql) }))
    expect(problem).toMatchObject({ code: 'copy_failed', facts: { table: 'studio', sqlState: '22012' } })
    await expectNothingLeft('copy_failed')
  })
})

test('a value that cannot be written is named by table, column and row also where several readers share the table', async () => {
  await admin.query(`UPDATE studio SET created_at = 'infinity' WHERE slug = 'noise-9000'`)
  try {
    const { rows } = await admin.query<{ id: string }>(`SELECT id FROM studio WHERE slug = 'noise-9000'`)
    expect(await problemOf(runSnapshot(shared.lake))).toMatchObject({
      code: 'unrepresentable_value',
      facts: { table: 'studio', column: 'created_at', primaryKey: `id=${rows[0]?.id}`, reason: 'infinity' },
    })
    await expectNothingLeft('unrepresentable_value')
  } finally {
    await admin.query(`UPDATE studio SET created_at = now() WHERE slug = 'noise-9000'`)
  }
})

test('a run that is told to stop while several readers read ends at once and leaves nothing', async () => {
  const leave = new AbortController()
  const running = problemOf(runSnapshot(trapped(shared), { signal: leave.signal }))
  await trap.caught(2)
  leave.abort(new Error('stop'))
  expect((await running).code).toBe('cancelled')
  await expectNothingLeft('cancelled')
  const { rows } = await admin.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'rocketgames-snapshot:%'
        AND wait_event IS DISTINCT FROM 'PgSleep' AND datname = current_database()`,
  )
  expect(rows).toEqual([])
})

describe.each([
  ['one reader reads', () => open, 1, () => usual],
  ['several readers read', () => shared, 2, () => shared],
])('while %s', (_, which, count, first) => {
  test('lake 29: ALTER TABLE waits for 5 s at most, and the run ends as preempted_by_migration', async () => {
    const running = problemOf(runSnapshot(trapped(first())))
    await trap.caught(count)
    const { rows } = await admin
      .query<{ began: Date; done: Date }>(
        `ALTER TABLE studio ALTER website SET DEFAULT NULL;
       SELECT statement_timestamp() AS began, clock_timestamp() AS done`,
      )
      .then((results) => (results as unknown as pg.QueryResult<{ began: Date; done: Date }>[])[1]!)
    expect(rows[0]!.done.getTime() - rows[0]!.began.getTime()).toBeLessThanOrEqual(5_000)
    expect((await running).code).toBe('preempted_by_migration')
    await expectNothingLeft('preempted_by_migration')
  })

  test('lake 29: a migration that waits for its lock gets it within 5 s, also for another table', async () => {
    const running = problemOf(runSnapshot(trapped(which())))
    await trap.caught(count)
    const began = performance.now()
    await admin.query('SELECT pg_advisory_lock(72707369)')
    expect(performance.now() - began).toBeLessThanOrEqual(5_000)
    await admin.query('SELECT pg_advisory_unlock(72707369)')
    expect((await running).code).toBe('preempted_by_migration')
    await expectNothingLeft('preempted_by_migration')
  })
})

test.each([
  ['one reader', () => open, 1],
  ['several readers', () => shared, 2],
])(
  'a network that falls silent ends the run of %s by name, without waiting for what TCP allows',
  async (_, which, count) => {
    const running = problemOf(runSnapshot(trapped(which())))
    await trap.caught(count)
    proxy.freeze()
    expect((await running).code).toBe('connection_lost')
    await expectNothingLeft('connection_lost')
  },
)

test('a file whose upload fails ends the reading of its table at once', async () => {
  const s3 = await startS3Proxy(aws.endpoint)
  const local = openLake({ ...place, endpoint: s3.endpoint }, { rowGroupRows: 1_024, fileTargetBytes: 20_000 })
  s3.decide = ({ method, url = '' }) => (method === 'PUT' && /\/studios\/.*part-00-00000/.test(url) ? 'refuse' : 'pass')
  try {
    // The COPY stands still in the trap: nothing but the failed file can end it.
    const contracts = trap.contracts
    const problem = await problemOf(runSnapshot({ ...local.lake, contracts }))
    expect(problem).toMatchObject({ code: 'storage_denied' })
    await expectNothingLeft('storage_denied')
  } finally {
    await local.close()
    await s3.close()
  }
})
