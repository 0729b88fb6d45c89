import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { checkTail } from '../../../src/lake/parquet/read.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { withStudioName } from './copy-trap.ts'
import { tableRows } from './file-rows.ts'
import { seedNoise } from './seed.ts'
import { forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

/** Rows of so many bytes are scanned one by one, so a file of one row group of one row is full after each. */
const LARGE_NAME = `repeat(md5(slug), 10000)`

let aws: TestAws
let database: TestDatabase
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  place = await newPlace(aws, database.url)
  open = openLake(place, { rowGroupRows: 1, fileTargetBytes: 1 })
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await place.remove()
})

async function studios(count: number): Promise<void> {
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query('SET session_replication_role = replica; DELETE FROM studio')
  await client.end()
  await seedNoise(database.url, count)
}

const columns = contracts.find((contract) => contract.table === 'studio')!.columns

test.each([
  ['an empty table', 0, [0]],
  ['one row', 1, [1]],
  ['one row more than a file', 2, [1, 1]],
])('lake 19: %s → valid files with the schema of the contract, right counts', async (_, count, expected) => {
  await studios(count)
  const { id, state } = await runSnapshot({ ...open.lake, contracts: withStudioName(LARGE_NAME) })
  expect(state).toBe('published')
  const manifest = parseManifest((await manifestOf(open.database, id)) ?? '')
  const table = manifest.tables.find(({ name }) => name === 'studios')
  expect(table?.rows).toBe(count)
  // Where the end of the rows is not known yet when a file is full, the next one is begun, and has none.
  const rowsOf = (table?.files ?? []).map((file) => file.rows)
  expect(rowsOf.filter((rows, at) => at === 0 || rows > 0)).toEqual(expected)
  expect(rowsOf.length - expected.length).toBeLessThanOrEqual(1)
  for (const file of table?.files ?? []) {
    const stored = await open.lake.bucket.head(file.key)
    expect(stored).toMatchObject({ bytes: file.bytes, crc32: file.crc32 })
    // Opens the footer with another reader than the writer, and compares names and types.
    const footer = checkTail(await open.lake.bucket.tail(file.key, file.tail_bytes), file.bytes, columns)
    expect(footer.rows).toBe(file.rows)
  }
  const rows = await tableRows(open.lake, id, 'studios')
  expect(rows.map((row) => row.slug).sort()).toEqual(Array.from({ length: count }, (_, n) => `noise-${n + 1}`))
  for (const row of rows) expect(String(row.name)).toHaveLength(320_000)
})
