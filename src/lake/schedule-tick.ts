import { ConstraintError } from '../database/constraint-errors.ts'
import type { Database, Transaction } from '../database/database.ts'
import { newSnapshotId } from './object-keys.ts'
import { guideOf } from './problem-guide.ts'
import { failNotStarted } from './snapshot/snapshots.ts'
import { RUNNING_STATES, type SnapshotState } from './snapshot/states.ts'

/**
 * Each tick of the schedule has one name, its due time, on every replica and whatever its clock says. The snapshot's row carries
 * that name (`requested_by` = `schedule:<due time>`), and looking for it and inserting it happen under one lock: so a tick
 * starts one snapshot, whichever replica comes first and however late the others come. One that failed for a reason that may pass
 * by itself is tried again.
 */

/** `LAKE` in ASCII; the transactions that claim a tick take it one after the other. */
const TICK_LOCK = 0x4c414b45

export type TickResult =
  | { readonly kind: 'started'; readonly snapshotId: string }
  /** Nothing is left to do for this tick: it, or a snapshot after it, is published, or has failed for good. */
  | { readonly kind: 'over' }
  /** Its snapshot, or one requested after it was due, is running. */
  | { readonly kind: 'running' }
  /** Its snapshot failed for a reason that may pass by itself; it is tried again later. */
  | { readonly kind: 'failed' }
  /** Another snapshot is running; the tick is not lost. */
  | { readonly kind: 'busy' }

/** Snapshots that a tick may cost: the first, and others after failures that may pass by themselves. */
const TRIES = 3
const PAUSE_MS = 5 * 60_000

export function tickName(due: Date): string {
  return `schedule:${due.toISOString()}`
}

export interface ClaimOptions {
  /** Default: the time of this machine. */
  readonly now?: Date
  /** Between the end of one snapshot and the begin of the next; default 5 min. */
  readonly pauseMs?: number
  /** Written together with the request. */
  readonly trail?: ScheduleTrail | undefined
}

/** Tells the audit trail that the schedule asked for a snapshot. */
export type ScheduleTrail = (tx: Transaction, snapshotId: string) => Promise<void>

/** Claims a tick: inserts the row of its snapshot unless the tick, or a snapshot requested since, has one. */
export async function claimTick(
  database: Database,
  due: Date,
  { now = new Date(), pauseMs = PAUSE_MS, trail }: ClaimOptions = {},
): Promise<TickResult> {
  await failNotStarted(database)
  try {
    return await database.transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${TICK_LOCK}::bigint)`
      const before = await tx.lakeSnapshot.findMany({
        where: { OR: [{ requestedBy: tickName(due) }, { requestedAt: { gte: due }, state: { not: 'failed' } }] },
        select: { state: true, endedAt: true, problem: true },
        orderBy: { sequence: 'asc' },
      })
      const found = resultOf(before, now, pauseMs)
      if (found !== undefined) return found
      const { id } = await tx.lakeSnapshot.create({
        data: { id: newSnapshotId(new Date()), requestedBy: tickName(due) },
        select: { id: true },
      })
      await trail?.(tx, id)
      return { kind: 'started', snapshotId: id }
    })
  } catch (error) {
    if (error instanceof ConstraintError && error.constraint === 'lake_snapshots_one_running') return { kind: 'busy' }
    throw error
  }
}

interface Attempt {
  readonly state: SnapshotState
  readonly endedAt: Date | null
  readonly problem: unknown
}

/** @param attempts of one tick, oldest first. @returns undefined when a snapshot has to be started now. */
function resultOf(attempts: readonly Attempt[], now: Date, pauseMs: number): TickResult | undefined {
  const last = attempts.at(-1)
  if (last === undefined) return undefined
  if (attempts.some(({ state }) => (RUNNING_STATES as readonly string[]).includes(state))) return { kind: 'running' }
  if (attempts.some(({ state }) => state !== 'failed')) return { kind: 'over' }
  const { code } = (last.problem ?? {}) as { code?: string }
  if (attempts.length >= TRIES || !guideOf(code ?? '').passes) return { kind: 'over' }
  return now.getTime() - (last.endedAt?.getTime() ?? 0) < pauseMs ? { kind: 'failed' } : undefined
}
