import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LoginRefused } from '../../../src/database/constraint-errors.ts'
import { LakeProblem, type LakeProblemCode } from '../../../src/lake/lake-problem.ts'
import type { Clock } from '../../../src/lake/schedule.ts'
import { tickName } from '../../../src/lake/schedule-tick.ts'
import { overdueTick, parseDue, type ScheduledOptions, takeScheduled } from '../../../src/lake/scheduled-snapshot.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import type { Tap } from '../../../src/lake/tap.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt } from '../snapshot/death.ts'
import { expireLease } from '../snapshot/situations.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from '../snapshot/test-lake.ts'

let database: TestDatabase
let aws: TestAws
let place: LakePlace & { remove(): Promise<void> }
let opened: OpenLake[]

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
})
afterAll(() => Promise.all([database?.drop(), aws?.stop()]))
function open(tap?: Tap): OpenLake {
  const one = openLake(place, {}, tap)
  opened.push(one)
  return one
}

/** Time passes where somebody waits, and nowhere else. */
function clockFrom(start: Date): Clock & { waited: number } {
  const clock = {
    waited: 0,
    now: () => new Date(start.getTime() + clock.waited),
    async wait(milliseconds: number, signal: AbortSignal) {
      signal.throwIfAborted()
      clock.waited += milliseconds
    },
  }
  return clock
}

const MINUTE = 60_000
const none = { schedule: undefined, scheduleZone: 'UTC' }

function taking(lake: Lake, options: Partial<ScheduledOptions> & { readonly due: Date }) {
  const clock = clockFrom(new Date())
  const signal = new AbortController().signal
  const result = takeScheduled(lake, { schedule: none, signal, clock, ...options })
  return { clock, result }
}

const rows = () => opened[0]?.database.prisma.lakeSnapshot.findMany({ orderBy: { sequence: 'asc' } })

/** Fails the first so many runs, at the first part that they send. */
function failing(times: number, code: LakeProblemCode): Tap {
  let left = times
  return {
    before(name) {
      if (name === 'UploadPart' && left-- > 0) throw new LakeProblem(code, 'for a test')
    },
    after() {},
  }
}

