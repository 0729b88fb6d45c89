import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConstraintError, WriteConflict } from '../../src/database/constraint-errors.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { AppError } from '../../src/errors.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createGate } from '../support/gate.ts'

let testDatabase: TestDatabase
let database: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 4 })
})

afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const studio = (slug: string) => ({ id: randomUUID(), slug, name: slug })

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  )
}

describe('a transaction', () => {
  it('keeps everything or nothing', async () => {
    const error = new Error('changed my mind')
    const work = database.transaction(async (tx) => {
      await tx.studio.create({ data: studio('undone') })
      throw error
    })
    expect(await failure(work)).toBe(error)
    expect(await database.prisma.studio.count({ where: { slug: 'undone' } })).toBe(0)
    await database.transaction((tx) => tx.studio.create({ data: studio('done') }))
    expect(await database.prisma.studio.count({ where: { slug: 'done' } })).toBe(1)
  })

  it('reports a deferred rule that fails at commit', async () => {
    const work = database.transaction((tx) => tx.studio.create({ data: { ...studio('no-owner'), status: 'active' } }))
    expect(await failure(work)).toMatchObject({
      name: 'ConstraintError',
      kind: 'check',
      constraint: 'studio_has_owner',
    })
    expect(await database.prisma.studio.count({ where: { slug: 'no-owner' } })).toBe(0)
  })

  it('does not report success when the work swallowed the failure of a statement', async () => {
    const work = database.transaction(async (tx) => {
      await tx.studio.create({ data: studio('lost') })
      await tx.studio.create({ data: studio('lost') }).catch(() => undefined)
    })
    expect(await failure(work)).toBeInstanceOf(Error)
    expect(await database.prisma.studio.count({ where: { slug: 'lost' } })).toBe(0)
  })

  it('goes on after a failed statement that a savepoint has undone', async () => {
    await database.transaction(async (tx) => {
      await tx.studio.create({ data: studio('saved') })
      await tx.$executeRaw`SAVEPOINT before`
      await tx.studio.create({ data: studio('saved') }).catch(() => undefined)
      await tx.$executeRaw`ROLLBACK TO SAVEPOINT before`
    })
    expect(await database.prisma.studio.count({ where: { slug: 'saved' } })).toBe(1)
  })

  it('is run again after a serialization failure, and gives up with a write conflict', async () => {
    const { id } = await database.prisma.studio.create({ data: studio('contended') })
    let runs = 0
    const disturbed = (disturbances: number) => () =>
      database.transaction(
        async (tx) => {
          await tx.studio.findUniqueOrThrow({ where: { id } })
          runs += 1
          if (runs <= disturbances) {
            await database.prisma.studio.update({ where: { id }, data: { legalName: `Disturbance ${runs}` } })
          }
          await tx.studio.update({ where: { id }, data: { name: 'Contended' } })
        },
        { isolation: 'RepeatableRead' },
      )
    await disturbed(1)()
    expect(runs).toBe(2)
    runs = 0
    const error = await failure(disturbed(99)())
    expect(error).toBeInstanceOf(WriteConflict)
    expect(error).toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } })
    expect(runs).toBe(3)
  })

  it('gives up in words of ours when it takes too long', async () => {
    const work = database.transaction((tx) => tx.$queryRaw`SELECT 1 FROM pg_sleep(0.2)`, { timeoutMs: 50 })
    expect(await failure(work)).toMatchObject({ name: 'AppError', code: 'unavailable' })
  })

  it('gives up in words of ours when one statement takes too long', async () => {
    const hasty = openDatabase({ url: testDatabase.url, poolSize: 1, statementTimeoutMs: 50 })
    const error = await failure(hasty.transaction((tx) => tx.$queryRaw`SELECT 1 FROM pg_sleep(30)`))
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'unavailable' })
    await hasty.close()
  })

  it('gives up soon when another one holds the record, so that the pool is not used up by waiting', async () => {
    const { id } = await database.prisma.studio.create({ data: studio('held') })
    const hasty = openDatabase({ url: testDatabase.url, poolSize: 1, lockTimeoutMs: 50 })
    const rename = (name: string) => hasty.transaction((tx) => tx.studio.update({ where: { id }, data: { name } }))
    await database.transaction(async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM studio WHERE id = ${id}::uuid FOR UPDATE`
      const error = await failure(rename('waits'))
      expect(error).toMatchObject({ code: 'unavailable' })
      expect((error as Error).message).toContain('Another change holds the record')
    })
    expect((await rename('free')).name).toBe('free')
    await hasty.close()
  })

  it('gives up in words of ours when its connection is cut before the commit', async () => {
    const work = database.transaction(async (tx) => {
      await tx.studio.create({ data: studio('cut') })
      await tx.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`.catch(() => undefined)
    })
    expect(await failure(work)).toMatchObject({ name: 'ConnectionLost', code: 'unavailable' })
    expect(await database.prisma.studio.count({ where: { slug: 'cut' } })).toBe(0)
  })
})

