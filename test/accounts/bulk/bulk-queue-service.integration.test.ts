import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BulkItem, Outcome } from '../../../src/accounts/bulk/bulk-item.ts'
import { type BatchWriter, BulkQueue } from '../../../src/accounts/bulk/bulk-queue-service.ts'
import { PLAYER_KEYS, type PlayerLine, playerKeyTexts } from '../../../src/accounts/players/player-import.ts'
import { parsePlayerLine } from '../../../src/accounts/players/player-import-schema.ts'
import { applyPlayers, preparePlayers } from '../../../src/accounts/players/player-import-service.ts'
import { systemContext } from '../../../src/caller.ts'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase } from '../../support/database.ts'

const BATCHES = 14
const LINES = 12
/** Players who are there before the file comes. */
const OLD = 40
const CONTEXT = systemContext('test', 'test-bulk-queue')

interface Place {
  readonly database: Database
  close(): Promise<void>
}

async function openPlace(): Promise<Place> {
  const { url, drop } = await createTestDatabase()
  const database = openDatabase({ url, poolSize: 4 })
  await database.withClient((client) =>
    client.query(`INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), 'acme', 'Acme')`),
  )
  return {
    database,
    async close() {
      await database.close()
      await drop()
    },
  }
}

function itemOf(input: object, number: number): BulkItem<PlayerLine> {
  const checked = parsePlayerLine(input)
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors))
  const line = checked.value
  const name = PLAYER_KEYS.find((key) => playerKeyTexts(line, key).length > 0)
  return { number, line, key: name && { name, texts: playerKeyTexts(line, name) } }
}

function told(outcome: Outcome): string {
  if (outcome.status !== 'error') return `${outcome.status} ${outcome.version}`
  const { code, errors, extra } = outcome.error
  return JSON.stringify([code, errors, extra])
}

/** All batches at once, or each after the one before it; what became of the lines, and of the tables. */
async function run({ database }: Place, writer: BatchWriter<PlayerLine>, inputs: readonly object[][], atOnce: boolean) {
  const lineOfRow = new Map<string, number>()
  const facts = { context: CONTEXT, mode: 'upsert', firstLineOf: (id: string) => lineOfRow.get(id) } as const
  const old = Array.from({ length: OLD }, (_, i) => itemOf(oldPlayer(i), i + 1))
  await new BulkQueue(database, { apply: applyPlayers }).apply(old, { ...facts, firstLineOf: () => undefined })
  const queue = new BulkQueue(database, writer)
  const apply = async (batch: readonly object[], index: number) => {
    const items = batch.map((input, place) => itemOf(input, index * LINES + place + 1))
    const outcomes = await queue.apply(items, facts)
    outcomes.forEach((outcome, place) => {
      if (outcome.status !== 'error') lineOfRow.set(outcome.id, (items[place] as BulkItem<PlayerLine>).number)
    })
    return outcomes.map(told)
  }
  const verdicts: string[][] = []
  if (atOnce) verdicts.push(...(await Promise.all(inputs.map(apply))))
  else for (const [index, batch] of inputs.entries()) verdicts.push(await apply(batch, index))
  return { verdicts, tables: await tables(database) }
}

/** Everything but what no two runs have in common: ids and times. */
async function tables(database: Database) {
  return database.withClient(async (client) => {
    const rows = async (sql: string) => (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][]
    return {
      players: await rows(
        `SELECT username, username_key, display_name, email, email_key, status, closed_at IS NULL, version,
          CASE WHEN created_at < '2026-01-01' THEN created_at ELSE NULL END, created_at <= now() FROM player ORDER BY username_key`,
      ),
      identities: await rows(
        `SELECT p.username_key, i.provider, i.namespace, i.subject, i.linked_at <= now(), i.version
          FROM player_identity i JOIN player p ON p.id = i.player_id ORDER BY 1, 2, 3, 4`,
      ),
      trail: await rows(
        `SELECT p.username_key, a.action, a.actor_id, a.studio_id IS NULL, a.changes - 'id' - 'closedAt'
          FROM audit_event a JOIN player p ON p.id::text = a.entity_id ORDER BY 1, 2, 5::text`,
      ),
    }
  })
}

const oldPlayer = (i: number) => ({
  username: `name${i}`,
  email: `mail${i}@example.com`,
  identities: [{ provider: 'discord', subject: `d${i}` }],
})

