import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AppError } from '../../../src/errors.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { parseCurrent, parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, manifestKey, parsePartKey, partKey } from '../../../src/lake/object-keys.ts'
import { ControlRows } from '../../../src/lake/snapshot/control-rows.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { rollBack } from '../../../src/lake/snapshot/roll-back.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf, readSnapshot, requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { setCopyTrap } from './copy-trap.ts'
import { tableRows } from './file-rows.ts'
import { type S3Proxy, startS3Proxy, type Verdict } from './s3-proxy.ts'
import { seedAccounts, seedNoise } from './seed.ts'
import {
  contents,
  FEW_TABLES,
  forgetSnapshots,
  type LakePlace,
  newPlace,
  type OpenLake,
  openLake,
} from './test-lake.ts'

/** More than two of the pieces in which rows are scanned: a row group ends with a piece. */
const PLAYERS = 8_000
const MIB = 1024 * 1024

let database: TestDatabase
let aws: TestAws
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  place = await newPlace(aws, database.url)
  open = openLake(place)
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await place.remove()
})

/** Where it does not matter which tables are read. */
async function fewTables(): Promise<void> {
  await open.close()
  place = { ...place, tables: FEW_TABLES }
  open = openLake(place)
}

/** The problem that a run ends with. */
async function problemOf(run: Promise<unknown>): Promise<LakeProblem> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LakeProblem)
  return error as LakeProblem
}

/** Nothing of a failed snapshot is anywhere, and its row says why. */
async function expectNothingLeft(code: string): Promise<void> {
  const [snapshot] = await listSnapshots(open.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code } })
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  expect(open.publisher.calls).toEqual([])
}

describe('a snapshot', () => {
  test('holds every row of every table, named by its manifest and by CURRENT.json', async () => {
    const { lake, publisher } = open
    const states: string[] = []
    const tables = new Map<string, number>()
    const snapshot = await runSnapshot(lake, {
      requestedBy: 'test',
      progress: (event) => {
        if (event.kind === 'state') states.push(event.state)
        else if (event.kind === 'table' && event.done) tables.set(event.table, event.rows)
      },
    })
    expect(snapshot.state).toBe('published')
    expect(states).toEqual(['planning', 'uploading', 'prepared', 'committing', 'committed', 'published'])
    expect(tables.get('players')).toBe(PLAYERS)
    const stored = await lake.bucket.getText(manifestKey(snapshot.id))
    expect(stored?.text).toBe(await manifestOf(lake.database, snapshot.id))
    const manifest = parseManifest(stored?.text ?? '')
    expect(manifest.tables.map((table) => [table.name, table.rows])).toEqual(
      lake.contracts.map((contract) => [contract.name, tables.get(contract.name)]),
    )
    expect(snapshot.totalRows).toBe([...tables.values()].reduce((sum, rows) => sum + rows, 0))
    expect((await contents(lake)).files).toEqual(
      manifest.tables.flatMap((table) => table.files.map((file) => file.key)).sort(),
    )
    expect(parseCurrent((await lake.bucket.getText(CURRENT_KEY))?.text ?? '')).toMatchObject({
      snapshot_id: snapshot.id,
      manifest_sha256: snapshot.manifestSha256,
    })
    expect(publisher.calls).toEqual(['crawlerReady', `register ${snapshot.id}`, `publishViews ${snapshot.id}`])
    const players = await tableRows(lake, snapshot.id, 'players')
    expect(players).toHaveLength(PLAYERS)
    expect(new Set(players.map((player) => player.player_ref)).size).toBe(PLAYERS)
  })

  test('of an empty database has one valid file without rows for each table', async () => {
    const empty = await createTestDatabase()
    const emptyPlace = await newPlace(aws, empty.url)
    const { close, lake } = openLake(emptyPlace)
    try {
      const { id, totalRows } = await runSnapshot(lake)
      expect(totalRows).toBe(0)
      const { files } = await contents(lake)
      expect(files.map((key) => parsePartKey(key)?.table)).toEqual(lake.contracts.map((c) => c.name).sort())
      for (const contract of lake.contracts) expect(await tableRows(lake, id, contract.name)).toEqual([])
    } finally {
      await close()
      await emptyPlace.remove()
      await empty.drop()
    }
  })

  test('shows one instant of all tables while related rows are written', async () => {
    const writer = new pg.Client(database.url)
    await writer.connect()
    await writer.query('SET session_replication_role = replica')
    let stopped = false
    let written = 0
    const writing = (async () => {
      while (!stopped) {
        const name = `pair${Date.now()}x${written++}`
        await writer.query('BEGIN')
        await writer.query(`INSERT INTO player (id, username, username_key) VALUES (md5($1::text)::uuid, $1, $1)`, [
          name,
        ])
        await writer.query(
          `INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at)
           VALUES (md5('g' || $1::text)::uuid, md5($1::text)::uuid, md5('game1')::uuid, 'linux', 'free', now())`,
          [name],
        )
        await writer.query('COMMIT')
      }
    })()
    try {
      const { id } = await runSnapshot(open.lake)
      const players = new Set((await tableRows(open.lake, id, 'players')).map((row) => row.player_ref))
      const games = await tableRows(open.lake, id, 'player_games')
      expect(written).toBeGreaterThan(10)
      expect(games.filter((row) => !players.has(row.player_ref))).toEqual([])
      // Every player of this test owns exactly one game, so the other direction holds as well.
      expect(games.length).toBe(players.size)
    } finally {
      stopped = true
      await writing
      await writer.end()
    }
  })

  test('is split into files at the target size, and all of them are there', async () => {
    const small = openLake(place, { rowGroupRows: 1_024, fileTargetBytes: 20_000 })
    try {
      const { id } = await runSnapshot(small.lake)
      const manifest = parseManifest((await manifestOf(small.database, id)) ?? '')
      const players = manifest.tables.find((table) => table.name === 'players')
      expect(players?.files.length).toBeGreaterThan(1)
      expect(players?.files.map((file) => parsePartKey(file.key)?.number)).toEqual(players?.files.map((_, i) => i))
      expect((await tableRows(small.lake, id, 'players')).length).toBe(players?.rows)
    } finally {
      await small.close()
    }
  })
})

