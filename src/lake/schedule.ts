import { setTimeout as delay } from 'node:timers/promises'
import { Cron } from 'croner'
import type { Database } from '../database/database.ts'
import { describe, UsageError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { LakeStarter } from './lake-starter.ts'
import { claimTick, type ScheduleTrail } from './schedule-tick.ts'
import { runningSnapshot } from './snapshot/snapshots.ts'
import { failUnstarted } from './snapshot-launch.ts'

/** When snapshots are taken, and the hourly care of the lake. That a tick is taken once is the matter of `schedule-tick.ts`. */

const HOUR_MS = 3_600_000
/** How often a tick is looked at until it is over. */
const RETRY_MS = 60_000
/** Timers are cut in pieces, so that a clock that is set, or a laptop that slept, is noticed. */
const LONGEST_WAIT_MS = 60_000

export interface Clock {
  now(): Date
  /** Resolves after that time; rejects when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
}

export interface ScheduleSettings {
  /** Cron; undefined: no snapshots by themselves, only the hourly care. */
  readonly schedule: string | undefined
  /** IANA name, `Europe/Berlin`. */
  readonly scheduleZone: string
}

/** @throws UsageError when pattern or zone cannot be used. */
export function parseSchedule({ schedule, scheduleZone }: ScheduleSettings): Cron | undefined {
  if (schedule === undefined) return undefined
  try {
    const cron = new Cron(schedule, { timezone: scheduleZone, paused: true })
    if (cron.nextRun() === null) throw new RangeError('it never comes')
    return cron
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `LAKE_SCHEDULE must be a cron pattern such as "0 2 * * *", LAKE_SCHEDULE_ZONE a time zone such as UTC: ${reason}`,
    )
  }
}

/** The first ticks tell the short gaps; longer ones, nights and weekends, are looked for as far ahead as a month's end. */
const TICKS_AHEAD = 100
const STEP_MS = 30 * 60_000
const HORIZON_MS = 40 * 24 * HOUR_MS
const AGE_FACTOR = 1.5

/** How old the newest snapshot may become before something is wrong; undefined without a schedule. */
export function ageLimitSeconds(settings: ScheduleSettings, now: Date = new Date()): number | undefined {
  const cron = parseSchedule(settings)
  if (cron === undefined) return undefined
  const first = cron.nextRuns(TICKS_AHEAD, now)
  const gaps = first.slice(1).map((tick, i) => tick.getTime() - (first[i]?.getTime() ?? 0))
  let at = first.at(-1)?.getTime() ?? Number.POSITIVE_INFINITY
  while (at < now.getTime() + HORIZON_MS) {
    const next = cron.nextRun(new Date(at + STEP_MS))
    if (next === null) break
    gaps.push(next.getTime() - (cron.previousRuns(1, next)[0]?.getTime() ?? at))
    at = next.getTime()
  }
  return gaps.length === 0 ? undefined : (AGE_FACTOR * Math.max(...gaps)) / 1000
}

export interface SchedulerOptions {
  readonly database: Database
  readonly starter: LakeStarter
  readonly settings: ScheduleSettings
  readonly logger: Logger
  readonly clock?: Clock
  readonly trail?: ScheduleTrail
}

/** Runs until it is stopped. A failure is logged and costs one tick at most. */
export class LakeScheduler {
  readonly #options: SchedulerOptions
  readonly #clock: Clock
  readonly #cron: Cron | undefined
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  /** @throws UsageError when the schedule cannot be used. */
  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#cron = parseSchedule(options.settings)
  }

  start(): void {
    this.#running = Promise.all([this.#ticks(), this.#care()])
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** When the next snapshot is due; undefined without schedule. */
  nextDue(): Date | undefined {
    return this.#cron?.nextRun(this.#clock.now()) ?? undefined
  }

  /** The tick that was missed while nobody ran is the last one; earlier ones would show the same rows. */
  async #ticks(): Promise<void> {
    const cron = this.#cron
    if (cron === undefined) return
    let due: Date | undefined = cron.previousRuns(1, this.#clock.now())[0] ?? this.nextDue()
    while (due !== undefined && (await this.#waitUntil(due))) {
      const next = cron.nextRun(due) ?? undefined
      await this.#take(due, next)
      due = next
    }
  }

  /** Takes a tick and stays with it until its snapshot is published or has failed for good, or the next one is due. */
  async #take(due: Date, next: Date | undefined): Promise<void> {
    const { database, logger, trail } = this.#options
    do {
      try {
        const result = await claimTick(database, due, { now: this.#clock.now(), trail })
        if (result.kind === 'over') return
        if (result.kind === 'started') await this.#startTaken(result.snapshotId, due)
        if (result.kind === 'busy') logger.warn({ due }, 'a snapshot is due while another one is running')
        if (result.kind === 'busy' || result.kind === 'running') await this.#recoverAbandoned()
      } catch (error) {
        logger.error({ err: error, due }, 'a scheduled snapshot could not be started')
      }
    } while ((await this.#pause(this.#untilRetry(next))) && (next === undefined || this.#clock.now() < next))
  }

  #untilRetry(next: Date | undefined): number {
    if (next === undefined) return RETRY_MS
    return Math.max(0, Math.min(RETRY_MS, next.getTime() - this.#clock.now().getTime()))
  }

  /** Where nobody works on the running snapshot, recovery comes now and not with the care in an hour. */
  async #recoverAbandoned(): Promise<void> {
    const { database, starter } = this.#options
    const running = await runningSnapshot(database)
    if (running?.abandoned) await starter.recover()
  }

  /** A tick whose process cannot be started is lost, but is not in the way of anybody. */
  async #startTaken(snapshotId: string, due: Date): Promise<void> {
    const { database, starter, logger } = this.#options
    logger.info({ snapshotId, due }, 'a scheduled snapshot starts')
    try {
      await starter.snapshot(snapshotId)
    } catch (error) {
      await failUnstarted(database, snapshotId, describe(error))
      throw error
    }
  }

  /** What crashes left behind, and what is too old, once an hour. */
  async #care(): Promise<void> {
    const { starter, logger } = this.#options
    do {
      for (const task of ['recover', 'retention'] as const) {
        try {
          await starter[task]()
        } catch (error) {
          logger.error({ err: error, task }, 'the care of the lake could not be started')
        }
      }
    } while (await this.#pause(HOUR_MS))
  }

  /** False when stopped. */
  async #waitUntil(due: Date): Promise<boolean> {
    for (;;) {
      const left = due.getTime() - this.#clock.now().getTime()
      if (left <= 0) return !this.#stop.signal.aborted
      if (!(await this.#pause(Math.min(left, LONGEST_WAIT_MS)))) return false
    }
  }

  async #pause(milliseconds: number): Promise<boolean> {
    if (this.#stop.signal.aborted) return false
    try {
      await this.#clock.wait(milliseconds, this.#stop.signal)
      return !this.#stop.signal.aborted
    } catch {
      return false
    }
  }
}
