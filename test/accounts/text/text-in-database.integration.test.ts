import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEmail } from '../../../src/accounts/text/email.ts'
import { parseDisplayName } from '../../../src/accounts/text/line.ts'
import { parseUsername } from '../../../src/accounts/text/username.ts'
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

/** Every code point that is a character. */
function* codePoints(): Generator<string> {
  for (let code = 1; code <= 0x10ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code)
  }
}

/** The rows that a table with the player's CHECKs takes; it refuses them all when it refuses one. */
async function insertAll(columns: readonly string[], rows: readonly (readonly string[])[]): Promise<number> {
  return database.rawTransaction(async (client) => {
    await client.query('CREATE TEMP TABLE judged (LIKE player INCLUDING CONSTRAINTS) ON COMMIT DROP')
    for (const column of ['id', 'username', 'username_key', 'status', 'version', 'created_at', 'updated_at']) {
      await client.query(`ALTER TABLE judged ALTER COLUMN ${column} DROP NOT NULL`)
    }
    const arrays = columns.map((_, index) => rows.map((row) => row[index]))
    const unnested = columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
    const result = await client.query(
      `INSERT INTO judged (${columns.join(', ')}) SELECT * FROM unnest(${unnested})`,
      arrays,
    )
    return result.rowCount ?? 0
  })
}

describe('what the rules accept, the database accepts', () => {
  it('in usernames, for every code point there is', async () => {
    const rows: string[][] = []
    for (const character of codePoints()) {
      const ruled = parseUsername(`${character}ab`)
      if (ruled.ok) rows.push([ruled.value.name, ruled.value.key])
      const inside = parseUsername(`1${character}2`)
      if (inside.ok) rows.push([inside.value.name, inside.value.key])
    }
    expect(rows.length).toBeGreaterThan(200_000)
    expect(await insertAll(['username', 'username_key'], rows)).toBe(rows.length)
  })

  it('in display names and e-mail addresses, for every code point of the first two planes', async () => {
    const names: string[][] = []
    const addresses: string[][] = []
    for (const character of codePoints()) {
      if (character.codePointAt(0)! > 0x1ffff) break
      const name = parseDisplayName(`a${character}`)
      if (name.ok) names.push([name.value])
      const email = parseEmail(`a${character}@x.example`)
      if (email.ok) addresses.push([email.value.address, email.value.key])
    }
    expect(names.length).toBeGreaterThan(100_000)
    expect(addresses.length).toBeGreaterThan(10_000)
    expect(await insertAll(['display_name'], names)).toBe(names.length)
    expect(await insertAll(['email', 'email_key'], addresses)).toBe(addresses.length)
  })
})