describe('raw SQL', () => {
  it('commits, and rolls back when the work throws', async () => {
    const insert = 'INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), $1, $1)'
    await database.rawTransaction((client) => client.query(insert, ['raw-kept']))
    const thrown = database.rawTransaction(async (client) => {
      await client.query(insert, ['raw-undone'])
      throw new Error('no')
    })
    expect(await failure(thrown)).toMatchObject({ message: 'no' })
    const slugs = await database.prisma.studio.findMany({ where: { slug: { startsWith: 'raw-' } } })
    expect(slugs.map((row) => row.slug)).toEqual(['raw-kept'])
  })

  it('does not report success when the work swallowed the failure of a statement', async () => {
    const work = database.rawTransaction((client) => client.query('SELECT 1/0').catch(() => undefined))
    expect(await failure(work)).toMatchObject({ message: expect.stringContaining('nothing was committed') })
  })

  it('reports the rules by the same names', async () => {
    const work = database.withClient((client) =>
      client.query("INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), 'Bad Slug', 'Bad')"),
    )
    expect(await failure(work)).toMatchObject({ kind: 'check', constraint: 'studio_slug_valid', columns: ['slug'] })
  })

  it('survives the loss of its connection, and the next one gets another', async () => {
    const lost = database.withClient((client) => client.query('SELECT pg_terminate_backend(pg_backend_pid())'))
    expect(await failure(lost)).toMatchObject({ code: 'unavailable' })
    const { rows } = await database.withClient((client) => client.query('SELECT 1 AS one'))
    expect(rows).toEqual([{ one: 1 }])
  })

  it('runs in UTC, whatever the server says', async () => {
    const { rows } = await database.withClient((client) => client.query('SHOW timezone'))
    expect(rows).toEqual([{ TimeZone: 'UTC' }])
  })

  it('reads days and instants right, whatever style of dates the server has', async () => {
    const name = new URL(testDatabase.url).pathname.slice(1)
    await database.prisma.$executeRawUnsafe(`ALTER DATABASE "${name}" SET datestyle = 'SQL, DMY'`)
    // The setting holds for sessions that begin after it.
    const later = openDatabase({ url: testDatabase.url, poolSize: 1 })
    const sql = "SELECT '2026-03-01'::date::text AS day, '2026-03-01T12:00:00Z'::timestamptz AS instant"
    const rows = await later.prisma.$queryRawUnsafe(sql).finally(() => later.close())
    expect(rows).toEqual([{ day: '2026-03-01', instant: new Date('2026-03-01T12:00:00Z') }])
  })
})

