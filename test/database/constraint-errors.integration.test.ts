import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databaseError } from '../../src/database/constraint-errors.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { AppError, describe as describeError } from '../../src/errors.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The same refusal has the same words, whether it comes through Prisma, through its raw SQL or through pg. */

let testDatabase: TestDatabase
let database: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 3 })
  await database.prisma.studio.create({ data: { id: randomUUID(), slug: 'taken', name: 'Taken' } })
  await database.prisma.game.create({
    data: { id: GAME, studioId: (await studioId()) ?? '', slug: 'game', title: 'G' },
  })
  await database.prisma.gamePlatform.create({ data: { gameId: GAME, platform: 'web' } })
  await database.prisma.player.create({ data: { id: PLAYER, username: 'Zoe', usernameKey: 'zoe' } })
  await database.prisma.playerGame.create({
    data: { id: randomUUID(), playerId: PLAYER, gameId: GAME, platform: 'web', source: 'free', acquiredAt: new Date() },
  })
})

afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const GAME = randomUUID()
const PLAYER = randomUUID()
const studioId = async () => (await database.prisma.studio.findFirst())?.id

const cases = [
  {
    name: 'a value that is taken',
    prisma: () => database.prisma.studio.create({ data: { id: randomUUID(), slug: 'taken', name: 'Other' } }),
    sql: "INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), 'taken', 'Other')",
    expected: { kind: 'unique', constraint: 'studio_slug_key', table: 'studio', columns: ['slug'], sqlState: '23505' },
  },
  {
    name: 'a CHECK',
    prisma: () => database.prisma.studio.create({ data: { id: randomUUID(), slug: 'No Slug', name: 'Other' } }),
    sql: "INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), 'No Slug', 'Other')",
    expected: { kind: 'check', constraint: 'studio_slug_valid', table: 'studio', columns: ['slug'], sqlState: '23514' },
  },
  {
    name: 'a transition',
    prisma: () => database.prisma.studio.updateMany({ where: { slug: 'taken' }, data: { status: 'suspended' } }),
    sql: "UPDATE studio SET status = 'suspended' WHERE slug = 'taken'",
    expected: { kind: 'check', constraint: 'studio_transition', table: 'studio', columns: ['status'] },
  },
  {
    name: 'a deferred rule',
    prisma: () =>
      database.prisma.studio.create({ data: { id: randomUUID(), slug: 'lonely', name: 'L', status: 'active' } }),
    sql: "INSERT INTO studio (id, slug, name, status) VALUES (gen_random_uuid(), 'lonely', 'L', 'active')",
    expected: { kind: 'check', constraint: 'studio_has_owner', table: 'studio' },
  },
  {
    name: 'a parent that does not exist',
    prisma: () =>
      database.prisma.game.create({ data: { id: randomUUID(), studioId: randomUUID(), slug: 'orphan', title: 'O' } }),
    sql: "INSERT INTO game (id, studio_id, slug, title) VALUES (gen_random_uuid(), gen_random_uuid(), 'orphan', 'O')",
    expected: { kind: 'foreign-key', constraint: 'game_studio_id_fkey', table: 'game', inUse: false },
  },
  {
    name: 'a row that others refer to',
    prisma: () => database.prisma.gamePlatform.deleteMany({ where: { gameId: GAME } }),
    sql: 'DELETE FROM game_platform',
    expected: {
      kind: 'foreign-key',
      constraint: 'player_game_game_id_platform_fkey',
      table: 'player_game',
      inUse: true,
    },
  },
  {
    name: 'a row that stays',
    prisma: () => database.prisma.player.deleteMany(),
    sql: 'DELETE FROM player',
    expected: { kind: 'refused', constraint: undefined, table: 'player', sqlState: '55000' },
  },
  {
    name: 'a text that the column cannot hold',
    prisma: () => database.prisma.studio.create({ data: { id: randomUUID(), slug: 'nul', name: 'private\u0000' } }),
    sql: "INSERT INTO studio (id, slug, name) VALUES ('private', 'nul', 'N')",
    expected: { kind: 'value', constraint: undefined },
  },
] as const

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error,
  )
}

describe.each(cases)('$name', ({ prisma, sql, expected }) => {
  it.each([
    ['Prisma', prisma],
    ["Prisma's raw SQL", () => database.prisma.$executeRawUnsafe(sql)],
    ['a transaction', () => database.transaction((tx) => tx.$executeRawUnsafe(sql))],
    ['pg', () => database.withClient((client) => client.query(sql))],
    ['a transaction of pg', () => database.rawTransaction((client) => client.query(sql))],
  ])('has one name through %s', async (_, work) => {
    const error = await failure(work())
    expect(error).toMatchObject({ name: 'ConstraintError', ...expected })
    expect(describeError(error)).not.toMatch(/taken|private|INSERT|Failing row/)
  })
})

it('a NULL where a value must be names table and column', async () => {
  const sql = "INSERT INTO studio (id, slug) VALUES (gen_random_uuid(), 'nameless')"
  const expected = { kind: 'not-null', table: 'studio', columns: ['name'] }
  expect(await failure(database.prisma.$executeRawUnsafe(sql))).toMatchObject(expected)
  expect(await failure(database.withClient((client) => client.query(sql)))).toMatchObject(expected)
})

it('a record that is not there is not found', async () => {
  const missing = database.prisma.studio.update({ where: { id: randomUUID() }, data: { name: 'x' } })
  expect(await failure(missing)).toMatchObject({ name: 'AppError', code: 'not-found' })
})

it('of two transactions in a deadlock the loser is told to try again', async () => {
  const [a, b] = ['dead-a', 'dead-b']
  await database.prisma.studio.createMany({ data: [a, b].map((slug) => ({ id: randomUUID(), slug, name: slug })) })
  const update = 'UPDATE studio SET legal_name = $2 WHERE slug = $1'
  let arrived = 0
  let open = () => {}
  const both = new Promise<void>((resolve) => {
    open = resolve
  })
  const crossing = (one: string, other: string) =>
    database.rawTransaction(async (client) => {
      await client.query(update, [one, one])
      arrived += 1
      if (arrived === 2) open()
      await both
      await client.query(update, [other, one])
    })
  const outcomes = await Promise.allSettled([crossing(a, b), crossing(b, a)])
  const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(lost).toHaveLength(1)
  expect(lost[0]?.reason).toMatchObject({ name: 'WriteConflict', code: 'unavailable' })
})

describe('databaseError', () => {
  it('hands back what is not of the database, as it is', () => {
    const others = [new Error('x'), new TypeError('y'), 'text', undefined, new AppError('conflict', 'z')]
    for (const other of others) expect(databaseError(other)).toBe(other)
  })

  it('does not translate twice', async () => {
    const error = await failure(cases[0].prisma())
    expect(databaseError(error)).toBe(error)
  })

  it('leaves a mistake in our SQL a defect', async () => {
    const error = await failure(database.withClient((client) => client.query('SELEC 1')))
    expect(error).not.toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: '42601' })
  })
})
