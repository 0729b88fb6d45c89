import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RequestCountStore } from '../../../src/accounts/api-keys/request-count-store.ts'
import { type Database, openDatabase, type RawStatement } from '../../../src/database/database.ts'
import { RequestCounts, type RequestCountsOptions } from '../../../src/http/request-counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createGate, type Gate } from '../../support/gate.ts'

let testDatabase: TestDatabase
let gate: Gate
let one: Database
let two: Database
const HOUR = 3_600

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  gate = await createGate(testDatabase.url)
  one = openDatabase({ url: testDatabase.url, poolSize: 2 })
  two = openDatabase({ url: gate.url, poolSize: 2 })
})

afterAll(async () => {
  await Promise.all([one.close(), two.close()])
  await gate.close()
  await testDatabase.drop()
})

beforeEach(() => one.query({ text: 'DELETE FROM request_count' }))

type Options = Partial<RequestCountsOptions> & { readonly count?: number; readonly windowSeconds?: number }

/** Counts of one process; it exchanges when it is told to, by `stop`, or in its own time. */
function countsOf(database: Database, { count = 100, windowSeconds = HOUR, ...options }: Options = {}) {
  const quota = { count, windowSeconds }
  return new RequestCounts({ policy: 'default', quota, shared: new RequestCountStore(database), ...options })
}

function use(counts: RequestCounts, times: number, key = 'ann'): number {
  let taken = 0
  for (let i = 0; i < times; i++) if (!counts.count(key).isOver) taken++
  return taken
}

/** The store of a process, which counts its exchanges. */
function watched(database: Database) {
  const store = new RequestCountStore(database)
  let exchanges = 0
  const exchange: RequestCountStore['exchange'] = async (...asked) => {
    const told = await store.exchange(...asked)
    exchanges++
    return told
  }
  return { shared: { exchange }, exchanges: () => exchanges }
}

const stored = async (key = 'ann') =>
  (
    await one.query<{ count: number; left: number }>({
      text: `SELECT count, extract(epoch FROM window_ends - now())::float8 AS left FROM request_count WHERE key_id = $1`,
      values: [key],
    })
  )[0]

