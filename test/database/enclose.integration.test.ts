import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase, type RawClient, type Transaction } from '../../src/database/database.ts'
import { newId } from '../../src/identifier.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let testDatabase: TestDatabase
/** With one connection, whoever needed a second one would wait for ever. */
let narrow: Database
let other: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  narrow = openDatabase({ url: testDatabase.url, poolSize: 1 })
  other = openDatabase({ url: testDatabase.url, poolSize: 3 })
})

afterAll(async () => {
  await narrow.close()
  await other.close()
  await testDatabase.drop()
})

const studio = (slug: string) => ({ id: newId(), slug, name: slug })
const insert = 'INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), $1, $1)'
const seen = (slug: string, database = other) => database.prisma.studio.count({ where: { slug } })

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe('an enclosing transaction', () => {
  it('is one for transactions, raw SQL and single calls, on one connection, and nobody else sees it before its end', async () => {
    await narrow.enclose(async () => {
      await narrow.transaction((tx) => tx.studio.create({ data: studio('one-a') }))
      await narrow.rawTransaction((client) => client.query(insert, ['one-b']))
      await narrow.withClient((client) => client.query(insert, ['one-c']))
      await narrow.prisma.studio.create({ data: studio('one-d') })
      for (const slug of ['one-a', 'one-b', 'one-c', 'one-d']) {
        expect(await seen(slug, narrow)).toBe(1)
        expect(await seen(slug)).toBe(0)
      }
    })
    for (const slug of ['one-a', 'one-b', 'one-c', 'one-d']) expect(await seen(slug)).toBe(1)
  })

  it('takes back everything when its work fails', async () => {
    const work = narrow.enclose(async () => {
      await narrow.transaction((tx) => tx.studio.create({ data: studio('back') }))
      await narrow.prisma.studio.create({ data: studio('back-too') })
      throw new Error('no')
    })
    expect(await failure(work)).toMatchObject({ message: 'no' })
    expect(await seen('back')).toBe(0)
    expect(await seen('back-too')).toBe(0)
  })

  it('survives a part that fails, without what that part did', async () => {
    await narrow.enclose(async () => {
      await narrow.transaction((tx) => tx.studio.create({ data: studio('kept') }))
      const part = narrow.transaction(async (tx) => {
        await tx.studio.create({ data: studio('lost') })
        await tx.studio.create({ data: studio('kept') })
      })
      expect(await failure(part)).toMatchObject({ constraint: 'studio_slug_key' })
      const raw = narrow.withClient((client) => client.query(insert, ['kept']))
      expect(await failure(raw)).toMatchObject({ constraint: 'studio_slug_key' })
      await narrow.transaction((tx) => tx.studio.create({ data: studio('kept-after') }))
    })
    expect(await Promise.all(['kept', 'lost', 'kept-after'].map((slug) => seen(slug)))).toEqual([1, 0, 1])
  })

  it('fails a part that swallowed the failure of a statement', async () => {
    await narrow.enclose(async () => {
      const part = narrow.transaction(async (tx) => {
        await tx.studio.create({ data: studio('swallowed') })
        await tx.studio.create({ data: studio('swallowed') }).catch(() => undefined)
      })
      expect(await failure(part)).toBeInstanceOf(Error)
      expect(await seen('swallowed', narrow)).toBe(0)
    })
  })

  it('judges deferred rules at the end of each part, and defers them again for the next', async () => {
    const activate = async (tx: Transaction, slug: string) => {
      for (const status of ['in_review', 'active'] as const)
        await tx.studio.update({ where: { slug }, data: { status } })
    }
    await narrow.enclose(async () => {
      await narrow.transaction((tx) => tx.studio.create({ data: studio('ownerless') }))
      const part = narrow.transaction((tx) => activate(tx, 'ownerless'))
      expect(await failure(part)).toMatchObject({ constraint: 'studio_has_owner' })
      await narrow.transaction(async (tx) => {
        await activate(tx, 'ownerless')
        const email = 'olga@owners.example'
        const owner = await tx.studioOwner.create({ data: { id: newId(), fullName: 'Olga', email, emailKey: email } })
        const { id } = await tx.studio.findUniqueOrThrow({ where: { slug: 'ownerless' } })
        const joinedAt = new Date()
        await tx.studioMembership.create({
          data: { studioId: id, ownerId: owner.id, role: 'owner', status: 'active', joinedAt },
        })
      })
    })
    expect(await other.prisma.studio.count({ where: { slug: 'ownerless', status: 'active' } })).toBe(1)
  })

  it('takes its parts one after the other, also those that were begun together', async () => {
    const order: string[] = []
    await narrow.enclose(async () => {
      const part = (name: string, ms: number) =>
        narrow.transaction(async (tx) => {
          order.push(`${name} begins`)
          await tx.studio.create({ data: studio(`order-${name}`) })
          await wait(ms)
          await narrow.transaction((inner) => inner.studio.create({ data: studio(`order-${name}-inner`) }))
          order.push(`${name} ends`)
        })
      await Promise.all([part('a', 5), part('b', 0)])
    })
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    expect(await seen('order-b-inner')).toBe(1)
  })

  it('is run again as a whole after a deadlock, even if somebody kept the conflict of a part to himself', async () => {
    const [a, b] = [studio('dead-a'), studio('dead-b')]
    await other.prisma.studio.createMany({ data: [a, b] })
    let runs = 0
    let outcome: unknown
    const rename = (database: Database, id: string) =>
      database.prisma.studio.update({ where: { id }, data: { name: 'x' } })
    await narrow.enclose(async () => {
      runs += 1
      // The rival, whom the end of the first run lets go on, may be slower than the second run.
      if (runs === 2) await outcome
      await rename(narrow, a.id)
      if (runs === 1) {
        const crossing = Promise.withResolvers<void>()
        const rival = other.transaction(async (tx) => {
          // Who looks for deadlocks first finds this one and loses.
          await tx.$executeRaw`SET LOCAL deadlock_timeout = '30s'`
          await tx.studio.update({ where: { id: b.id }, data: { name: 'y' } })
          crossing.resolve()
          await tx.studio.update({ where: { id: a.id }, data: { name: 'y' } })
        })
        outcome = rival
        await crossing.promise
      }
      await narrow
        .transaction((tx) => tx.studio.update({ where: { id: b.id }, data: { name: 'x' } }))
        .catch(() => undefined)
      await narrow.transaction((tx) => tx.studio.create({ data: studio(`dead-run-${runs}`) }))
    })
    await outcome
    expect(runs).toBe(2)
    expect(await other.prisma.studio.count({ where: { slug: { startsWith: 'dead-run-' } } })).toBe(1)
    expect(await seen(`dead-run-${runs}`)).toBe(1)
  })

  it('that took too long says nothing any more on a connection that others have by then', async () => {
    const [entered, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const late = narrow.enclose(
      async (client) => {
        entered.resolve()
        await over.promise
        const said = [
          async () => client.query(insert, ['late-a']),
          () => narrow.withClient((own) => own.query(insert, ['late-b'])),
          () => narrow.transaction((tx) => tx.$executeRawUnsafe(insert, 'late-c')),
          () => narrow.transaction((tx) => tx.$queryRawUnsafe(`${insert} RETURNING id`, 'late-d')),
        ].map((say) => say())
        await Promise.allSettled(said)
        await Promise.all(said)
      },
      { timeoutMs: 50 },
    )
    const told = failure(late)
    await entered.promise
    // The only connection: it is there again when the other one's time is over.
    await narrow.transaction(async (tx) => {
      await tx.studio.create({ data: studio('punctual') })
      over.resolve()
      expect(await told).toMatchObject({ code: 'unavailable' })
    })
    expect(await seen('punctual')).toBe(1)
    for (const slug of ['late-a', 'late-b', 'late-c', 'late-d']) expect([slug, await seen(slug)]).toEqual([slug, 0])
  })

  it('that is given up while a statement runs has said its last word: what follows is not a change of its own', async () => {
    const slow = 'SELECT pg_sleep(0.2)'
    const ways: Readonly<Record<string, (client: RawClient, slug: string) => Promise<unknown>>> = {
      raw: async (client, slug) => {
        await client.query(slow)
        await client.query(insert, [slug])
      },
      part: async (_client, slug) => {
        await narrow.withClient(async (own) => {
          await own.query(slow)
          await own.query(insert, [slug])
        })
      },
      prisma: async (_client, slug) => {
        await narrow.transaction(async (tx) => {
          await tx.$queryRawUnsafe(slow)
          await tx.$queryRawUnsafe(`${insert} RETURNING id`, slug)
        })
      },
    }
    for (const [way, act] of Object.entries(ways)) {
      const slug = `given-up-${way}`
      const late = narrow.enclose((client) => act(client, slug), { timeoutMs: 50 })
      expect([way, await failure(late)]).toEqual([way, expect.objectContaining({ code: 'unavailable' })])
      expect([way, await seen(slug)]).toEqual([way, 0])
    }
    await narrow.transaction((tx) => tx.studio.create({ data: studio('after-given-up') }))
    expect(await seen('after-given-up')).toBe(1)
  })

  it('refuses a part of another isolation level', async () => {
    const work = narrow.enclose(() => narrow.rawTransaction(async () => 1, { isolation: 'RepeatableRead' }))
    expect(await failure(work)).toMatchObject({ message: expect.stringContaining('RepeatableRead') })
  })

  it('lets go of code that nobody waited for, and of other databases', async () => {
    let stray: Promise<number> | undefined
    await narrow.enclose(async () => {
      stray = wait(20).then(() => seen('one-a', narrow))
      await other.transaction((tx) => tx.studio.create({ data: studio('elsewhere') }))
      expect(await seen('elsewhere')).toBe(1)
    })
    expect(await stray).toBe(1)
  })

  it('gives its connection back', async () => {
    await narrow.enclose(() => narrow.transaction((tx) => tx.studio.count()))
    await failure(narrow.enclose(() => Promise.reject(new Error('no'))))
    expect(narrow.poolState()).toMatchObject({ idle: 1, total: 1, waiting: 0 })
  })
})
