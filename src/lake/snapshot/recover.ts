import { LakeProblem } from '../lake-problem.ts'
import { LAKE_PREFIX, parsePartKey } from '../object-keys.ts'
import { tapped } from '../tap.ts'
import { rollBack } from './commit.ts'
import { ControlRows, problemOf, type ControlRows as Rows } from './control-rows.ts'
import { finish } from './finish.ts'
import type { Lake, Progress } from './lake.ts'
import { Lease } from './lease.ts'
import { failNotStarted } from './snapshots.ts'
import { RUNNING_STATES, type SnapshotState } from './states.ts'

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
}

const ORPHAN_AGE_MS = 60 * 60_000

/**
 * Finishes or removes what dead processes left: afterwards each snapshot is published once or nothing of it is there. Also ends
 * uploads older than an hour whose snapshot is over or unknown.
 *
 * @throws LakeProblem `lease_taken` when a process works on the lake for longer than a lease lasts twice.
 */
export async function recoverSnapshots(lake: Lake, progress?: Progress): Promise<RecoveryReport> {
  const lease = await Lease.wait(lake, { progress })
  try {
    const snapshots = await recoverUnder(lake, lease, progress)
    return { snapshots, abortedUploads: await abortOrphans(lake) }
  } finally {
    await lease.release()
  }
}

/** The part of recovery that a runner does before its own snapshot. @param except the runner's own row. */
export async function recoverUnder(
  lake: Lake,
  lease: Lease,
  progress?: Progress,
  except?: string,
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
    lake.measurements.restart(row.measurements)
    const rows = new ControlRows(lake.database, row.id, lease.fence, () => lake.measurements.stored(), lake.tap)
    await rows.claim(lease.owner)
    lake.logger.warn({ snapshotId: row.id, state: row.state }, 'recovering a snapshot whose process is gone')
    const problem = await recoverOne(lake, rows, row, lease, progress)
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
}

async function recoverOne(
  lake: Lake,
  rows: Rows,
  row: LeftRow,
  lease: Lease,
  progress: Progress | undefined,
): Promise<string | undefined> {
  const { manifest, preparedAt, state } = row
  const expired = Date.now() - (preparedAt?.getTime() ?? 0) > lake.settings.preparedTtlMs
  if (manifest === null || (state === 'prepared' && expired)) {
    const code = manifest === null ? 'abandoned' : 'prepared_expired'
    const problem = new LakeProblem(
      code,
      code === 'abandoned'
        ? `The process of this snapshot ended while it was ${state}; start a new one`
        : 'This snapshot waited too long for its commit; start a new one',
    )
    await abandon(lake, rows, problem, state)
    return code
  }
  try {
    await finish(lake, rows, state as 'prepared' | 'committing' | 'committed', manifest, {
      signal: lease.signal,
      progress,
    })
    return undefined
  } catch (error) {
    const { code } = problemOf(error, state)
    if (code === 'fenced') throw error
    return code
  }
}

/** Removes everything of a snapshot that has no manifest, then says why in its row. */
export async function abandon(lake: Lake, rows: Rows, error: unknown, phase: string): Promise<void> {
  await rollBack(
    lake,
    rows,
    lake.contracts.map((contract) => contract.name),
  )
  await rows.update({ state: 'failed', endedAt: new Date(), problem: problemOf(error, phase) })
}

async function abortOrphans(lake: Lake): Promise<string[]> {
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
    if (Date.now() - initiated.getTime() < ORPHAN_AGE_MS) continue
    await lake.bucket.multipart.abort(key, uploadId)
    aborted.push(key)
  }
  return aborted
}
