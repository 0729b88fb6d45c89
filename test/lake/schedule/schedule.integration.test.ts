import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { UsageError } from '../../../src/errors.ts'
import type { LakeStarter } from '../../../src/lake/lake-starter.ts'
import { ageLimitSeconds, type Clock, LakeScheduler, parseSchedule } from '../../../src/lake/schedule.ts'
import { claimTick, tickName } from '../../../src/lake/schedule-tick.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestDatabase } from '../../support/database.ts'

const DUE = new Date('2026-11-22T02:00:00.000Z')
const silent = createLogger({ level: 'silent' })

let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>
let database: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 10 })
})

afterAll(async () => {
  await database?.close()
  await testDatabase?.drop()
})

afterEach(async () => {
  await database.prisma.lakeSnapshot.deleteMany()
})

const snapshots = () => database.prisma.lakeSnapshot.findMany({ orderBy: { sequence: 'asc' } })

/** Fails a snapshot, by default for a reason that stays. */
async function end(id: string, code = 'contract_breaking', endedAt = new Date()): Promise<void> {
  const problem = { code, message: 'ended', phase: 'planning' }
  await database.prisma.lakeSnapshot.update({ where: { id }, data: { state: 'failed', endedAt, problem } })
}

/** A snapshot that somebody asked for and a process works on. */
const taken = { requestedBy: 'somebody', state: 'planning', fence: 1n } as const

describe('a tick', () => {
  it('starts one snapshot, however many replicas claim it at once', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => claimTick(database, DUE)))
    expect(results.filter((result) => result.kind === 'started')).toHaveLength(1)
    expect((await snapshots()).map((row) => row.requestedBy)).toEqual([tickName(DUE)])
  })

  it('is not taken again by a replica whose clock is late, even after its snapshot has failed for good', async () => {
    const first = await claimTick(database, DUE)
    await end(first.kind === 'started' ? first.snapshotId : '')
    expect(await claimTick(database, DUE)).toEqual({ kind: 'over' })
    expect(await claimTick(database, new Date(DUE.getTime() + 86_400_000))).toMatchObject({ kind: 'started' })
  })

  it('waits while another snapshot runs that was requested before', async () => {
    const id = '20261121t235959z-00000000'
    const requestedAt = new Date(DUE.getTime() - 1000)
    await database.prisma.lakeSnapshot.create({ data: { ...taken, id, requestedAt } })
    expect(await claimTick(database, DUE)).toEqual({ kind: 'busy' })
    await end(id)
    expect(await claimTick(database, DUE)).toMatchObject({ kind: 'started' })
  })

  it('is not kept waiting by a snapshot that nobody took', async () => {
    const requestedAt = new Date(Date.now() - 11 * 60_000)
    const data = { id: '20261121t235959z-00000000', requestedBy: 'somebody', requestedAt }
    await database.prisma.lakeSnapshot.create({ data })
    expect(await claimTick(database, new Date(Date.now() - 60_000))).toMatchObject({ kind: 'started' })
    expect((await snapshots()).map((row) => row.state)).toEqual(['failed', 'requested'])
  })

  it('is served by a snapshot that was requested after it was due', async () => {
    await database.prisma.lakeSnapshot.create({
      data: { ...taken, id: '20261122t020001z-00000000', requestedAt: new Date(DUE.getTime() + 1000) },
    })
    expect(await claimTick(database, DUE)).toEqual({ kind: 'running' })
    const published = { state: 'published', manifest: '{}', manifestSha256: '0'.repeat(64) } as const
    await database.prisma.lakeSnapshot.updateMany({ data: published })
    expect(await claimTick(database, DUE)).toEqual({ kind: 'over' })
  })

  it('whose snapshot failed for a reason that may pass is tried again after a pause, twice at most', async () => {
    const ended = new Date('2026-11-22T02:01:00.000Z')
    const soon = new Date('2026-11-22T02:05:59.000Z')
    const later = new Date('2026-11-22T02:06:00.000Z')
    for (let attempt = 1; attempt <= 3; attempt++) {
      const claimed = await claimTick(database, DUE, { now: later })
      expect(claimed.kind, `attempt ${attempt}`).toBe('started')
      expect(await claimTick(database, DUE, { now: later })).toEqual({ kind: 'running' })
      await end(claimed.kind === 'started' ? claimed.snapshotId : '', 'preempted_by_migration', ended)
      if (attempt < 3) expect(await claimTick(database, DUE, { now: soon })).toEqual({ kind: 'failed' })
    }
    expect(await claimTick(database, DUE, { now: later })).toEqual({ kind: 'over' })
    expect(await snapshots()).toHaveLength(3)
  })
})

