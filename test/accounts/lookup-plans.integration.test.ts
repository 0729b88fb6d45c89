import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findAccessFacts } from '../../src/accounts/library/access-store.ts'
import { lockPlayedLines } from '../../src/accounts/library/playtime-store.ts'
import { findPlayersBy } from '../../src/accounts/players/player-lookup-store.ts'
import type { Database, Transaction } from '../../src/database/database.ts'
import { seedCrowd } from '../support/crowd.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The questions of game back ends cost what they ask for, not what there is: no table is read as a whole. */

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createTestDatabase()
  await seedCrowd(database.url, 20_000)
  client = new pg.Client(database.url)
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

/** The plan of the one statement that the work sends, as it was carried out. */
async function planOf(work: (db: Database & Transaction) => Promise<unknown>): Promise<string> {
  let plan = ''
  const spy = {
    async query({ text, values }: { readonly text: string; readonly values: unknown[] }) {
      const { rows } = await client.query(`EXPLAIN (ANALYZE, TIMING OFF) ${text}`, values)
      plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      return []
    },
    $queryRawUnsafe: (text: string, ...values: unknown[]) => spy.query({ text, values }),
  }
  await work(spy as unknown as Database & Transaction)
  return plan
}

const ofFive = async <Row>(sql: string) => (await client.query(`${sql} LIMIT 5`)).rows as Row[]

it('a lookup by 20 identifiers of every kind', async () => {
  const players = await ofFive<{ id: string; username_key: string; email_key: string }>(
    'SELECT id, username_key, email_key FROM player WHERE email_key IS NOT NULL',
  )
  const identities = await ofFive<{ provider: 'steam'; namespace: string; subject: string }>(
    'SELECT provider, namespace, subject FROM player_identity WHERE subject IS NOT NULL',
  )
  const identifiers = [
    ...players.map(({ id }) => ({ by: 'id', id }) as const),
    ...players.map((player) => ({ by: 'username', key: player.username_key }) as const),
    ...players.map((player) => ({ by: 'email', key: player.email_key }) as const),
    ...identities.map((identity) => ({ by: 'identity', ...identity }) as const),
  ]
  expect(identifiers).toHaveLength(20)
  const plan = await planOf((db) => findPlayersBy(db, identifiers))
  expect(plan).not.toContain('Seq Scan')
  expect(plan).toMatch(/^Append .*actual rows=20/m)
})

it('a decision on access', async () => {
  const [line] = await ofFive<{ player_id: string; game_id: string; platform: 'windows' }>('SELECT * FROM player_game')
  const { player_id = '', game_id: id = '', platform = 'windows' } = line ?? {}
  const plan = await planOf((db) => findAccessFacts(db, player_id, { id }, platform))
  expect(plan).not.toContain('Seq Scan')
})

it('a report of play time about a few lines', async () => {
  const lines = await ofFive<{ player_id: string; game_id: string; platform: 'windows' }>('SELECT * FROM player_game')
  const keys = lines.map((line) => ({ playerId: line.player_id, gameId: line.game_id, platform: line.platform }))
  const plan = await planOf((db) => lockPlayedLines(db, keys))
  expect(plan).not.toMatch(/Seq Scan on (player_game|game) /)
})
