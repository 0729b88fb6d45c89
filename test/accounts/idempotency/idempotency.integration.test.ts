import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AnswerSeal } from '../../../src/accounts/idempotency/answer-seal.ts'
import { IdempotencyPurge } from '../../../src/accounts/idempotency/idempotency-purge-service.ts'
import { IdempotencyService } from '../../../src/accounts/idempotency/idempotency-service.ts'
import type { Repeat, StoredAnswer } from '../../../src/accounts/idempotency/stored-answer.ts'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { AppError } from '../../../src/errors.ts'
import { newId } from '../../../src/identifier.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createStatementTap } from '../../support/statement-tap.ts'

const logger = createLogger({ level: 'silent' })
const seal = new AnswerSeal(randomBytes(32))
let testDatabase: TestDatabase
/** Two processes. */
let one: Database
let two: Database
let key: string

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  one = openDatabase({ url: testDatabase.url, poolSize: 2 })
  two = openDatabase({ url: testDatabase.url, poolSize: 2 })
})

beforeEach(() => {
  key = randomUUID()
})

afterAll(async () => {
  await one.close()
  await two.close()
  await testDatabase.drop()
})

const service = (database: Database, leaseMs?: number) =>
  new IdempotencyService({ database, seal, logger, ...(leaseMs === undefined ? {} : { leaseMs }) })
const request = (content = 'same') => ({ callerId: 'caller', key, fingerprint: Buffer.alloc(32, content) })
const answer = (text: string): StoredAnswer => ({ status: 201, headers: { ETag: '"1"' }, body: Buffer.from(text) })
const insert = (database: Database, slug: string) =>
  database.transaction((tx) => tx.studio.create({ data: { id: newId(), slug, name: slug } }))
const studios = (...slugs: string[]) => one.prisma.studio.count({ where: { slug: { in: slugs } } })
const outcome = (work: Promise<unknown>) => work.catch((error: unknown) => error)
/** By the clock that counts. Nobody touches the row: whoever lost its lease has to find that out from what others did. */
const SHORT_LEASE_MS = 1
const leaseRunsOut = () => one.prisma.$queryRaw`SELECT 1 FROM pg_sleep(0.005)`

interface Pause {
  /** Of its own change. */
  readonly at?: 'before' | 'after'
  readonly leaseMs?: number
}

/** A holder that stops in its middle, as if its process were paused. */
function paused(database: Database, slug: string, { at = 'after', leaseMs = SHORT_LEASE_MS }: Pause = {}) {
  const entered = Promise.withResolvers<Repeat>()
  const wake = Promise.withResolvers<void>()
  const done = outcome(
    service(database, leaseMs).once(request(), 'database', async (repeat) => {
      if (at === 'after') await insert(database, slug)
      entered.resolve(repeat)
      await wake.promise
      if (at === 'before') await insert(database, slug)
      return answer(slug)
    }),
  )
  return { entered: entered.promise, wake: wake.resolve, done }
}