/** Mostly new players; some batches name what other lines name, in the same batch and in others, or what old players have. */
const file = fc.noBias(fc.integer()).map((seed) => {
  let state = seed
  // mulberry32: even, which the numbers that a property makes up by themselves are not.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const pick = (count: number) => Math.floor(next() * count)
  let player = OLD
  return Array.from({ length: BATCHES }, () => {
    const isClean = next() < 0.7
    return Array.from({ length: LINES }, () => {
      const own = player++
      const other = () => (isClean || next() < 0.7 ? own : pick(player + 20))
      const line: Record<string, unknown> = { username: `name${other()}`, email: `mail${other()}@example.com` }
      if (next() < 0.3) line.identities = [{ provider: 'discord', subject: `d${other()}` }]
      if (!isClean && next() < 0.1)
        line.identities = [{ provider: 'studio', namespace: pick(2) ? 'acme' : 'none', subject: `s${own}` }]
      if (!isClean && next() < 0.1) delete line.username
      if (!isClean && next() < 0.1) line.status = 'closed'
      if (!isClean && next() < 0.2) line.createdAt = '2025-01-31T12:00:00.000Z'
      return line
    })
  })
})

describe('batches on their way side by side', () => {
  const places: Place[] = []
  const open = async () => {
    const place = await openPlace()
    places.push(place)
    return place
  }
  let hopeful = 0
  let prepared = 0
  const eager: BatchWriter<PlayerLine> = {
    apply: applyPlayers,
    prepareNew(items, facts) {
      prepared++
      const ready = preparePlayers(items, facts)
      if (ready !== undefined) hopeful++
      return ready
    },
  }
  beforeAll(() => {
    hopeful = 0
  })
  afterAll(() => Promise.all(places.map((place) => place.close())))

  it(
    'have the outcomes and leave the rows that they have one after the other, each with a look first',
    async () => {
      await fc.assert(
        fc.asyncProperty(file, async (inputs) => {
          const [alone, sideBySide] = [await open(), await open()]
          const expected = await run(alone, { apply: applyPlayers }, inputs, false)
          const found = await run(sideBySide, eager, inputs, true)
          expect(found.verdicts).toEqual(expected.verdicts)
          expect(found.tables).toEqual(expected.tables)
          await Promise.all([alone.close(), sideBySide.close()])
          places.length = 0
        }),
        { numRuns: counted(4, 200), endOnFailure: true },
      )
      expect(prepared).toBeGreaterThan(4)
      expect(hopeful).toBeGreaterThan(4)
    },
    counted(60_000, 3_600_000),
  )

  it('are refused by the database where somebody else was first, and then say of each line what is wrong', async () => {
    const { database } = await open()
    const other = new BulkQueue(database, eager)
    const queue = new BulkQueue(database, eager)
    const facts = { context: CONTEXT, mode: 'upsert', firstLineOf: () => undefined } as const
    const players = (...names: string[]) =>
      names.map((name, index) => itemOf({ username: name, email: `${name}@example.com` }, index + 1))
    const before = hopeful
    const verdicts = async (work: Promise<Outcome[]>) => (await work).map(told)
    expect(await verdicts(queue.apply(players('first'), facts))).toEqual(['created 1'])
    expect(await verdicts(other.apply(players('second', 'third'), facts))).toEqual(['created 1', 'created 1'])
    const taken = itemOf({ username: 'fifth', email: 'third@example.com' }, 2)
    expect(await verdicts(queue.apply([...players('fourth'), taken, ...players('second')], facts))).toEqual([
      'created 1',
      '["email-taken",[{"pointer":"/email","code":"email-taken"}],{}]',
      'unchanged 1',
    ])
    expect(hopeful - before).toBe(1)
    expect(queue.isHopeful).toBe(false)
  })

  it('fail as one when the database is away', async () => {
    const { url, drop } = await createTestDatabase()
    const database = openDatabase({ url, poolSize: 2 })
    const queue = new BulkQueue(database, eager)
    const facts = { context: CONTEXT, mode: 'upsert', firstLineOf: () => undefined } as const
    await queue.apply([itemOf({ username: 'first' }, 1)], facts)
    await database.close()
    const works = ['second', 'third'].map((username) => queue.apply([itemOf({ username }, 1)], facts))
    for (const { status } of await Promise.allSettled(works)) expect(status).toBe('rejected')
    await drop()
  })
})
