import { createCipheriv } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { parsePartKey } from '../../../src/lake/object-keys.ts'
import { readerCount } from '../../../src/lake/snapshot/parallel-readers.ts'
import { ReaderThread } from '../../../src/lake/snapshot/reader-thread.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { boundedRanges, placeRanges, tableRanges } from '../../../src/lake/snapshot/table-ranges.ts'
import { counted } from '../../support/counts.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { tableRows } from './file-rows.ts'
import { seedAccounts } from './seed.ts'
import { type LakePlace, newPlace, type OpenLake, openLake, TEST_SETTINGS } from './test-lake.ts'

const PLAYERS = counted(20_000, 1_000_000)
const READERS = 8
const TICK_MS = 100

let aws: TestAws
let database: TestDatabase
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
  // Eight threads and an updater on few cores: who holds the lease is not what is tested.
  open = openLake(place, { readers: READERS, parallelTableBytes: 1, leaseTtlMs: 30_000 })
})

afterEach(async () => {
  await open.close()
  await place.remove()
})

/** How the lake names a player. */
function pseudonym(id: string): string {
  const cipher = createCipheriv('aes-256-ecb', TEST_SETTINGS.pseudonymKey, null).setAutoPadding(false)
  return cipher.update(Buffer.from(id.replaceAll('-', ''), 'hex')).toString('hex')
}

/**
 * Changes a hundredth of the players, adds some and takes some away, again and again; each change leaves the number of its transaction in the
 * row and in `touched`, so that for any snapshot of the database it is known what it must show.
 */
async function startUpdater(url: string) {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('SET session_replication_role = replica')
  await client.query('CREATE TABLE touched (id uuid NOT NULL, xid xid8 NOT NULL, gone boolean NOT NULL)')
  let stopped = false
  let round = 0
  const tick = async () => {
    round++
    await client.query('BEGIN')
    await client.query(
      `WITH changed AS (
         UPDATE player SET closed_at = 'epoch'::timestamptz + pg_current_xact_id()::text::bigint * interval '1 second'
          WHERE ('x' || left(md5(id::text || $1), 8))::bit(32)::bigint % 100 = 0 RETURNING id)
       INSERT INTO touched SELECT id, pg_current_xact_id(), false FROM changed`,
      [String(round)],
    )
    await client.query(
      `WITH added AS (
         INSERT INTO player (id, username, username_key, closed_at)
         SELECT md5('new' || $1 || '_' || n)::uuid, 'new' || $1 || '_' || n, 'new' || $1 || '_' || n,
                'epoch'::timestamptz + pg_current_xact_id()::text::bigint * interval '1 second'
           FROM generate_series(1, 20) n RETURNING id)
       INSERT INTO touched SELECT id, pg_current_xact_id(), false FROM added`,
      [String(round)],
    )
    await client.query(
      `WITH gone AS (DELETE FROM player WHERE username LIKE 'new' || $1 || '\\_%' AND username LIKE '%5' RETURNING id)
       INSERT INTO touched SELECT id, pg_current_xact_id(), true FROM gone`,
      [String(round - 3)],
    )
    await client.query('COMMIT')
  }
  const running = (async () => {
    while (!stopped) {
      const began = performance.now()
      await tick()
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, TICK_MS - (performance.now() - began))))
    }
  })()
  return {
    /** Ends when the transactions that are under way have. */
    async stop() {
      stopped = true
      await running
      await client.end()
    },
    rounds: () => round,
  }
}

/** What a snapshot of the database must show of each player, by its name in the lake: seconds since 1970, or null. */
async function expectedAt(url: string, snapshot: string): Promise<Map<string, number | null>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ id: string; seconds: string | null }>(
      `WITH seen AS (
         SELECT DISTINCT ON (id) id, xid::text AS seconds, gone FROM touched
          WHERE pg_visible_in_snapshot(xid, $1::pg_snapshot) ORDER BY id, xid DESC),
       seeded AS (SELECT md5('player' || n)::uuid AS id FROM generate_series(1, $2::int) n)
       SELECT coalesce(seeded.id, seen.id)::text AS id, seen.seconds
         FROM seeded FULL JOIN seen USING (id) WHERE seen.gone IS NOT TRUE`,
      [snapshot, PLAYERS],
    )
    return new Map(rows.map(({ id, seconds }) => [pseudonym(id), seconds === null ? null : Number(seconds)]))
  } finally {
    await client.end()
  }
}