describe('the quota of a key that asks two processes', () => {
  it('is one: beyond it they let through what reaches them until two exchanges later, and nothing more', async () => {
    const [a, b] = [watched(one), watched(two)]
    const counts = [a, b].map(({ shared }) => countsOf(one, { shared, count: 2_000 })) as [RequestCounts, RequestCounts]
    let taken = 0
    let ends: number[] | undefined
    // Each is asked thousands of times a second, far more often than a process can answer.
    while (ends === undefined || a.exchanges() < (ends[0] ?? 0) + 2 || b.exchanges() < (ends[1] ?? 0) + 2) {
      const now = use(counts[0], 20) + use(counts[1], 20)
      taken += now
      if (taken >= 2_000) ends ??= [a.exchanges(), b.exchanges()]
      // Both know: nothing is sent any more.
      if (ends !== undefined && now === 0) break
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(use(counts[0], 5) + use(counts[1], 5)).toBe(0)
    expect(taken).toBeGreaterThanOrEqual(2_000)
    await Promise.all(counts.map((each) => each.stop()))
    expect(await stored()).toMatchObject({ count: taken })
  })

  it('is not renewed by the restart of one', async () => {
    const before = countsOf(one)
    expect(use(before, 100)).toBe(100)
    await before.stop()
    const after = countsOf(one)
    expect(use(after, 1)).toBe(1)
    await expect.poll(() => use(after, 1)).toBe(0)
    await after.stop()
  })

  it('is told as what all have left, and when it begins anew', async () => {
    const [a, b] = [countsOf(one), countsOf(two)]
    use(a, 40)
    await a.stop()
    use(b, 1)
    await b.stop()
    const left = b.count('ann')
    expect(left).toMatchObject({ isOver: false, remaining: 58 })
    expect(left.resetSeconds).toBeGreaterThan(3_500)
    expect(await stored()).toMatchObject({ count: 41 })
  })

  it('is that of the key: others have their own', async () => {
    const a = countsOf(one)
    expect([use(a, 200, 'ann'), use(a, 200, 'bob')]).toEqual([100, 100])
    await a.stop()
    expect([(await stored('ann'))?.count, (await stored('bob'))?.count]).toEqual([100, 100])
  })
})

describe('a window', () => {
  it('ends for all at one time, whatever their clocks say', async () => {
    const [a, b] = [countsOf(one, { now: () => 5_000_000 }), countsOf(two, { now: () => -86_400_000 })]
    use(a, 60)
    await a.stop()
    use(b, 1)
    await b.stop()
    expect(use(b, 100)).toBe(39)
    const [first, second] = [a.count('ann').resetSeconds, b.count('ann').resetSeconds]
    expect(Math.abs(first - second)).toBeLessThanOrEqual(60)
  })

  it('that is over begins anew with the next request, in the process and in the database', async () => {
    let now = 0
    const a = countsOf(one, { windowSeconds: 10, now: () => now })
    expect(use(a, 200)).toBe(100)
    await a.stop()
    await one.query({ text: "UPDATE request_count SET window_ends = now() - interval '1 second'" })
    now += 10_001
    expect(use(a, 30)).toBe(30)
    await a.stop()
    expect(await stored()).toMatchObject({ count: 30 })
    expect((await stored())?.left).toBeGreaterThan(5)
  })
})

it.each([
  ['the clock of the database was set back by hours', '5 hours'],
  ['windows have become shorter since it was begun', '1 day'],
])('a window that would last longer than any counts as over: %s', async (_why, left) => {
  await one.query({
    text: `INSERT INTO request_count VALUES ('ann', 'default', 100, now() + '${left}'::interval)`,
  })
  const [a, b] = [countsOf(one), countsOf(two)]
  expect(use(a, 3)).toBe(3)
  await a.stop()
  expect((await stored())?.count).toBe(3)
  expect((await stored())?.left).toBeLessThanOrEqual(HOUR)
  expect(use(b, 1)).toBe(1)
  await b.stop()
  expect((await stored())?.count).toBe(4)
  expect(a.count('ann').resetSeconds).toBeLessThanOrEqual(HOUR)
})

describe('a process without the database', () => {
  it('counts for itself, refuses nobody for that, and does not count twice what may have arrived', async () => {
    const b = countsOf(two)
    use(b, 10)
    gate.shut()
    await b.stop()
    expect(use(b, 200)).toBe(90)
    gate.open()
    await b.stop()
    expect((await stored())?.count).toBe(90)
  })

  it('asks for it no more often than ever', async () => {
    let asked = 0
    const exchange = () => {
      asked++
      return Promise.reject(new Error('away'))
    }
    const a = countsOf(one, { shared: { exchange }, exchangeMs: HOUR * 1_000 })
    const began = performance.now()
    while (performance.now() - began < 200) {
      for (let key = 0; key < 20; key++) use(a, 1, `key ${key}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(asked).toBe(1)
    await a.stop()
  })

  it('loses nothing that was told because old rows could not be removed', async () => {
    const store = new RequestCountStore({
      query: (statement: RawStatement) =>
        statement.text.includes('DELETE') ? Promise.reject(new Error('a deadlock')) : one.query(statement),
    } as Database)
    expect(await store.exchange('default', [{ keyId: 'ann', count: 3, leftMs: 1_000 }], 1_000)).toMatchObject([
      { keyId: 'ann', count: 3 },
    ])
  })

  it('keeps what it knows of a window whose row a crash has emptied', async () => {
    const [a, b] = [countsOf(one), countsOf(two)]
    use(a, 70)
    await a.stop()
    await one.query({ text: 'TRUNCATE request_count' })
    use(a, 1)
    await a.stop()
    expect(use(a, 100)).toBe(29)
    expect(use(b, 1)).toBe(1)
    await b.stop()
  })
})

describe('requests that are counted together', () => {
  it('are never more than the quota, whichever process is asked, and however many at once', async () => {
    const settings = { policy: 'bulk', count: 4, windowSeconds: HOUR }
    const both = [countsOf(one, settings), countsOf(two, settings)]
    const asked = Array.from({ length: 20 }, (_, i) => (both[i % 2] as RequestCounts).countTogether('ann'))
    const told = await Promise.all(asked)
    expect(
      told
        .filter(({ isOver }) => !isOver)
        .map(({ remaining }) => remaining)
        .sort(),
    ).toEqual([0, 1, 2, 3])
    await Promise.all(both.map((counts) => counts.stop()))
  })

  it('are counted by the process alone while there is no database', async () => {
    gate.shut()
    const alone = countsOf(two, { policy: 'bulk', count: 2 })
    const told = [await alone.countTogether('ann'), await alone.countTogether('ann'), await alone.countTogether('ann')]
    expect(told.map(({ isOver }) => isOver)).toEqual([false, false, true])
    gate.open()
    await alone.stop()
  })
})

it('is no part of the request that comes first', async () => {
  const request = new AsyncLocalStorage<string>()
  const { promise: told, resolve } = Promise.withResolvers<string | undefined>()
  const exchange = async () => {
    resolve(request.getStore())
    return []
  }
  const a = countsOf(one, { shared: { exchange } })
  request.run('a request', () => use(a, 1))
  expect(await told).toBeUndefined()
  await a.stop()
})

it('costs a busy key a few statements a second', async () => {
  const { shared, exchanges } = watched(one)
  const a = countsOf(one, { shared, count: 1_000_000 })
  const began = performance.now()
  while (performance.now() - began < 700) {
    use(a, 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const seconds = (performance.now() - began) / 1_000
  await a.stop()
  // The first one, one after each half second, and the last.
  expect(exchanges()).toBeLessThanOrEqual(2 + Math.ceil(seconds * 2))
})
