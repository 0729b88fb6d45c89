import { inSpan } from '../../tracing.ts'
import { LakeProblem } from '../lake-problem.ts'
import { LAKE_PREFIX, parsePartKey } from '../object-keys.ts'
import { tapped } from '../tap.ts'
import { ControlRows, type ControlRows as Rows } from './control-rows.ts'
import { finish } from './finish.ts'
import type { Lake, Progress } from './lake.ts'
import { Lease } from './lease.ts'
import { isRollingBack, rollBack, sweepFailed } from './roll-back.ts'
import { takeUpManifest } from './set-back.ts'
import { failNotStarted } from './snapshots.ts'
import { sweepSpool } from './spool.ts'
import { RUNNING_STATES, type SnapshotState } from './states.ts'
import { problemOf } from './stored-problem.ts'

/** What recovery did with one snapshot. */
export interface Recovery {
  readonly snapshotId: string
  readonly from: SnapshotState
  /** Equal to `from` when it could not be finished yet. */
  readonly to: SnapshotState
  /** Code of what stands in the way, or of why it failed. */
  readonly problem: string | undefined
}

export interface RecoveryReport {
  readonly snapshots: readonly Recovery[]
  /** Uploads that nobody could complete any more and that were ended. */
  readonly abortedUploads: readonly string[]
  /** Objects of failed snapshots that came to light after their removal: a call of a dead process was still under way. */
  readonly removedObjects: readonly string[]
}

export interface RecoverOptions {
  readonly now?: Date
  readonly progress?: Progress | undefined
  /** Stops it between two calls; what is not over then is left to the next recovery. */
  readonly signal?: AbortSignal
}

const ORPHAN_AGE_MS = 60 * 60_000

/**
 * Finishes or removes what dead processes left: afterwards each snapshot is published once or nothing of it is there. Also ends
 * uploads older than an hour whose snapshot is over or unknown.
 *
 * @throws LakeProblem `lease_taken` when a process works on the lake for longer than a lease lasts twice; the reason of the signal.
 */
export async function recoverSnapshots(
  lake: Lake,
  { now = new Date(), progress, signal }: RecoverOptions = {},
): Promise<RecoveryReport> {
  const lease = await Lease.wait(lake, { progress, signal })
  const stop = signal === undefined ? lease.signal : AbortSignal.any([lease.signal, signal])
  try {
    if (lake.settings.spoolDir !== undefined) await sweepSpool(lake.settings.spoolDir, lake.bucket.name)
    return await lease.guard(async () => ({
      snapshots: await recoverUnder(lake, lease, progress, undefined, stop),
      abortedUploads: await abortOrphans(lake, now),
      removedObjects: await sweepFailed(lake),
    }))
  } finally {
    await lease.release()
  }
}

/**
 * The part of recovery that a runner does before its own snapshot.
 *
 * @param except the runner's own row.
 * @param signal stops it between two calls; what is not over then is left to the next recovery.
 */
export async function recoverUnder(
  lake: Lake,
  lease: Lease,
  progress?: Progress,
  except?: string,
  signal = lease.signal,
): Promise<Recovery[]> {
  await tapped(lake.tap, 'control-not-started', () => failNotStarted(lake.database))
  const left = await lake.database.prisma.lakeSnapshot.findMany({
    where: {
      state: { in: [...RUNNING_STATES] },
      // A request without a fence waits for its process; with one its process took it and is gone.
      NOT: { state: 'requested', fence: null },
      ...(except === undefined ? {} : { id: { not: except } }),
    },
    orderBy: { sequence: 'asc' },
  })
  const recovered: Recovery[] = []
  for (const row of left) {
    signal.throwIfAborted()
    lake.measurements.restart(row.measurements)
    const rows = new ControlRows(lake.database, row.id, lease.fence, () => lake.measurements.stored(), lake.tap)
    await rows.claim(lease.owner)
    lake.logger.warn({ snapshotId: row.id, state: row.state }, 'recovering a snapshot whose process is gone')
    const about = { 'rocketgames.snapshot_id': row.id, 'rocketgames.state': row.state }
    const problem = await inSpan('recover snapshot', { staged: true, attributes: about }, async (span) => {
      const found = await recoverOne(lake, rows, row, signal, progress)
      if (found !== undefined) span?.fail(found)
      return found
    })
    const after = await lake.database.prisma.lakeSnapshot.findUniqueOrThrow({ where: { id: row.id } })
    recovered.push({ snapshotId: row.id, from: row.state, to: after.state, problem })
  }
  return recovered
}

interface LeftRow {
  readonly id: string
  readonly state: SnapshotState
  readonly manifest: string | null
  readonly preparedAt: Date | null
  readonly problem: unknown
}

async function recoverOne(
  lake: Lake,
  rows: Rows,
  row: LeftRow,
  signal: AbortSignal,
  progress: Progress | undefined,
): Promise<string | undefined> {
  const { manifest, state } = row
  const decided = isRollingBack(row.problem)
  let noWayOn = decided ? row.problem : reasonToRemove(row, lake.settings.preparedTtlMs)
  try {
    const committed = noWayOn === undefined || decided ? undefined : await takeUpManifest(lake, rows)
    if (committed !== undefined) {
      noWayOn = undefined
      await finish(lake, rows, 'prepared', committed, { signal, progress })
    } else if (manifest === null || noWayOn !== undefined) {
      await rollBack(lake, rows, noWayOn, state)
      return (noWayOn as { code: string }).code
    } else {
      await finish(lake, rows, state as 'prepared' | 'committing' | 'committed', manifest, { signal, progress })
    }
    return undefined
  } catch (error) {
    const problem = problemOf(error, state)
    if (problem.code === 'fenced') throw error
    // One that can be neither finished nor removed must not keep recovery from the others. Its row goes on telling why it has to be removed.
    if (noWayOn !== undefined) {
      lake.logger.error({ snapshotId: row.id, code: problem.code, reason: problem.message }, 'snapshot not removed')
      if (problem.code === 'manifest_conflict') await rows.update({ problem })
    }
    return problem.code
  }
}

/** Why a snapshot that a dead process left cannot be finished; undefined when it can. */
function reasonToRemove({ manifest, preparedAt, problem, state }: LeftRow, preparedTtlMs: number): unknown {
  if (manifest === null) {
    // Its process could still say why.
    if (problem !== null) return problem
    return new LakeProblem('abandoned', `The process of this snapshot ended while it was ${state}; start a new one`)
  }
  const ageMs = Date.now() - (preparedAt?.getTime() ?? 0)
  if (state !== 'prepared' || ageMs <= preparedTtlMs) return undefined
  return new LakeProblem('prepared_expired', 'This snapshot waited too long for its commit; start a new one')
}

async function abortOrphans(lake: Lake, now: Date): Promise<string[]> {
  const running = new Set(
    (
      await lake.database.prisma.lakeSnapshot.findMany({
        where: { state: { in: [...RUNNING_STATES] } },
        select: { id: true },
      })
    ).map((row) => row.id),
  )
  const aborted: string[] = []
  for await (const { initiated, key, uploadId } of lake.bucket.multipart.pending(LAKE_PREFIX)) {
    const snapshotId = parsePartKey(key)?.snapshotId
    if (snapshotId !== undefined && running.has(snapshotId)) continue
    if (now.getTime() - initiated.getTime() < ORPHAN_AGE_MS) continue
    await lake.bucket.multipart.abort(key, uploadId)
    aborted.push(key)
  }
  return aborted
}
