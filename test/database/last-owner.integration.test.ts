import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConstraintError, databaseError, WriteConflict } from '../../src/database/constraint-errors.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { insertActiveStudio, insertMembership, insertOwner } from './rows.ts'

/** An active studio keeps an active owner, whoever does what at the same moment. */

const ROUNDS = 6
const LEAVE = "UPDATE studio_membership SET status = 'left', left_at = now() WHERE studio_id = $1 AND owner_id = $2"
const DISABLE = "UPDATE studio_owner SET status = 'disabled' WHERE id = $1"

let database: TestDatabase
let setup: pg.Client
let first: pg.Client
let second: pg.Client

beforeAll(async () => {
  database = await createTestDatabase()
  ;[setup, first, second] = (await Promise.all(
    [1, 2, 3].map(async () => {
      const client = new pg.Client(database.url)
      await client.connect()
      return client
    }),
  )) as [pg.Client, pg.Client, pg.Client]
})

afterAll(async () => {
  await Promise.all([setup, first, second].map((client) => client.end()))
  await database.drop()
})

async function commit(client: pg.Client): Promise<unknown> {
  try {
    await client.query('COMMIT')
    return undefined
  } catch (error) {
    return databaseError(error)
  }
}

async function activeOwners(studioId: string): Promise<number> {
  const { rows } = await setup.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM studio_membership m JOIN studio_owner o ON o.id = m.owner_id
     WHERE m.studio_id = $1 AND m.role = 'owner' AND m.status = 'active' AND o.status = 'active'`,
    [studioId],
  )
  return rows[0]?.n ?? 0
}

/** Resolves when that connection waits for a lock of another one. */
async function untilBlocked(client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  const sql = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"
  while ((await setup.query(sql, [processID])).rowCount === 0);
}

it('the second check waits for the transaction of the first, and then sees what it did', async () => {
  const { studioId, ownerIds } = await insertActiveStudio(setup, 2)
  const [a, b] = ownerIds as [string, string]
  await Promise.all([first.query('BEGIN'), second.query('BEGIN')])
  await Promise.all([first.query(LEAVE, [studioId, a]), second.query(LEAVE, [studioId, b])])
  await first.query('SET CONSTRAINTS ALL IMMEDIATE')
  const check = second.query('SET CONSTRAINTS ALL IMMEDIATE').then(() => 'passed', databaseError)
  expect(await Promise.race([check, untilBlocked(second).then(() => 'waits')])).toBe('waits')
  await first.query('COMMIT')
  expect(await check).toMatchObject({ constraint: 'studio_has_owner' })
  await second.query('ROLLBACK')
  expect(await activeOwners(studioId)).toBe(1)
})

const isolations = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const

describe.each(isolations)('under %s', (isolation) => {
  const begin = (client: pg.Client) => client.query(`BEGIN ISOLATION LEVEL ${isolation}`)

  /** Both statements are done before either commits: neither transaction can see the other. */
  async function race(one: [string, string[]], other: [string, string[]]): Promise<unknown[]> {
    await Promise.all([begin(first), begin(second)])
    await Promise.all([first.query(...one), second.query(...other)])
    return (await Promise.all([commit(first), commit(second)])).filter((error) => error !== undefined)
  }

  it('of two last owners who leave at the same moment one is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { studioId, ownerIds } = await insertActiveStudio(setup, 2)
      const [a, b] = ownerIds as [string, string]
      const refused = await race([LEAVE, [studioId, a]], [LEAVE, [studioId, b]])
      expect(refused).toHaveLength(1)
      expect(await activeOwners(studioId)).toBe(1)
      if (isolation === 'READ COMMITTED') {
        expect(refused[0]).toBeInstanceOf(ConstraintError)
        expect(refused[0]).toMatchObject({ constraint: 'studio_has_owner' })
      }
    }
  })

  it('one leaves while the other is disabled: one of both is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { studioId, ownerIds } = await insertActiveStudio(setup, 2)
      const [a, b] = ownerIds as [string, string]
      const refused = await race([LEAVE, [studioId, a]], [DISABLE, [b]])
      expect(refused).toHaveLength(1)
      expect(await activeOwners(studioId)).toBe(1)
    }
  })

  it('a successor who is disabled at that moment does not count', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { studioId, ownerIds } = await insertActiveStudio(setup)
      const successor = await insertOwner(setup)
      await Promise.all([begin(first), begin(second)])
      await insertMembership(first, studioId, successor)
      await first.query(LEAVE, [studioId, ownerIds[0] as string])
      await second.query(DISABLE, [successor])
      const refused = (await Promise.all([commit(first), commit(second)])).filter((error) => error !== undefined)
      expect(refused.length).toBeGreaterThanOrEqual(1)
      for (const error of refused) {
        expect(error instanceof WriteConflict || error instanceof ConstraintError).toBe(true)
      }
      expect(await activeOwners(studioId)).toBeGreaterThanOrEqual(1)
    }
  })
})