describe('a lease', () => {
  it('keeps others away while its holder is at work, in every process', async () => {
    const holder = paused(one, `holder-${key}`, { leaseMs: 60_000 })
    await holder.entered
    for (const database of [one, two]) {
      const refused = await outcome(service(database).once(request(), 'database', async () => answer('no')))
      expect(refused).toMatchObject({ code: 'idempotency-in-progress', headers: { 'Retry-After': '1' } })
    }
    holder.wake()
    expect(await holder.done).toMatchObject({ replayed: false })
    const replay = await service(two).once(request(), 'database', async () => answer('no'))
    expect(replay).toEqual({ replayed: true, answer: answer(`holder-${key}`) })
  })

  it.each(['before', 'after'] as const)(
    'that has run out passes to the next one, and its holder, who wrote %s its pause, cannot commit any more',
    async (at) => {
      const slugs = [`old-${key}`, `new-${key}`] as const
      const holder = paused(one, slugs[0], { at })
      const first = await holder.entered
      await leaseRunsOut()
      let second: Repeat | undefined
      const taken = await service(two).once(request(), 'database', async (repeat) => {
        second = repeat
        await insert(two, slugs[1])
        return answer(slugs[1])
      })
      expect(taken).toMatchObject({ replayed: false })
      expect(second).toEqual(first)
      holder.wake()
      expect(await holder.done).toMatchObject({ code: 'idempotency-in-progress' })
      expect(await studios(slugs[0])).toBe(0)
      expect(await studios(slugs[1])).toBe(1)
      expect((await service(one).once(request(), 'database', async () => answer('no'))).answer).toEqual(
        answer(slugs[1]),
      )
    },
  )

  it('that has run out is lost even while the one who took over has not finished', async () => {
    const old = paused(one, `old-${key}`)
    await old.entered
    await leaseRunsOut()
    const next = paused(two, `next-${key}`, { leaseMs: 60_000 })
    await next.entered
    old.wake()
    expect(await old.done).toMatchObject({ code: 'idempotency-in-progress' })
    // The loser gave up what was no longer his, and nothing else.
    expect(await outcome(service(one).once(request(), 'database', async () => answer('no')))).toMatchObject({
      code: 'idempotency-in-progress',
    })
    next.wake()
    expect(await next.done).toMatchObject({ replayed: false })
    expect(await studios(`old-${key}`, `next-${key}`)).toBe(1)
  })

  it('that has run out is still the holder’s as long as nobody took it', async () => {
    const holder = paused(one, `slow-${key}`)
    await holder.entered
    await leaseRunsOut()
    holder.wake()
    expect(await holder.done).toMatchObject({ replayed: false })
    expect(await studios(`slow-${key}`)).toBe(1)
  })

  it('that has run out does not let another request take the key', async () => {
    const holder = paused(one, `lost-${key}`)
    await holder.entered
    await leaseRunsOut()
    const other = await outcome(service(two).once(request('other'), 'database', async () => answer('no')))
    expect(other).toMatchObject({ code: 'idempotency-mismatch' })
    holder.wake()
    await holder.done
  })

  it('whose row is held by an end that hangs does not keep repeats, and their connections, waiting', async () => {
    const patient = openDatabase({ url: testDatabase.url, poolSize: 1, lockTimeoutMs: 600_000 })
    await service(one).once(request(), 'database', async () => answer('done'))
    await two.transaction(async (tx) => {
      await tx.$executeRaw`UPDATE idempotency_key SET expires_at = expires_at WHERE key = ${key}`
      const refused = await outcome(service(patient).once(request(), 'database', async () => answer('no')))
      expect(refused).toMatchObject({ code: 'idempotency-in-progress', headers: { 'Retry-After': '1' } })
    })
    const replay = await service(patient).once(request(), 'database', async () => answer('no'))
    expect(replay).toMatchObject({ replayed: true })
    const settings = await patient.query<{ own: boolean }>({
      text: "SELECT setting <> reset_val AS own FROM pg_settings WHERE name IN ('lock_timeout', 'synchronous_commit')",
    })
    expect(settings).toEqual([{ own: false }, { own: false }])
    await patient.close()
  })

  it('passes to exactly one of many who wait for its end', async () => {
    const holder = paused(one, `dead-${key}`)
    await holder.entered
    await leaseRunsOut()
    let acted = 0
    const takers = Array.from({ length: 10 }, (_, i) =>
      outcome(
        service(i % 2 ? one : two).once(request(), 'outside', async () => {
          acted += 1
          return answer('taken')
        }),
      ),
    )
    await Promise.all(takers)
    holder.wake()
    await holder.done
    expect(acted).toBe(1)
  })
})

describe('a connection that is lost at any statement', () => {
  it('is found out by a process that lives on, which does what was not done: the caller hears nothing of it', async () => {
    const tap = await createStatementTap(testDatabase.url)
    const cut = openDatabase({ url: tap.url, poolSize: 2 })
    const act = (text: string) =>
      outcome(
        service(cut, 50).once({ ...request(), key: text }, 'database', async () => {
          await insert(cut, text)
          return answer(text)
        }),
      )
    await cut.ping()
    tap.arm()
    await act(`whole-${key}`)
    const total = tap.count()
    const waited: string[] = []
    for (let at = 1; at <= total; at++) {
      for (const moment of ['before', 'after'] as const) {
        const text = `${moment}-${at}-${key}`
        tap.arm({ at, moment, kill: () => void setImmediate(() => tap.arm()) })
        let first = await act(text)
        while (first instanceof AppError && first.code === 'idempotency-in-progress') {
          waited.push(`${moment} ${at}`)
          await leaseRunsOut()
          first = await act(text)
        }
        expect([text, first]).toEqual([text, { answer: answer(text), replayed: false }])
        expect([text, await studios(text)]).toEqual([text, 1])
        expect(await act(text)).toEqual({ answer: answer(text), replayed: true })
      }
    }
    // A claim that was taken but not heard of is somebody's, whoever that is, until its lease ends.
    expect(waited.filter((point) => point !== 'after 1')).toEqual([])
    await cut.close()
    await tap.close()
  })
})