test(`lake 1: ${READERS} readers, a hundredth of the rows changed every ${TICK_MS} ms: count = distinct = count in the snapshot, every value as of the snapshot`, async () => {
  const updater = await startUpdater(database.url)
  const { lake } = open
  let id: string
  try {
    id = (await runSnapshot(lake)).id
  } finally {
    await updater.stop()
  }
  const manifest = parseManifest((await manifestOf(lake.database, id)) ?? '')
  const expected = await expectedAt(database.url, manifest.source.snapshot)
  const players = await tableRows(lake, id, 'players')
  const table = manifest.tables.find((each) => each.name === 'players')
  expect(players.length).toBe(expected.size)
  expect(table?.rows).toBe(expected.size)
  expect(new Set(players.map((row) => row.player_ref)).size).toBe(expected.size)
  const wrong = players.filter((row) => {
    const seconds = row.closed_at instanceof Date ? row.closed_at.getTime() / 1000 : null
    return expected.get(row.player_ref as string) !== seconds
  })
  expect(wrong).toEqual([])
  // Rows changed while they were read: the last changes are not in the snapshot, others before it are.
  const later = await expectedAt(database.url, '999999999:999999999:')
  expect([...later].filter(([ref, seconds]) => expected.get(ref) !== seconds).length).toBeGreaterThan(100)
  expect([...expected.values()].filter((seconds) => seconds !== null).length).toBeGreaterThan(100)
  const readers = new Set(table?.files.map((file) => parsePartKey(file.key)?.reader))
  expect([...readers].sort()).toEqual(Array.from({ length: READERS }, (_, i) => i))
})

test('several readers write what one writes: the same rows of every table, counted and summed', async () => {
  const alone = openLake(place)
  const shared = openLake(place, { readers: 3, parallelTableBytes: 1 })
  try {
    const [one, many] = [await runSnapshot(alone.lake), await runSnapshot(shared.lake)]
    expect(many.totalRows).toBe(one.totalRows)
    for (const { name } of contracts) {
      const lines = async (id: string) =>
        (await tableRows(open.lake, id, name))
          .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
          .sort()
      const [first, second] = [await lines(one.id), await lines(many.id)]
      expect(second.length).toBe(first.length)
      expect(second.filter((line, i) => line !== first[i])).toEqual([])
    }
  } finally {
    await Promise.all([alone.close(), shared.close()])
  }
})

test('a reader whose thread dies ends the run by name', async () => {
  const data = { url: 'postgres://nobody', applicationName: 'x', snapshotId: 'x', maxAgeMs: 1, createdBy: 'x' }
  const dying = (program: string) =>
    new ReaderThread(data, 3, new URL(`data:text/javascript,${encodeURIComponent(program)}`)).connect()
  await expect(dying('process.exit(7)')).rejects.toMatchObject({ code: 'reader_failed', facts: { reader: 3 } })
  await expect(dying('throw new Error("broken")')).rejects.toMatchObject({ code: 'reader_failed', message: /broken/ })
  const greedy = 'const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()))'
  await expect(dying(greedy)).rejects.toMatchObject({ code: 'reader_failed', message: /ERR_WORKER_OUT_OF_MEMORY/ })
})