describe('two snapshots', () => {
  beforeEach(fewTables)

  test('do not run at once: the second is told which one runs', async () => {
    const first = await requestSnapshot(open.database, 'test')
    const second = await requestSnapshot(open.database, 'test').catch((error: AppError) => error)
    expect(second).toMatchObject({
      code: 'snapshot-running',
      extra: { snapshotId: first.id, state: 'requested', abandoned: false },
    })
    const published = await runSnapshot(open.lake, { id: first.id })
    expect(published).toMatchObject({ id: first.id, state: 'published' })
    expect((await requestSnapshot(open.database, 'test')).sequence).toBeGreaterThan(first.sequence)
  })

  test('one whose process never gets the lease fails at once and makes room', async () => {
    const hurried = openLake(place, { leaseTtlMs: 50 })
    const other = await Lease.take(open.database, 60_000)
    try {
      const { id } = await requestSnapshot(open.database, 'test')
      expect((await problemOf(runSnapshot(hurried.lake, { id }))).code).toBe('lease_taken')
      expect(await readSnapshot(open.database, id)).toMatchObject({ state: 'failed', problem: { code: 'lease_taken' } })
      await requestSnapshot(open.database, 'test')
    } finally {
      await other.release()
      await hurried.close()
    }
  })

  test('of which one lost its lease publish one result, and the loser stops', async () => {
    // Its heart does not beat meanwhile: it would take back what it is said to have lost.
    const loser = openLake(place, { leaseTtlMs: 60_000 })
    const { database: control, lake, publisher } = loser
    const rescuer = openLake(place)
    publisher.beforeNext('crawlerReady', async () => {
      // This process seems dead to the other one: its lease has run out.
      await control.prisma.$executeRaw`UPDATE lake_lease SET expires_at = 'epoch', host = 'elsewhere'`
      const { snapshots } = await recoverSnapshots(rescuer.lake)
      expect(snapshots).toMatchObject([{ from: 'prepared', to: 'published' }])
    })
    try {
      expect((await problemOf(runSnapshot(lake))).code).toBe('fenced')
      const [snapshot, ...others] = await listSnapshots(control, { limit: 5 })
      expect(others).toEqual([])
      expect(snapshot).toMatchObject({ state: 'published', problem: null })
      expect(publisher.calls).toEqual(['crawlerReady'])
      expect(publisher.views).toEqual([snapshot?.id])
    } finally {
      await Promise.all([loser.close(), rescuer.close()])
    }
  })

  test('are not rolled back by a process that was taken for dead', async () => {
    const { id } = await requestSnapshot(open.database, 'test')
    const old = new ControlRows(open.database, id, 7n)
    await old.claim('old')
    const key = partKey('players', id, 0, 0)
    await old.openUpload(key, 'players', await open.lake.bucket.multipart.create(key, id))
    await new ControlRows(open.database, id, 8n).claim('taker')
    expect((await problemOf(rollBack(open.lake, old, new Error('no more'), 'uploading'))).code).toBe('fenced')
    expect((await contents(open.lake)).uploads).toEqual([key])
  })

  test('one after the other: the newer one is current, both stay registered', async () => {
    const first = await runSnapshot(open.lake)
    const second = await runSnapshot(open.lake)
    expect(open.publisher.views).toEqual([first.id, second.id])
    expect(parseCurrent((await open.lake.bucket.getText(CURRENT_KEY))?.text ?? '').snapshot_id).toBe(second.id)
    const manifest = parseManifest((await manifestOf(open.database, second.id)) ?? '')
    expect(manifest.previous_snapshot_id).toBe(first.id)
  })
})

