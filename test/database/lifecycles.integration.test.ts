import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databaseError } from '../../src/database/constraint-errors.ts'
import type { ConstraintName } from '../../src/database/constraints.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { insertGame, insertMembership, insertOwner, insertPlayer, insertStudio, PUBLIC_FACTS } from './rows.ts'

/** Every pair of states of every lifecycle is tried: what is not listed here must be refused. */

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createTestDatabase()
  client = new pg.Client(database.url)
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

const erasedName = "'erased-' || substr(replace(id::text, '-', ''), 8, 25)"

interface Lifecycle {
  readonly table: string
  readonly rule: ConstraintName
  /** The states that may follow each state. */
  readonly steps: Readonly<Record<string, readonly string[]>>
  /** Inserts a row in that state and returns the condition that finds it. */
  readonly insertIn: (state: string) => Promise<string>
  /** What else a state needs to be set, as SQL. */
  readonly also?: (state: string) => string
}

const withId = (id: string) => `id = '${id}'`

const lifecycles: readonly Lifecycle[] = [
  {
    table: 'studio',
    rule: 'studio_transition',
    steps: {
      prospect: ['in_review', 'rejected', 'closed'],
      in_review: ['active', 'rejected', 'prospect'],
      active: ['suspended', 'closed'],
      suspended: ['active', 'closed'],
      rejected: ['prospect'],
      closed: [],
    },
    insertIn: async (status) => {
      const id = await insertStudio(client, { status })
      await insertMembership(client, id, await insertOwner(client))
      return withId(id)
    },
  },
  {
    table: 'studio_owner',
    rule: 'owner_transition',
    steps: { active: ['disabled', 'erased'], disabled: ['active', 'erased'], erased: [] },
    insertIn: async (status) => {
      const nothing = { full_name: null, email: null, email_key: null }
      return withId(await insertOwner(client, { status, ...(status === 'erased' && nothing) }))
    },
    also: (status) =>
      status === 'erased'
        ? ', full_name = NULL, email = NULL, email_key = NULL'
        : ", full_name = 'Ann', email = id || '@x.io', email_key = id || '@x.io'",
  },
  {
    table: 'studio_membership',
    rule: 'membership_transition',
    steps: { invited: ['active', 'left'], active: ['left'], left: ['invited'] },
    insertIn: async (status) => {
      const [studioId, ownerId] = [await insertStudio(client), await insertOwner(client)]
      await insertMembership(client, studioId, ownerId, { status, left_at: status === 'left' ? '2026-01-01' : null })
      return `studio_id = '${studioId}'`
    },
    also: (status) => `, left_at = ${status === 'left' ? 'now()' : 'NULL'}`,
  },
  {
    table: 'game',
    rule: 'game_transition',
    steps: {
      draft: ['submitted', 'withdrawn'],
      submitted: ['in_review', 'withdrawn'],
      in_review: ['changes_requested', 'approved', 'rejected'],
      changes_requested: ['submitted', 'withdrawn'],
      approved: ['announced', 'cancelled'],
      announced: ['early_access', 'released', 'cancelled'],
      early_access: ['released', 'delisted'],
      released: ['delisted'],
      delisted: ['released', 'retired'],
      retired: [],
      rejected: ['draft'],
      withdrawn: ['draft'],
      cancelled: [],
    },
    insertIn: async (status) => withId(await insertGame(client, { ...PUBLIC_FACTS, status })),
  },
  {
    table: 'player',
    rule: 'player_transition',
    steps: {
      active: ['closed', 'erasure_pending'],
      closed: ['active', 'erasure_pending'],
      erasure_pending: ['active', 'closed', 'erased'],
      erased: [],
    },
    insertIn: async (status) => {
      if (status !== 'erased') return withId(await insertPlayer(client, { status }))
      const id = '01932f00-0000-7abc-8000-1234567890ab'
      const name = `erased-${id.replaceAll('-', '').slice(7, 32)}`
      return withId(
        await insertPlayer(client, { id, status, username: name, username_key: name, erased_at: '2026-01-01' }),
      )
    },
    also: (status) =>
      status === 'erased' ? `, erased_at = now(), username = ${erasedName}, username_key = ${erasedName}` : '',
  },
]

/** The rule that refuses the step, or undefined if it passes; nothing of it remains. */
async function attempt(lifecycle: Lifecycle, from: string, to: string): Promise<string | undefined> {
  await client.query('BEGIN')
  try {
    const where = await lifecycle.insertIn(from)
    await client.query(`UPDATE ${lifecycle.table} SET status = '${to}'${lifecycle.also?.(to) ?? ''} WHERE ${where}`)
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    return undefined
  } catch (error) {
    const { constraint } = databaseError(error) as { constraint?: string }
    return constraint ?? String(error)
  } finally {
    await client.query('ROLLBACK')
  }
}

describe.each(lifecycles)('the lifecycle of $table', (lifecycle) => {
  const { steps, rule } = lifecycle

  it('knows every state that the database knows', async () => {
    const { rows } = await client.query<{ label: string }>(
      `SELECT e.enumlabel::text AS label FROM pg_enum e JOIN pg_attribute a ON a.atttypid = e.enumtypid
       WHERE a.attrelid = '${lifecycle.table}'::regclass AND a.attname = 'status'`,
    )
    expect(rows.map(({ label }) => label).sort()).toEqual(Object.keys(steps).sort())
  })

  it('allows every step that is listed and refuses every other', async () => {
    const wrong: string[] = []
    for (const from of Object.keys(steps)) {
      for (const to of Object.keys(steps).filter((state) => state !== from)) {
        const refusedBy = await attempt(lifecycle, from, to)
        if (refusedBy !== (steps[from]?.includes(to) ? undefined : rule)) wrong.push(`${from} -> ${to}: ${refusedBy}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