describe('a database that is away', () => {
  it('is unavailable by every way when nothing listens', async () => {
    const away = openDatabase({ url: 'postgresql://nobody:x@127.0.0.1:1/none', poolSize: 1, connectTimeoutMs: 500 })
    const attempts = [
      () => away.ping(),
      () => away.prisma.studio.count(),
      () => away.transaction((tx) => tx.studio.count()),
      () => away.withClient((client) => client.query('SELECT 1')),
    ]
    for (const attempt of attempts) {
      const error = await failure(attempt())
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({ code: 'unavailable' })
    }
    await away.close()
  })

  it('is unavailable when every connection is taken for too long', async () => {
    const small = openDatabase({ url: testDatabase.url, poolSize: 1, connectTimeoutMs: 1_500 })
    await small.withClient(async () => {
      expect(await failure(small.prisma.studio.count())).toMatchObject({ code: 'unavailable' })
      expect(await failure(small.transaction((tx) => tx.studio.count()))).toMatchObject({ code: 'unavailable' })
      expect(small.poolState()).toMatchObject({ total: 1, idle: 0 })
    })
    await small.ping()
    await small.close()
  })

  it('answers again after its connections were cut while idle', async () => {
    await Promise.all([database.ping(), database.ping(), database.ping()])
    await database.withClient((client) =>
      client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      ),
    )
    // A connection that is cut may be noticed by the query that uses it; the pool then has a fresh one.
    await database.ping().catch((error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }))
    await database.ping()
  })
})

describe('a database that says nothing any more', () => {
  it('is unavailable after a while, and the next statements get connections that work', async () => {
    const gate = await createGate(testDatabase.url)
    const asked = openDatabase({ url: gate.url, poolSize: 2, connectTimeoutMs: 2_000, silenceTimeoutMs: 500 })
    try {
      const one = () => asked.query({ name: 'one', text: 'SELECT 1 AS n' })
      await Promise.all([one(), one()])
      gate.silence()
      for (const error of await Promise.all([failure(one()), failure(asked.ping())])) {
        expect(error).toMatchObject({ name: 'AppError', code: 'unavailable' })
      }
      gate.open()
      expect(await Promise.all([one(), one()])).toEqual([[{ n: 1 }], [{ n: 1 }]])
      await asked.ping()
      expect(asked.poolState()).toMatchObject({ total: 2, waiting: 0 })
    } finally {
      await gate.close()
      await asked.close()
    }
  })
})

describe('a table whose columns get other types', () => {
  const read = { name: 'read changing', text: 'SELECT kind FROM changing' }
  const write = { name: 'write changing', text: 'UPDATE changing SET kind = kind RETURNING kind' }
  let others = 0

  async function changed(): Promise<void> {
    await database.query({ text: `ALTER TABLE changing ALTER kind TYPE varchar(${100 + others++})` })
  }

  beforeAll(async () => {
    await database.query({ text: 'CREATE TABLE changing (kind text)' })
    await database.query({ text: "INSERT INTO changing VALUES ('a')" })
  })

  it('is read and written as before by every connection that knew it', async () => {
    const everywhere = (statement: typeof read) =>
      Promise.all(Array.from({ length: 8 }, () => database.query(statement)))
    for (const statement of [read, write]) {
      const before = await everywhere(statement)
      await changed()
      expect(await everywhere(statement)).toEqual(before)
      expect(await everywhere(statement)).toEqual(before)
    }
    expect(database.poolState()).toMatchObject({ waiting: 0 })
  })

  it('fails a transaction in which it is met once: the next attempt has another connection', async () => {
    const single = openDatabase({ url: testDatabase.url, poolSize: 1 })
    try {
      await single.query(write)
      await changed()
      let attempts = 0
      const rows = await single.enclose(() => {
        attempts += 1
        return single.query(write)
      })
      expect([rows, attempts]).toEqual([[{ kind: 'a' }], 2])
    } finally {
      await single.close()
    }
  })
})

it('never keeps the text "Failing row contains" of the original', async () => {
  const error = (await failure(
    database.prisma.player.create({ data: { id: randomUUID(), username: 'Zo', usernameKey: 'secret-name' } }),
  )) as ConstraintError
  expect(error).toBeInstanceOf(ConstraintError)
  expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain('secret-name')
})