describe('a snapshot fails by name and leaves nothing', () => {
  let proxy: S3Proxy
  let failing: OpenLake

  beforeEach(async () => {
    await fewTables()
    proxy = await startS3Proxy(aws.endpoint)
    failing = openLake({ ...place, endpoint: proxy.endpoint })
  })

  afterEach(async () => {
    await failing.close()
    await proxy.close()
  })

  test('when an upload disappears before it is completed', async () => {
    failing.publisher.beforeNext('crawlerReady', async () => {
      const [first] = await failing.database.prisma.lakeUpload.findMany({ take: 1 })
      await failing.lake.bucket.multipart.abort(first?.key ?? '', first?.uploadId ?? '')
    })
    expect((await problemOf(runSnapshot(failing.lake))).code).toBe('rolled_back')
    await expectNothingLeft('rolled_back')
  })

  test('when the database closes the connection while parts of a table are under way', async () => {
    const noisy = await createTestDatabase()
    await seedNoise(noisy.url, 90_000)
    // Without it the COPY may be over before the first part is sent: buffers hold much.
    const trap = await setCopyTrap(noisy.url, [80_000])
    const noisyPlace = { ...place, tables: ['studios'], databaseUrl: noisy.url, endpoint: proxy.endpoint }
    const local = openLake(noisyPlace, { partBytes: 5 * MIB, partsInFlight: 1, rowGroupRows: 8_192 })
    const admin = new pg.Client(noisy.url)
    await admin.connect()
    let states: string[] = []
    proxy.decide = async ({ method, url }): Promise<Verdict> => {
      if (method === 'PUT' && url?.includes('partNumber=1&') && states.length === 0) {
        const { rows } = await admin.query<{ state: string }>(
          `SELECT state, pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'rocketgames-snapshot:%' AND query LIKE 'COPY%'`,
        )
        states = rows.map((row) => row.state)
      }
      return 'pass'
    }
    try {
      const problem = await problemOf(runSnapshot({ ...local.lake, contracts: trap.contracts }))
      expect(problem).toMatchObject({ code: 'connection_lost', facts: { table: 'studio' } })
      expect(states).toEqual(['active'])
      const [snapshot] = await listSnapshots(local.database, { limit: 1 })
      expect(snapshot).toMatchObject({ state: 'failed', problem: { code: 'connection_lost', phase: 'uploading' } })
      expect(await contents(local.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
    } finally {
      await trap.close()
      await admin.end()
      await local.close()
      await noisy.drop()
    }
  })

  test('when a value cannot be written, naming table, column and row', async () => {
    const client = new pg.Client(database.url)
    await client.connect()
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM player WHERE username = 'player77'`)
    await client.query(`UPDATE player SET closed_at = 'infinity' WHERE id = $1`, [rows[0]?.id])
    try {
      const facts = { table: 'player', column: 'closed_at', primaryKey: `id=${rows[0]?.id}`, reason: 'infinity' }
      expect(await problemOf(runSnapshot(open.lake))).toMatchObject({ code: 'unrepresentable_value', facts })
      await expectNothingLeft('unrepresentable_value')
      expect((await listSnapshots(open.database, { limit: 1 }))[0]?.problem).toMatchObject(facts)
    } finally {
      await client.query(`UPDATE player SET closed_at = NULL WHERE id = $1`, [rows[0]?.id])
      await client.end()
    }
  })

  test('but not when the answer to a completed upload is lost', async () => {
    const resets = new Set<string>()
    const lost = await startS3Proxy(aws.endpoint)
    const local = openLake({ ...place, endpoint: lost.endpoint })
    // The call is made once for each file behind the proxy's back, then its answer gets lost.
    lost.decide = async ({ headers, method, url = '' }): Promise<Verdict> => {
      if (method !== 'POST' || !url.includes('uploadId') || resets.has(url)) return 'pass'
      resets.add(url)
      expect(headers['if-none-match']).toBe('*')
      return 'reset'
    }
    try {
      expect((await runSnapshot(local.lake)).state).toBe('published')
      expect(resets.size).toBe(local.lake.contracts.length)
    } finally {
      await local.close()
      await lost.close()
    }
  })
})

describe('the contract gate', () => {
  let changed: TestDatabase
  let client: pg.Client
  let local: OpenLake

  beforeEach(async () => {
    changed = await createTestDatabase()
    client = new pg.Client(changed.url)
    await client.connect()
    local = openLake({ ...place, databaseUrl: changed.url })
  })

  afterEach(async () => {
    await client.end()
    await local.close()
    await changed.drop()
  })

  test.each([
    ['a column without an entry', 'ALTER TABLE player ADD COLUMN shoe_size integer', /player\.shoe_size \(integer\)/],
    ['a column that is gone', 'ALTER TABLE player DROP COLUMN locale', /player\.locale is in datasets\.ts and not/],
    ['a widened type', 'ALTER TABLE game ALTER min_age TYPE bigint', /game\.min_age: min_age is bigint .*version: 2/],
    ['a renamed column', 'ALTER TABLE studio RENAME website TO homepage', /studio\.homepage/],
    ['a time without its three digits', 'ALTER TABLE player ALTER closed_at TYPE timestamptz', /player\.closed_at/],
    ['a table that is gone', 'DROP TABLE player_identity', /player_identity: the table is not in the database/],
  ])('lake 13: refuses %s before any upload, and names it', async (_, sql, message) => {
    await client.query(sql)
    const problem = await problemOf(runSnapshot(local.lake))
    expect(problem.code).toBe('contract_breaking')
    expect(problem.message).toMatch(message)
    const [snapshot] = await listSnapshots(local.database, { limit: 1 })
    expect(snapshot).toMatchObject({ state: 'failed', problem: { code: 'contract_breaking', phase: 'planning' } })
    expect(await local.database.prisma.lakeUpload.count()).toBe(0)
  })

  test('lake 13: lets a dropped column pass that the contract keeps as a typed NULL', async () => {
    await client.query('ALTER TABLE studio DROP COLUMN website')
    const kept = contracts.map((contract) => ({
      ...contract,
      columns: contract.columns.map((column) =>
        contract.table === 'studio' && column.source === 'website'
          ? { ...column, sql: 'NULL::text', about: { deprecatedIn: 1 } }
          : column,
      ),
    }))
    const { state } = await runSnapshot({ ...local.lake, contracts: kept })
    expect(state).toBe('published')
    // The advice is that very thing.
    expect((await problemOf(runSnapshot(local.lake))).message).toMatch(/sql: 'NULL::text'/)
  })

  test('lake 13: lets a new enum value and a dropped NOT NULL pass', async () => {
    await client.query(`ALTER TYPE player_status ADD VALUE 'frozen'`)
    await client.query('ALTER TABLE game ALTER title DROP NOT NULL')
    expect((await runSnapshot(local.lake)).state).toBe('published')
  })
})

describe('a migration', () => {
  test('under way keeps a snapshot from starting', async () => {
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query('SELECT pg_advisory_lock(72707369)')
    try {
      expect((await problemOf(runSnapshot(open.lake))).code).toBe('migration_running')
      await expectNothingLeft('migration_running')
    } finally {
      await client.end()
    }
  })
})

test('a snapshot that was published before is not run again', async () => {
  const { id } = await runSnapshot(open.lake)
  await expect(runSnapshot(open.lake, { id })).rejects.toMatchObject({ code: 'conflict' })
  expect((await readSnapshot(open.database, id)).state).toBe('published')
})
