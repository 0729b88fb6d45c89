import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseSubject } from '../../../src/accounts/players/identity.ts'
import { prose } from '../../../src/accounts/text/prose.ts'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let testDatabase: TestDatabase
let database: Database
beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 1 })
})
afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

/** Every character beyond NUL of the first two planes, where all scripts and symbols are. */
function characters(): string[] {
  const found: string[] = []
  for (let code = 1; code <= 0x1ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) found.push(String.fromCodePoint(code))
  }
  return found
}

/** Inserts the texts into a column with the CHECKs of its table; the database takes all or fails. */
function insertAll(table: string, column: string, texts: readonly string[]): Promise<number> {
  return database.rawTransaction(async (client) => {
    await client.query(`CREATE TEMP TABLE judged (LIKE ${table} INCLUDING CONSTRAINTS) ON COMMIT DROP`)
    const { rows } = await client.query<{ name: string }>(
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'pg_temp.judged'::regclass AND attnum > 0 AND attnotnull",
    )
    for (const { name } of rows) await client.query(`ALTER TABLE judged ALTER COLUMN ${name} DROP NOT NULL`)
    const sql = `INSERT INTO judged (${column}) SELECT unnest($1::text[]) RETURNING 1`
    return (await client.query(sql, [texts])).rowCount ?? 0
  })
}

it('the database takes every subject that the rule accepts, byte for byte', async () => {
  const subjects = characters()
    .map((character) => `a${character}b`)
    .filter((text) => parseSubject(text).ok)
  expect(subjects.length).toBeGreaterThan(120_000)
  expect(await insertAll('player_identity', 'subject', subjects)).toBe(subjects.length)
})

it('the database takes every summary that the rule accepts', async () => {
  const rule = prose(2000)
  const summaries = characters().flatMap((character) => {
    const ruled = rule(character)
    return ruled.ok ? [ruled.value] : []
  })
  expect(summaries.length).toBeGreaterThan(100_000)
  expect(await insertAll('game', 'summary', [...summaries, 'x'.repeat(2000), '😀'.repeat(2000)])).toBe(
    summaries.length + 2,
  )
})
