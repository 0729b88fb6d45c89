import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TableContract } from '../../../src/lake/contract.ts'
import { estimatedRows, tableEstimates } from '../../../src/lake/snapshot/table-estimates.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'

/** Estimates of rows in every state that the statistics of a table may be in. */

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createEmptyDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})

afterAll(async () => {
  await client?.end()
  await database?.drop()
})

const contract = (table: string) => ({ name: `${table}_v2`, table }) as TableContract
const ROWS = 20_000
const fill = (table: string, month: number, rows = ROWS) =>
  `INSERT INTO ${table} SELECT n, '2026-0${month}-01' FROM generate_series(1, ${rows}) n`
const near = (rows = 0, expected: number) => rows > expected * 0.9 && rows < expected * 1.1

test('a table without statistics is estimated by its pages, one with them by its density; a progress bar waits for statistics', async () => {
  await client.query('CREATE TABLE plain (id bigint, day date) WITH (autovacuum_enabled = off)')
  await client.query(fill('plain', 1))
  const bySize = (await tableEstimates(client, [contract('plain')])).get('plain')
  expect(bySize).toMatchObject({ rowsFrom: 'size', widths: {} })
  expect(near(bySize?.rows, ROWS)).toBe(true)
  expect([...(await estimatedRows(client, [contract('plain')]))]).toEqual([['plain_v2', null]])
  await client.query('ANALYZE plain')
  expect((await tableEstimates(client, [contract('plain')])).get('plain')).toEqual({
    ...{ rows: ROWS, rowsFrom: 'statistics', widths: { id: 8, day: 4 } },
  })
  // The pages are those of now, so a table that has grown since is not told too small.
  await client.query(fill('plain', 2))
  const grown = (await estimatedRows(client, [contract('plain')])).get('plain_v2')
  expect(near(grown ?? 0, 2 * ROWS)).toBe(true)
  expect([...(await tableEstimates(client, [contract('absent')]))]).toEqual([])
})

test('a partitioned table is the sum of its partitions, also while the newest one has no statistics yet', async () => {
  await client.query(`
    CREATE TABLE parted (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') WITH (autovacuum_enabled = off);
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') WITH (autovacuum_enabled = off)`)
  await client.query(fill('parted', 1))
  await client.query('ANALYZE parted')
  const estimate = async () => (await tableEstimates(client, [contract('parted')])).get('parted')
  expect(await estimate()).toMatchObject({ rows: ROWS, rowsFrom: 'statistics', widths: { id: 8, day: 4 } })
  await client.query(`
    CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') WITH (autovacuum_enabled = off)`)
  expect(await estimate()).toMatchObject({ rows: ROWS, rowsFrom: 'statistics' })
  await client.query(fill('parted', 3))
  const both = await estimate()
  expect(both?.rowsFrom).toBe('statistics')
  expect(near(both?.rows, 2 * ROWS)).toBe(true)
})