/** Time that passes only when told; whoever waits is woken in order. */
class ManualClock implements Clock {
  #now: number
  #sleepers: { at: number; wake: () => void }[] = []
  #asleep: (() => void)[] = []
  constructor(start: string) {
    this.#now = Date.parse(start)
  }
  now(): Date {
    return new Date(this.#now)
  }
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#sleepers.push({ at: this.#now + milliseconds, wake: resolve })
      for (const told of this.#asleep.splice(0)) told()
    })
  }
  /** Resolves when so many wait. */
  async sleepers(count: number): Promise<void> {
    while (this.#sleepers.length < count) await new Promise<void>((resolve) => this.#asleep.push(resolve))
  }
  /** Lets time pass until then, waking everybody on the way; each goes back to sleep before the next is woken. */
  async advanceTo(time: string, count: number): Promise<void> {
    const until = Date.parse(time)
    for (;;) {
      await this.sleepers(count)
      const next = this.#sleepers.sort((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > until) break
      this.#sleepers.shift()
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = until
  }
}

class RecordingStarter implements LakeStarter {
  readonly started: string[] = []
  async snapshot(id: string): Promise<void> {
    this.started.push(`snapshot ${id}`)
  }
  async recover(): Promise<void> {
    this.started.push('recover')
  }
  async retention(): Promise<void> {
    this.started.push('retention')
  }
  get snapshots(): string[] {
    return this.started.filter((each) => each.startsWith('snapshot'))
  }
}

function replica(clock: Clock, starter: LakeStarter, schedule = '0 2 * * *') {
  const settings = { schedule, scheduleZone: 'Europe/Berlin' }
  return new LakeScheduler({ database, starter, settings, clock, logger: silent })
}

describe('the scheduler', () => {
  it('takes a snapshot at each tick, in its time zone, and cares for the lake every hour', async () => {
    const clock = new ManualClock('2026-11-21T01:00:01.000Z')
    const starter = new RecordingStarter()
    const scheduler = replica(clock, starter)
    await claimTick(database, new Date('2026-11-21T01:00:00.000Z'))
    await end((await snapshots())[0]?.id ?? '')
    scheduler.start()
    await clock.advanceTo('2026-11-22T00:59:59.000Z', 2)
    expect(starter.snapshots).toEqual([])
    await clock.advanceTo('2026-11-22T01:00:00.000Z', 2)
    await scheduler.stop()
    expect((await snapshots()).map((row) => row.requestedBy)).toEqual([
      'schedule:2026-11-21T01:00:00.000Z',
      'schedule:2026-11-22T01:00:00.000Z',
    ])
    expect(starter.snapshots).toHaveLength(1)
    expect(starter.started.filter((each) => each === 'recover')).toHaveLength(24)
    expect(starter.started.filter((each) => each === 'retention')).toHaveLength(24)
  })

  it('takes a tick that was missed while nobody ran, once, when it starts', async () => {
    const starter = new RecordingStarter()
    const clocks = [new ManualClock('2026-11-22T09:00:00.000Z'), new ManualClock('2026-11-22T09:07:00.000Z')]
    const schedulers = clocks.map((clock) => replica(clock, starter))
    for (const scheduler of schedulers) scheduler.start()
    await Promise.all(clocks.map((clock) => clock.sleepers(2)))
    await Promise.all(schedulers.map((scheduler) => scheduler.stop()))
    expect((await snapshots()).map((row) => row.requestedBy)).toEqual(['schedule:2026-11-22T01:00:00.000Z'])
    expect(starter.snapshots).toHaveLength(1)
  })

  it('starts one snapshot a tick with two replicas whose clocks differ', async () => {
    const starter = new RecordingStarter()
    const clocks = [new ManualClock('2026-11-22T00:30:00.000Z'), new ManualClock('2026-11-22T00:20:00.000Z')]
    const schedulers = clocks.map((clock) => replica(clock, starter, '0 2-3 * * *'))
    for (const scheduler of schedulers) scheduler.start()
    for (const clock of clocks) await clock.sleepers(2)
    // The tick that both missed; it ends before the next.
    await end((await snapshots())[0]?.id ?? '')
    for (const clock of clocks) await clock.advanceTo('2026-11-22T01:05:00.000Z', 2)
    await Promise.all(schedulers.map((scheduler) => scheduler.stop()))
    expect((await snapshots()).map((row) => row.requestedBy)).toEqual([
      'schedule:2026-11-21T02:00:00.000Z',
      'schedule:2026-11-22T01:00:00.000Z',
    ])
    expect(starter.snapshots).toHaveLength(2)
  })

  it('tries a due snapshot again while another one runs', async () => {
    const id = '20261122t005900z-00000000'
    const requestedAt = new Date('2026-11-22T00:59:00.000Z')
    await database.prisma.lakeSnapshot.create({ data: { ...taken, id, requestedAt } })
    const clock = new ManualClock('2026-11-22T01:00:00.000Z')
    const starter = new RecordingStarter()
    const scheduler = replica(clock, starter)
    scheduler.start()
    await clock.advanceTo('2026-11-22T01:03:00.000Z', 2)
    expect(starter.snapshots).toEqual([])
    await end(id)
    await clock.advanceTo('2026-11-22T01:04:00.000Z', 2)
    await scheduler.stop()
    expect(starter.snapshots).toHaveLength(1)
  })

  it('recovers a snapshot whose process is gone and is in the way of a due one', async () => {
    const id = '20261122t005900z-00000000'
    const requestedAt = new Date('2026-11-22T00:59:00.000Z')
    await database.prisma.lakeSnapshot.create({ data: { ...taken, id, requestedAt, state: 'uploading', fence: 1n } })
    const clock = new ManualClock('2026-11-22T01:00:00.000Z')
    const starter = new RecordingStarter()
    const scheduler = replica(clock, starter)
    scheduler.start()
    await clock.sleepers(2)
    expect(starter.started.filter((each) => each === 'recover')).toHaveLength(2)
    await end(id)
    await clock.advanceTo('2026-11-22T01:01:00.000Z', 2)
    await scheduler.stop()
    expect(starter.snapshots).toHaveLength(1)
  })

  it('stays with a tick: recovers its snapshot whose process died, then takes another', async () => {
    const clock = new ManualClock('2026-11-22T01:00:30.000Z')
    const starter = new RecordingStarter()
    const trail: string[] = []
    const scheduler = new LakeScheduler({
      ...{ database, starter, clock, logger: silent },
      settings: { schedule: '0 2 * * *', scheduleZone: 'Europe/Berlin' },
      trail: async (_, id) => void trail.push(id),
    })
    scheduler.start()
    await clock.sleepers(2)
    const [first] = await snapshots()
    // Its process took it and is gone: nobody holds the lease.
    await database.prisma.lakeSnapshot.updateMany({ data: { state: 'uploading', fence: 1n } })
    await clock.advanceTo('2026-11-22T01:01:30.000Z', 2)
    expect(starter.started.filter((each) => each === 'recover')).toHaveLength(2)
    await end(first?.id ?? '', 'abandoned', new Date('2026-11-22T01:02:00.000Z'))
    await clock.advanceTo('2026-11-22T01:06:59.000Z', 2)
    expect(starter.snapshots).toHaveLength(1)
    await clock.advanceTo('2026-11-22T01:07:30.000Z', 2)
    await scheduler.stop()
    expect(starter.snapshots).toHaveLength(2)
    expect(trail).toEqual((await snapshots()).map((row) => row.id))
  })

  it('makes room again when no process can be started', async () => {
    const clock = new ManualClock('2026-11-22T01:00:00.000Z')
    const starter = new RecordingStarter()
    starter.snapshot = () => Promise.reject(new Error('spawn ENOENT'))
    const scheduler = replica(clock, starter)
    scheduler.start()
    await clock.sleepers(2)
    await scheduler.stop()
    expect((await snapshots()).map((row) => row.state)).toEqual(['failed'])
  })

  it('knows how old the newest snapshot may become: one and a half times the longest gap', () => {
    const at = new Date('2026-11-18T12:00:00.000Z')
    const limit = (schedule: string | undefined) => ageLimitSeconds({ schedule, scheduleZone: 'UTC' }, at)
    expect(limit('0 * * * *')).toBe(1.5 * 3600)
    expect(limit('0 2 * * 1-5')).toBe(1.5 * 3 * 86_400)
    expect(limit('* * * * *')).toBe(90)
    // Hundreds of ticks a day, none at night and at the weekend.
    expect(limit('*/2 6-21 * * 1-5')).toBe(1.5 * (56 * 3600 + 120))
    expect(limit('*/10 * 1-20 * *')).toBe(1.5 * (11 * 86_400 + 600))
    expect(limit(undefined)).toBeUndefined()
  })

  it('refuses a pattern or zone that cannot be used, naming the setting', () => {
    const parse = (schedule: string, scheduleZone = 'UTC') => parseSchedule({ schedule, scheduleZone })
    expect(() => parse('every day')).toThrow(UsageError)
    expect(() => parse('0 2 * * *', 'Mars/Olympus')).toThrow(/LAKE_SCHEDULE_ZONE/)
    expect(parseSchedule({ schedule: undefined, scheduleZone: 'UTC' })).toBeUndefined()
  })
})