describe('an answer', () => {
  it('that is no success is not stored, and what was done for it is taken back', async () => {
    const refused = service(one).once(request(), 'database', async () => {
      await insert(one, `refused-${key}`)
      return { ...answer('no'), status: 404 }
    })
    expect(await outcome(refused)).toBeInstanceOf(Error)
    expect(await studios(`refused-${key}`)).toBe(0)
    const next = await service(two).once(request('other'), 'database', async () => answer('yes'))
    expect(next).toEqual({ replayed: false, answer: answer('yes') })
  })

  it('that was sealed by another secret cannot be given again, and nothing is done in its place', async () => {
    await service(one).once(request(), 'database', async () => answer('sealed'))
    const stranger = new IdempotencyService({ database: two, seal: new AnswerSeal(randomBytes(32)), logger })
    let acted = 0
    const unreadable = stranger.once(request(), 'database', async () => {
      acted += 1
      return answer('again')
    })
    expect(await outcome(unreadable)).toBeInstanceOf(Error)
    expect(acted).toBe(0)
    const replay = await service(two).once(request(), 'database', async () => answer('no'))
    expect(replay).toEqual({ replayed: true, answer: answer('sealed') })
  })
})

describe('an effect outside of the database', () => {
  it('is recognisable through failures and crashes of the same request, and new for another one or after a day', async () => {
    const seen: Repeat[] = []
    const ask = (content = 'same', fail = false) =>
      outcome(
        service(one).once(request(content), 'outside', async (repeat) => {
          seen.push(repeat)
          if (fail) throw new AppError('unavailable', 'the answer got lost')
          return answer('done')
        }),
      )
    await ask('same', true)
    await ask('same', true)
    await ask('other', true)
    await ask('same')
    expect(await ask('same')).toMatchObject({ replayed: true })
    await one.prisma.$executeRaw`UPDATE idempotency_key SET expires_at = now() WHERE key = ${key}`
    await ask('same')
    const tokens = seen.map(({ token }) => token)
    expect(tokens).toHaveLength(5)
    expect(tokens[1]).toBe(tokens[0])
    expect(tokens[3]).toBe(tokens[0])
    expect(new Set(tokens).size).toBe(3)
    expect(tokens[0]).toMatch(/^[0-9a-f]{64}$/)
  })

  it('holds no connection while it is made', async () => {
    const narrow = openDatabase({ url: testDatabase.url, poolSize: 1 })
    await service(narrow).once(request(), 'outside', async () => {
      expect(narrow.poolState()).toMatchObject({ idle: 1, waiting: 0 })
      await narrow.ping()
      return answer('done')
    })
    await narrow.close()
  })
})

describe('the purge', () => {
  it('removes what has expired and nothing else, in several processes at once', async () => {
    await service(one).once(request(), 'database', async () => answer('kept'))
    await one.prisma.$executeRaw`
      INSERT INTO idempotency_key (caller_id, key, fingerprint, response_status, created_at, expires_at)
      SELECT 'old', 'expired-' || i, ${Buffer.alloc(32)}, 200, now() - interval '25 hours', now() - interval '1 hour'
      FROM generate_series(1, 2500) AS i`
    const removed = await Promise.all([
      new IdempotencyPurge(one, logger).once(),
      new IdempotencyPurge(two, logger).once(),
    ])
    expect(removed[0] + removed[1]).toBe(2500)
    expect(await one.prisma.idempotencyKey.count({ where: { callerId: 'old' } })).toBe(0)
    expect(await one.prisma.idempotencyKey.count({ where: { key } })).toBe(1)
  })

  it('begins with the service and ends with it', async () => {
    await one.prisma.$executeRaw`
      INSERT INTO idempotency_key (caller_id, key, fingerprint, response_status, expires_at)
      VALUES ('old', 'expired-again', ${Buffer.alloc(32)}, 200, now())`
    const purge = new IdempotencyPurge(one, logger)
    purge.start()
    await purge.stop()
    expect(await one.prisma.idempotencyKey.count({ where: { callerId: 'old' } })).toBe(0)
  })

  it('survives a database that is away', async () => {
    const away = openDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', poolSize: 1 })
    const told: string[] = []
    const loud = createLogger({ level: 'warn', destination: { write: (text) => void told.push(text) } })
    const purge = new IdempotencyPurge(away, loud)
    purge.start()
    await purge.stop()
    expect(told.join('')).toContain('could not be removed')
    await away.close()
  })
})
