import type { Context } from '../caller.ts'
import type { Database } from '../database/database.ts'
import { AppError } from '../errors.ts'
import { newId } from '../identifier.ts'
import { LONGEST_KEPT_DAYS } from '../settings.ts'
import type { LakeTrail } from './lake-trail.ts'
import { readSnapshot } from './snapshot/snapshots.ts'
import { LIVE_STATES } from './snapshot/states.ts'

export interface NewHold {
  /** Who reads: the name of a job or a person's role, never an address. */
  readonly holder: string
  readonly reason: string
  readonly expiresAt: Date
}

/** Keeps retention away from a snapshot while somebody reads it. */
export interface Hold extends NewHold {
  readonly id: string
  readonly snapshotId: string
  readonly createdAt: Date
}

export interface HoldPage {
  readonly limit: number
  /** Only holds with a lower id: the last one of the page before. */
  readonly before?: string
}

const DAY_MS = 24 * 3_600_000
const LONGEST_HOLD_MS = 7 * DAY_MS

export function isLive(state: string): boolean {
  return (LIVE_STATES as readonly string[]).includes(state)
}

/** @param done what could not be done with it, as a past participle. */
export function notLive(id: string, state: string, done: string): AppError {
  return new AppError('conflict', `Snapshot ${id} is ${state}; only a published one can be ${done}`, {
    extra: { snapshotId: id, state },
  })
}

/** The holds of the lake, each in the audit trail. */
export class LakeHolds {
  readonly #database: Database
  readonly #trail: LakeTrail | undefined

  constructor(database: Database, trail?: LakeTrail) {
    this.#database = database
    this.#trail = trail
  }

  /**
   * @throws AppError `not-found`; `conflict` when the snapshot is not live; `validation` when the hold is longer than 7 days, or would keep
   * the snapshot for longer than the erasure of a person allows.
   */
  async add(snapshotId: string, { holder, reason, expiresAt }: NewHold, context: Context): Promise<Hold> {
    requireHoldTime(expiresAt)
    await readSnapshot(this.#database, snapshotId)
    return this.#database.transaction(async (tx) => {
      // Retention changes the state under the row's lock, so it either sees the hold or is seen by it.
      const [row] = await tx.$queryRaw<{ state: string; startedAt: Date }[]>`
        SELECT state::text AS state, coalesce(started_at, now()) AS "startedAt"
          FROM lake_snapshots WHERE id = ${snapshotId} FOR SHARE`
      if (row === undefined || !isLive(row.state)) throw notLive(snapshotId, row?.state ?? 'gone', 'held')
      requireErasedInTime(row.startedAt, expiresAt)
      const hold = await tx.lakeHold.create({ data: { id: newId(), snapshotId, holder, reason, expiresAt } })
      const changes = { holdId: { from: null, to: hold.id }, expiresAt: { from: null, to: expiresAt.toISOString() } }
      await this.#trail?.(tx, context, { action: 'snapshot.hold', snapshotId, reason, changes })
      return hold
    })
  }

  /** Those that have not run out, newest first. */
  async list({ before, limit }: HoldPage): Promise<Hold[]> {
    return this.#database.prisma.lakeHold.findMany({
      where: { expiresAt: { gt: new Date() }, ...(before === undefined ? {} : { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: limit,
    })
  }

  /** @param snapshotId default: of whichever snapshot. @throws AppError `not-found`. */
  async release(id: string, context: Context, snapshotId?: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const where = { id, ...(snapshotId === undefined ? {} : { snapshotId }) }
      const hold = await tx.lakeHold.findFirst({ where, select: { snapshotId: true } })
      const { count } = hold === null ? { count: 0 } : await tx.lakeHold.deleteMany({ where })
      if (hold === null || count === 0) {
        throw new AppError('not-found', `There is no such hold${snapshotId === undefined ? '' : ' on this snapshot'}`)
      }
      const changes = { holdId: { from: id, to: null } }
      await this.#trail?.(tx, context, { action: 'snapshot.release', snapshotId: hold.snapshotId, changes })
    })
  }
}

function requireHoldTime(expiresAt: Date): void {
  const left = expiresAt.getTime() - Date.now()
  if (left > 0 && left <= LONGEST_HOLD_MS) return
  throw invalidEnd('must lie in the future, at most 7 days')
}

/** What an erased person leaves in old snapshots must go in time, whoever reads them. */
function requireErasedInTime(startedAt: Date, expiresAt: Date): void {
  const last = new Date(startedAt.getTime() + LONGEST_KEPT_DAYS * DAY_MS)
  if (expiresAt <= last) return
  const reason = `no snapshot is kept for more than ${LONGEST_KEPT_DAYS} days, so that erased persons leave the lake in time`
  throw invalidEnd(
    last > new Date()
      ? `must be ${last.toISOString()} or before: ${reason}`
      : `cannot be met, this snapshot is too old to be held: ${reason}; hold a newer one`,
  )
}

function invalidEnd(detail: string): AppError {
  return new AppError('validation', '1 field is invalid', {
    errors: [{ pointer: '/expiresAt', code: 'range', detail }],
  })
}