describe('a tick that a process of its own takes', () => {
  beforeEach(async () => {
    place = { ...(await newPlace(aws, database.url)), tables: ['studios'] }
    opened = []
  })
  afterEach(async () => {
    if (opened[0]) await forgetSnapshots(opened[0].database)
    for (const each of opened) await each.close()
    await place.remove()
  })

  it('is one snapshot, however often the start is delivered', async () => {
    const due = new Date()
    const results = await Promise.all([1, 2, 3].map(() => taking(open().lake, { due }).result))
    expect(results.map(({ kind }) => kind).filter((kind) => kind === 'published')).toHaveLength(1)
    expect(await taking(open().lake, { due }).result).toEqual({ kind: 'over' })
    expect(await rows()).toMatchObject([{ requestedBy: tickName(due), state: 'published' }])
  })

  it('is tried again after a failure that may pass, by the same process and after the pause of the service', async () => {
    const { lake } = open(failing(1, 'storage_failed'))
    const { clock, result } = taking(lake, { due: new Date() })
    expect(await result).toMatchObject({ kind: 'published', snapshot: { state: 'published' } })
    expect(clock.waited).toBeGreaterThanOrEqual(5 * MINUTE)
    expect(clock.waited).toBeLessThanOrEqual(7 * MINUTE)
    expect((await rows())?.map(({ state }) => state)).toEqual(['failed', 'published'])
  })

  it('fails with the last problem after three tries', async () => {
    const { lake } = open(failing(9, 'storage_failed'))
    const { result } = taking(lake, { due: new Date() })
    expect(await result).toMatchObject({ kind: 'failed', problem: { code: 'storage_failed' } })
    expect((await rows())?.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed'])
  })

  it('is not tried again after a failure that stays', async () => {
    const { lake } = open(failing(9, 'footer_invalid'))
    const { result } = taking(lake, { due: new Date() })
    expect(await result).toMatchObject({ kind: 'failed', problem: { code: 'footer_invalid' } })
    expect(await rows()).toHaveLength(1)
  })

  it('is given up before the next one is due', async () => {
    const { lake } = open(failing(9, 'storage_failed'))
    const now = Date.now()
    const { clock, result } = taking(lake, {
      due: new Date(now - (now % MINUTE)),
      schedule: { schedule: '* * * * *', scheduleZone: 'UTC' },
    })
    expect(await result).toMatchObject({ kind: 'failed' })
    expect(clock.waited).toBeLessThan(2 * MINUTE)
  })

  it('first recovers what a dead process left, then is taken', async () => {
    const death = deathAt('after-UploadPart')
    await runSnapshot(open(death).lake).catch(() => undefined)
    await expireLease(open())
    const { result } = taking(open().lake, { due: new Date(Date.now() + MINUTE) })
    expect(await result).toMatchObject({ kind: 'published' })
    expect((await rows())?.map(({ state }) => state)).toEqual(['failed', 'published'])
    expect((await contents(open().lake)).uploads).toEqual([])
  })

  it('waits for a snapshot that somebody asked for before it was due', async () => {
    const other = open()
    const { id } = await requestSnapshot(other.database, 'somebody')
    const lease = await Lease.take(other.database, 2_000)
    await other.database.prisma.lakeSnapshot.update({
      where: { id },
      data: { state: 'planning', fence: lease.fence, requestedAt: new Date(Date.now() - MINUTE) },
    })
    const clock = clockFrom(new Date())
    const wait = clock.wait.bind(clock)
    clock.wait = async (milliseconds, signal) => {
      await wait(milliseconds, signal)
      if (clock.waited !== 3 * MINUTE) return
      await lease.release()
      const problem = { code: 'cancelled', message: 'for a test', phase: 'planning' }
      await other.database.prisma.lakeSnapshot.update({ where: { id }, data: { state: 'failed', problem } })
    }
    const { result } = taking(open().lake, { due: new Date(), clock })
    expect(await result).toMatchObject({ kind: 'published' })
    expect(clock.waited).toBe(3 * MINUTE)
  })

  it('is left to the process that works on it', async () => {
    const due = new Date()
    const other = open()
    const lease = await Lease.take(other.database, 2_000)
    const data = {
      id: '20261123t020000z-00000001',
      requestedBy: tickName(due),
      state: 'planning',
      fence: lease.fence,
    } as const
    await other.database.prisma.lakeSnapshot.create({ data })
    expect(await taking(open().lake, { due }).result).toEqual({ kind: 'running' })
    await lease.release()
  })

  it('ends at once when it is told to stop while it waits, and leaves the tick to the next process', async () => {
    const { lake } = open(failing(1, 'storage_failed'))
    const leave = new AbortController()
    const { result } = taking(lake, {
      due: new Date(),
      signal: leave.signal,
      progress: ({ kind }) => kind === 'waiting' && leave.abort(new LakeProblem('cancelled', 'told to stop')),
    })
    await expect(result).rejects.toMatchObject({ code: 'cancelled' })
    expect((await rows())?.map(({ state }) => state)).toEqual(['failed'])
  })

  it.each([
    ['outlasts a failover of the database, and no longer outage', new Error('away'), 10 * MINUTE],
    ['does not wait where the database refuses its login', new LoginRefused('of the server'), 0],
  ])('%s', async (_what, failure, waited) => {
    const { lake } = open()
    const transaction = () => Promise.reject(failure)
    const away = { ...lake, database: { ...lake.database, prisma: lake.database.prisma, transaction } }
    const { clock, result } = taking(away, { due: new Date() })
    await expect(result).rejects.toBe(failure)
    expect(clock.waited).toBe(waited)
  })
})

describe('the instant of a tick', () => {
  it.each(['2026-11-23T02:00:00Z', '2026-11-23T02:00Z', '2026-11-23T03:00:00.000+01:00'])('is read from %s', (text) => {
    expect(parseDue(text)).toEqual(new Date('2026-11-23T02:00:00Z'))
  })

  it.each(['', '2026-11-23', '2026-11-23T02:00:00', '2026-13-23T02:00:00Z', 'now', '<aws.scheduler.scheduled-time>'])(
    'is refused as %j',
    (text) => {
      expect(() => parseDue(text)).toThrow('--scheduled must be an instant with its time zone')
    },
  )

  it('is not still to come', () => {
    expect(() => parseDue(new Date(Date.now() + 6 * MINUTE).toISOString())).toThrow('still to come')
  })
})

it('a tick is overdue a quarter of an hour after it was due, in its time zone', () => {
  const berlin = { schedule: '0 2 * * *', scheduleZone: 'Europe/Berlin' }
  const at = (text: string) => overdueTick(berlin, new Date(text))?.toISOString()
  expect(at('2026-11-23T01:14:00Z')).toBeUndefined()
  expect(at('2026-11-23T01:15:00Z')).toBe('2026-11-23T01:00:00.000Z')
  expect(at('2026-11-24T00:59:00Z')).toBe('2026-11-23T01:00:00.000Z')
  expect(overdueTick(none, new Date())).toBeUndefined()
})
