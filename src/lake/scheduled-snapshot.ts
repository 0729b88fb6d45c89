import { LoginRefused } from '../database/constraint-errors.ts'
import { describe, UsageError } from '../errors.ts'
import { LakeProblem } from './lake-problem.ts'
import { type Clock, parseSchedule, type ScheduleSettings, systemClock } from './schedule.ts'
import { claimTick, type ScheduleTrail, type TickResult } from './schedule-tick.ts'
import type { Lake, Progress } from './snapshot/lake.ts'
import { recoverSnapshots } from './snapshot/recover.ts'
import { runSnapshot } from './snapshot/run.ts'
import type { SnapshotView } from './snapshot/snapshot-view.ts'
import { readSnapshot, runningSnapshot } from './snapshot/snapshots.ts'

/**
 * A tick of the schedule as a process of its own, for schedules that live elsewhere (EventBridge Scheduler, cron). It goes by the same
 * rows as the schedule of the service (`schedule-tick.ts`): a start that is delivered twice finds the tick taken, and both kinds of
 * schedule beside each other take it once.
 */

const RETRY_MS = 60_000
/** How long this process waits for others and for what may pass, all together and besides the runs; care goes on after it. */
const PATIENCE_MS = 60 * 60_000
/** A database that is away for longer than a failover ends the process: whoever looks at its exit hears of it. */
const OUTAGE_MS = 10 * 60_000
/** Clocks differ. */
const FUTURE_MS = 5 * 60_000
/** A tick that its own process has not even claimed by now was not started, or its process is gone. */
const OVERDUE_MS = 15 * 60_000

/** @param text ISO 8601 with a time zone, as EventBridge Scheduler gives `<aws.scheduler.scheduled-time>`. */
export function parseDue(text: string, now: Date = new Date()): Date {
  const due = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : undefined
  if (due === undefined || Number.isNaN(due.getTime())) {
    throw new UsageError('--scheduled must be an instant with its time zone, such as 2026-11-23T02:00:00Z')
  }
  if (due.getTime() > now.getTime() + FUTURE_MS) throw new UsageError(`--scheduled ${text} is still to come`)
  return due
}

export interface ScheduledOptions {
  readonly due: Date
  readonly schedule: ScheduleSettings
  /** False: one look, and one run when it is due, be it soon after one that failed. Default true. */
  readonly patient?: boolean
  readonly signal: AbortSignal
  readonly trail?: ScheduleTrail | undefined
  readonly progress?: Progress | undefined
  readonly clock?: Clock
}

export type ScheduledResult =
  | { readonly kind: 'published'; readonly snapshot: SnapshotView }
  /** The tick was taken before, or one that was requested since has shown its rows. */
  | { readonly kind: 'over' }
  /** Another process works on the tick. */
  | { readonly kind: 'running' }
  /** For good, or for longer than this process waits. */
  | { readonly kind: 'failed'; readonly problem: unknown }

/**
 * Takes the snapshot of a tick, and stays with it until it is published or has failed for good: what may pass is tried again, as often as
 * the service's schedule does, and what a dead process left is recovered.
 *
 * @throws the reason of the signal; UsageError; the database's error when that stays away.
 */
export async function takeScheduled(lake: Lake, options: ScheduledOptions): Promise<ScheduledResult> {
  const { clock = systemClock, patient = true, progress, signal } = options
  const tick = new Tick(lake, options)
  const next = parseSchedule(options.schedule)?.nextRun(options.due)?.getTime() ?? Number.POSITIVE_INFINITY
  for (let waited = 0; ; waited += RETRY_MS) {
    signal.throwIfAborted()
    const done = await tick.goOn(clock.now())
    if (done !== undefined) return done
    const over = waited >= PATIENCE_MS || clock.now().getTime() + RETRY_MS >= next
    if (!patient || over) return { kind: 'failed', problem: tick.problem }
    progress?.({ kind: 'waiting', reason: describe(tick.problem) })
    await clock.wait(RETRY_MS, signal).catch(() => signal.throwIfAborted())
  }
}

class Tick {
  readonly #lake: Lake
  readonly #options: ScheduledOptions
  /** What stands in the way. */
  problem: unknown
  /** Of the snapshot that this process has run. */
  #id: string | undefined
  #awaySince: Date | undefined

  constructor(lake: Lake, options: ScheduledOptions) {
    this.#lake = lake
    this.#options = options
  }

  /** One look at the tick, and what follows. Undefined: look again later. */
  async goOn(now: Date): Promise<ScheduledResult | undefined> {
    const { due, patient = true, trail } = this.#options
    let result: TickResult
    try {
      result = await claimTick(this.#lake.database, due, { now, trail, ...(patient ? {} : { pauseMs: 0 }) })
      this.#awaySince = undefined
    } catch (error) {
      this.problem = error
      this.#awaySince ??= now
      // A process that is started anew may have a password that holds.
      if (error instanceof LoginRefused) throw error
      if (now.getTime() - this.#awaySince.getTime() >= OUTAGE_MS) throw error
      return undefined
    }
    if (result.kind === 'over') return this.#over()
    if (result.kind === 'started') return this.#run(result.snapshotId)
    if (result.kind === 'failed') return undefined
    return this.#standsAside(result.kind)
  }

  async #over(): Promise<ScheduledResult> {
    if (this.#id === undefined) return { kind: 'over' }
    const snapshot = await readSnapshot(this.#lake.database, this.#id)
    return snapshot.state === 'failed' ? { kind: 'failed', problem: this.problem } : { kind: 'published', snapshot }
  }

  async #run(id: string): Promise<ScheduledResult | undefined> {
    const { progress, signal } = this.#options
    this.#id = id
    try {
      return {
        kind: 'published',
        snapshot: await runSnapshot(this.#lake, { id, signal, ...(progress && { progress }) }),
      }
    } catch (error) {
      if (signal.aborted) throw error
      this.problem = error
      this.#lake.logger.warn({ snapshotId: id, reason: describe(error) }, 'a scheduled snapshot is not published')
      return undefined
    }
  }

  /** A snapshot runs: that of the tick, or one in its way. One that nobody works on is finished or removed here. */
  async #standsAside(kind: 'running' | 'busy'): Promise<ScheduledResult | undefined> {
    const { progress, signal } = this.#options
    const running = await runningSnapshot(this.#lake.database)
    if (running === undefined) return undefined
    if (!running.abandoned) {
      if (kind === 'running' && running.id !== this.#id) return { kind: 'running' }
      this.problem ??= new LakeProblem('lease_taken', `Snapshot ${running.id} is ${running.state}`)
      return undefined
    }
    try {
      await recoverSnapshots(this.#lake, { progress, signal })
    } catch (error) {
      if (signal.aborted) throw error
      this.problem = error
    }
    return undefined
  }
}

/** The last tick that was due, when it is late enough that nobody may be about to take it; undefined: there is none. */
export function overdueTick(schedule: ScheduleSettings, now: Date): Date | undefined {
  const [due] = parseSchedule(schedule)?.previousRuns(1, now) ?? []
  return due !== undefined && now.getTime() - due.getTime() >= OVERDUE_MS ? due : undefined
}
