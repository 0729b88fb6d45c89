import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyTogether } from '../../src/database/copy-rows.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { createStatementTap, type StatementTap } from '../support/statement-tap.ts'

let testDatabase: TestDatabase
let gate: Gate
let tap: StatementTap
/** Through the gate and, behind it, the tap. */
let database: Database
/** Straight. */
let direct: pg.Client

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  direct = new pg.Client(testDatabase.url)
  await direct.connect()
  await direct.query('CREATE TABLE note (id int PRIMARY KEY, text text)')
  tap = await createStatementTap(testDatabase.url)
  gate = await createGate(tap.url)
  database = openDatabase({ url: gate.url, poolSize: 3, patienceMs: 20_000 })
})

afterAll(async () => {
  await database.close()
  await gate.close()
  await tap.close()
  await direct.end()
  await testDatabase.drop()
})

/** As a server does that is shut down: each connection gets its error 57P01. */
const terminate = () =>
  direct.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )

const WAITING = `SELECT count(*)::int AS n FROM pg_locks
  WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const notes = async () => (await direct.query('SELECT id FROM note ORDER BY id')).rows.map(({ id }) => id)

const add = (id: number) => `INSERT INTO note VALUES (${id}, 'x')`

describe('a connection that the server ends', () => {
  it('before the COMMIT costs a transaction nothing: it runs again, and its changes are there once', async () => {
    let runs = 0
    await database.transaction(async (tx) => {
      runs++
      await tx.$executeRawUnsafe(add(1))
      if (runs === 1) await terminate()
      await tx.$executeRawUnsafe(add(2))
    })
    expect(runs).toBe(2)
    expect(await notes()).toEqual([1, 2])
  })

  it('costs an enclosing transaction nothing either, whatever way its parts take', async () => {
    let runs = 0
    await database.enclose(async (client) => {
      runs++
      await client.query(add(3))
      if (runs === 1) await terminate()
      await database.query({ text: 'INSERT INTO note VALUES ($1, $2)', values: [4, 'x'] })
      await database.withClient((inner) => inner.query(add(5)))
    })
    expect(runs).toBe(2)
    expect(await notes()).toEqual([1, 2, 3, 4, 5])
  })

  it('is told of a raw transaction as one that may be tried again', async () => {
    const work = database.rawTransaction(async (client) => {
      await client.query(add(6))
      await terminate()
      await client.query(add(7))
    })
    await expect(work).rejects.toMatchObject({ name: 'WriteConflict', code: 'unavailable' })
    expect(await notes()).not.toContain(6)
  })

  it('is not noticed by reads and single changes that come next', async () => {
    await database.query({ text: 'SELECT 1' })
    await terminate()
    await database.query({ text: 'INSERT INTO note VALUES ($1, $2)', values: [8, 'x'] })
    await terminate()
    expect(await database.query({ text: 'SELECT count(*)::int AS n FROM note WHERE id = 8' })).toEqual([{ n: 1 }])
    await terminate()
    expect(await database.prisma.studio.count()).toBe(0)
  })

  it('in the middle of a change waits for nobody: a statement that hangs on a lock is sent again', async () => {
    await direct.query('BEGIN')
    await direct.query('LOCK TABLE note')
    const changed = database.query({ text: 'INSERT INTO note VALUES ($1, $2)', values: [9, 'x'] })
    const read = database.query({ text: 'SELECT count(*)::int AS n FROM note WHERE id = 1' })
    const copied = database.withClient((client) =>
      copyTogether(client, [{ table: 'note', columns: ['id', 'text'], text: '10\tx\n' }]),
    )
    copied.catch(() => undefined)
    await expect.poll(async () => (await direct.query(WAITING)).rows[0].n).toBe(3)
    await terminate()
    await direct.query('COMMIT')
    await changed
    expect(await read).toEqual([{ n: 1 }])
    await expect(copied).rejects.toMatchObject({ name: 'WriteConflict' })
    expect(await notes()).toEqual([1, 2, 3, 4, 5, 8, 9])
  })
})

describe('connections that are gone without a word', () => {
  it('are found by asking each of them, and the next statement has a new one at once', async () => {
    const router = await createGate(testDatabase.url)
    const pair = openDatabase({ url: router.url, poolSize: 2 })
    await Promise.all([pair.ping(), pair.ping()])
    router.silence()
    router.open()
    expect(pair.poolState()).toMatchObject({ total: 2, idle: 2 })
    const answers = await Promise.allSettled([pair.ping(200), pair.ping(200)])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(pair.poolState().total).toBe(0)
    expect(await pair.query({ text: 'SELECT 1 AS n' })).toEqual([{ n: 1 }])
    await pair.close()
    await router.close()
  })
})

describe('a database that is away for a moment', () => {
  it('is waited for, whatever way is taken, but not by whoever asks whether it is there', async () => {
    gate.shut()
    await expect(database.ping()).rejects.toMatchObject({ code: 'unavailable' })
    const settled: string[] = []
    const ways: Readonly<Record<string, Promise<unknown>>> = {
      query: database.query({ text: 'SELECT 1' }),
      model: database.prisma.studio.count(),
      raw: database.prisma.$queryRaw`SELECT 1`,
      transaction: database.transaction((tx) => tx.$queryRaw`SELECT 1`),
      connection: database.withClient((client) => client.query('SELECT 1')),
      change: database.rawTransaction((client) => client.query(add(11))),
    }
    for (const [way, done] of Object.entries(ways)) void done.then(() => settled.push(way))
    await expect(database.ping()).rejects.toMatchObject({ code: 'unavailable' })
    expect(settled).toEqual([])
    gate.open()
    await Promise.all(Object.values(ways))
    expect(await notes()).toContain(11)
  })

  it('for longer than is waited is told, and then at once, until it is back', async () => {
    const hasty = openDatabase({ url: gate.url, poolSize: 2, patienceMs: 300 })
    try {
      await hasty.query({ text: 'SELECT 1' })
      gate.shut()
      const began = performance.now()
      const waiting = [hasty.query({ text: 'SELECT 1' }), hasty.prisma.studio.count()]
      for (const one of await Promise.allSettled(waiting)) {
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
      }
      expect(performance.now() - began).toBeGreaterThanOrEqual(300)
      let attempts = 0
      const counted = Promise.allSettled(
        Array.from({ length: 50 }, () => hasty.query({ text: 'SELECT 1' }).finally(() => attempts++)),
      )
      await counted
      expect(attempts).toBe(50)
      gate.open()
      await hasty.query({ text: 'SELECT 1' })
    } finally {
      await hasty.close()
    }
  })
})

describe('a connection that breaks without a word', () => {
  /** At the n-th statement of `work`, which is cut off there; the server has got it, or not. */
  const cutAt = async <T>(at: number, moment: 'before' | 'after', work: () => Promise<T>) => {
    await database.query({ text: 'SELECT 1' })
    tap.arm({ at, moment, kill: () => tap.arm() })
    return work()
  }

  it('before the COMMIT was sent costs nothing', async () => {
    let runs = 0
    await cutAt(2, 'after', () =>
      database.transaction(async (tx) => {
        runs++
        await tx.$executeRawUnsafe(add(20))
      }),
    )
    expect(runs).toBe(2)
    expect(await notes()).toContain(20)
  })

  it('after it was sent is told, for nobody knows: the change is there, or not, and never twice', async () => {
    const change = (id: number) => () =>
      database.transaction(async (tx) => {
        await tx.$executeRawUnsafe(add(id))
      })
    await expect(cutAt(3, 'after', change(21))).rejects.toMatchObject({ name: 'ConnectionLost', code: 'unavailable' })
    await expect(cutAt(3, 'before', change(22))).rejects.toMatchObject({ name: 'ConnectionLost' })
    const single = (id: number) => () => database.query({ text: 'INSERT INTO note VALUES ($1, $2)', values: [id, 'x'] })
    await expect(cutAt(1, 'after', single(23))).rejects.toMatchObject({ name: 'ConnectionLost' })
    await expect.poll(notes).toEqual(expect.arrayContaining([21, 23]))
    expect(await notes()).not.toContain(22)
  })

  it('costs a read nothing', async () => {
    expect(await cutAt(1, 'after', () => database.query({ text: 'SELECT 7 AS n' }))).toEqual([{ n: 7 }])
    expect(await cutAt(1, 'after', () => database.prisma.studio.count())).toBe(0)
  })
})
