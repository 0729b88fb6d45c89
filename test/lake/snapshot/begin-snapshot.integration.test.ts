import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginSnapshot, openSource } from '../../../src/lake/snapshot/source.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(async () => {
  await database?.drop()
})

test('a deployment that locks tables in another order is never the victim of a deadlock with a snapshot', async () => {
  const deployment = new pg.Client(database.url)
  const { client } = await openSource(database.url, 'begin-snapshot')
  await deployment.connect()
  try {
    // The tests' server looks for deadlocks sooner than others do.
    await deployment.query(`SET deadlock_timeout = '1s'`)
    await deployment.query('BEGIN; LOCK TABLE player IN ACCESS EXCLUSIVE MODE')
    const begun = beginSnapshot(client, 60_000, ['studio', 'player'])
    const waits = async () => {
      // The number of the table is the same in all databases of tests.
      const sql = `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'player'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      return (await deployment.query(sql)).rows[0].n === 1
    }
    while (!(await waits()));
    await deployment.query('LOCK TABLE studio IN ACCESS EXCLUSIVE MODE; COMMIT')
    expect(await begun).toMatchObject({ role: 'primary' })
  } finally {
    await deployment.end()
    await client.end()
  }
})

test('tables that stay locked end the wait by name', async () => {
  const other = new pg.Client(database.url)
  const { client } = await openSource(database.url, 'begin-snapshot')
  await other.connect()
  try {
    await other.query('BEGIN; LOCK TABLE game IN ACCESS EXCLUSIVE MODE')
    // Longer than one try: it is begun again before it ends.
    await expect(beginSnapshot(client, 60_000, ['studio', 'game'], 900)).rejects.toMatchObject({ code: '55P03' })
  } finally {
    await other.end()
    await client.end()
  }
})
