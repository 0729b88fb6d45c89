import { AppError, describe } from '../errors.ts'
import { LakeProblem } from './lake-problem.ts'
import type { ScheduleSettings } from './schedule.ts'
import type { ScheduleTrail } from './schedule-tick.ts'
import { overdueTick, takeScheduled } from './scheduled-snapshot.ts'
import type { Lake, Progress } from './snapshot/lake.ts'
import { type RecoveryReport, recoverSnapshots } from './snapshot/recover.ts'
import { type RetentionReport, retainSnapshots } from './snapshot/retention.ts'

type Scheduled = 'published' | 'running' | null

export interface CareReport {
  /** Null where it failed, or another process works on the lake: that one has recovered what was left when it began. */
  readonly recovery: RecoveryReport | null
  /** Of the last tick, where nobody had taken it; else null. */
  readonly scheduled: Scheduled
  readonly retention: RetentionReport | null
  readonly problems: readonly CareProblem[]
}

export interface CareProblem {
  readonly step: 'recovery' | 'snapshot' | 'retention'
  readonly code: string
  readonly message: string
}

export interface CareOptions {
  /** Of a schedule that lives elsewhere; undefined: somebody else looks for ticks that were missed. */
  readonly schedule?: ScheduleSettings | undefined
  readonly signal: AbortSignal
  readonly trail?: ScheduleTrail | undefined
  readonly progress?: Progress | undefined
  readonly now?: Date
}

/**
 * What a lake needs every hour, one after the other; whatever fails of it keeps nothing else from its turn.
 *
 * @throws the reason of the signal, and nothing else.
 */
export async function careForLake(lake: Lake, options: CareOptions): Promise<CareReport> {
  const { progress, signal } = options
  const problems: CareProblem[] = []
  async function attempt<T>(step: CareProblem['step'], work: () => Promise<T>): Promise<T | null> {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      const isOurs = error instanceof LakeProblem || error instanceof AppError
      if (!isOurs) lake.logger.error({ err: error, step }, 'a part of the care failed')
      problems.push({ step, code: isOurs ? error.code : 'internal', message: describe(error) })
      return null
    }
  }
  const recovery = await attempt('recovery', () => unlessBusy(() => recoverSnapshots(lake, { progress, signal }), null))
  const scheduled = await attempt('snapshot', () =>
    unlessBusy<Scheduled, 'running'>(() => takeOverdue(lake, options), 'running'),
  )
  const retention = await attempt('retention', () =>
    retainSnapshots(lake, { signal, ...(progress && { progress }), ...(options.now && { now: options.now }) }),
  )
  return { recovery, scheduled, retention, problems }
}

/** A long snapshot that runs at the hour of the care is no failure of anybody. */
async function unlessBusy<T, Busy>(work: () => Promise<T>, busy: Busy): Promise<T | Busy> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LakeProblem && error.code === 'lease_taken') return busy
    throw error
  }
}

/**
 * The schedule lives elsewhere and has started a process for each tick. One that was never started, or that died, is found here, where
 * the schedule of the service would have found it.
 */
async function takeOverdue(
  lake: Lake,
  { now = new Date(), progress, schedule, signal, trail }: CareOptions,
): Promise<Scheduled> {
  const due = schedule && overdueTick(schedule, now)
  if (schedule === undefined || due === undefined) return null
  const result = await takeScheduled(lake, { due, schedule, patient: false, signal, trail, progress })
  if (result.kind === 'failed') throw result.problem
  // It was taken when it was due, as nearly always.
  return result.kind === 'over' ? null : result.kind
}