describe('how a table is split', () => {
  test('by place: every page belongs to one range, pages that are added to the last', () => {
    expect(placeRanges(10, 3)).toEqual([
      `ctid >= '(0,0)'::tid AND ctid < '(3,0)'::tid`,
      `ctid >= '(3,0)'::tid AND ctid < '(6,0)'::tid`,
      `ctid >= '(6,0)'::tid`,
    ])
    expect(placeRanges(2, 4)).toHaveLength(2)
    expect(placeRanges(0, 4)).toEqual([`ctid >= '(0,0)'::tid`])
  })

  test('by key: neighbours share their bound, NULL belongs to the first', () => {
    expect(boundedRanges('k', 'text', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'z'], 4)).toEqual([
      `(k < 'c'::text OR k IS NULL)`,
      `k >= 'c'::text AND k < 'e'::text`,
      `k >= 'e'::text AND k < 'f'::text`,
      `k >= 'f'::text`,
    ])

    expect(boundedRanges('k', 'text', [], 4)).toEqual(['true'])
    expect(boundedRanges('k', 'text', ['a', "o'x", 'z'], 2)).toEqual([
      `(k < 'o''x'::text OR k IS NULL)`,
      `k >= 'o''x'::text`,
    ])
  })

  test('each row of a plain, a partitioned, a NULL-keyed table and a view is in exactly one range', async () => {
    const empty = await createEmptyDatabase()
    const client = new pg.Client(empty.url)
    await client.connect()
    try {
      await client.query(`
        CREATE TABLE plain (id uuid); INSERT INTO plain SELECT md5(n::text)::uuid FROM generate_series(1, 5000) n;
        CREATE TABLE parted (id uuid) PARTITION BY HASH (id);
        CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO parted SELECT * FROM plain; INSERT INTO parted SELECT NULL FROM generate_series(1, 7);
        CREATE VIEW seen AS SELECT * FROM parted; ANALYZE`)
      for (const [table, rows, ranges] of [
        ['plain', 5000, 4],
        ['parted', 5007, 4],
        ['seen', 5007, 1],
      ] as const) {
        const contract = { ...contracts[0]!, table, primaryKey: ['id'] }
        const conditions = await tableRanges(client, contract, 4)
        expect(conditions).toHaveLength(ranges)
        const counts: number[] = []
        for (const condition of conditions) {
          const { rows: counted } = await client.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${condition}`)
          counts.push(counted[0].n)
        }
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows)
        expect(Math.min(...counts)).toBeGreaterThan(rows / 8)
      }
    } finally {
      await client.end()
      await empty.drop()
    }
  })

  test('by keys of any type and collation, and by bounds that are not in order any more, each row is in one range', async () => {
    const empty = await createEmptyDatabase()
    const client = new pg.Client(empty.url)
    await client.connect()
    const keys = [
      ['text COLLATE "C"', `CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' ELSE 'ä' END || n || ''''`],
      ['text COLLATE "und-x-icu"', `CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' ELSE 'ä' END || n`],
      ['label', `(ARRAY['low', 'High', 'o''dd'])[1 + n % 3]::label`],
      ['pair', `ROW(n % 7, 'a,"' || n)::pair`],
      ['float8', `CASE n % 100 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE (n / 3.0)::text END::float8`],
      ['timestamptz', `'2000-01-01'::timestamptz + n * interval '1 day 1 us'`],
      ['int', `CASE WHEN n % 10 > 0 THEN n END`],
    ]
    try {
      await client.query(`CREATE TYPE label AS ENUM ('low', 'High', 'o''dd'); CREATE TYPE pair AS (a int, b text)`)
      for (const [i, [type, value]] of keys.entries()) {
        await client.query(`
          CREATE TABLE keyed_${i} (gone int, id ${type}) PARTITION BY HASH (id); ALTER TABLE keyed_${i} DROP gone;
          CREATE TABLE keyed_${i}_0 PARTITION OF keyed_${i} FOR VALUES WITH (MODULUS 1, REMAINDER 0);
          INSERT INTO keyed_${i} SELECT ${value} FROM generate_series(1, 3000) n; ANALYZE keyed_${i}`)
      }
      const { rows: stale } = await client.query<{ ok: boolean }>(
        `SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname', 'keyed_0', 'attname', 'id', 'inherited', true,
           'version', 180000, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', -1::real,
           'histogram_bounds', '{a1,ä9,a5,B2,a7,B1}'::text) AS ok`,
      )
      expect(stale).toEqual([{ ok: true }])
      for (const [i] of keys.entries()) {
        const conditions = await tableRanges(client, { ...contracts[0]!, table: `keyed_${i}`, primaryKey: ['id'] }, 4)
        expect(conditions.length).toBeGreaterThan(i === 2 ? 0 : 1)
        const ranges = conditions.map((condition) => `coalesce((${condition})::int, 0)`).join(' + ')
        const { rows } = await client.query(`SELECT count(*)::int AS n FROM keyed_${i} WHERE ${ranges} <> 1`)
        expect(rows, ranges).toEqual([{ n: 0 }])
      }
    } finally {
      await client.end()
      await empty.drop()
    }
  })

  test('by two readers, as memory allows, or as many as are asked for; one reads alone where cores are few', () => {
    expect([1, 2, 3, 4, 8, 64].map((cores) => readerCount({}, cores))).toEqual([1, 1, 2, 2, 2, 2])
    expect(readerCount({ readers: 8 }, 2)).toBe(8)
  })
})
