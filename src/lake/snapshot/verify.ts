import { AppError } from '../../errors.ts'
import type { Finding } from '../publication.ts'
import type { Lake } from './lake.ts'
import { lakeFindings, readPointer } from './lake-findings.ts'
import { type LiveSnapshot, liveIds, snapshotStates } from './live-snapshots.ts'
import { snapshotFindings, type TableProgress } from './snapshot-findings.ts'

/** How far a verification has come. */
export type VerifyProgress =
  | (TableProgress & {
      readonly kind: 'table'
      readonly snapshotId: string
      /** Of the snapshots to look at, counted from 1. */
      readonly number: number
      readonly snapshots: number
    })
  /** Bucket, catalogue and views. */
  | { readonly kind: 'lake' }

export interface VerifyOptions {
  /** Default: the snapshot that `CURRENT.json` names. */
  readonly id?: string
  /** Every live snapshot. */
  readonly all?: boolean
  /** Reads every value of every file back. */
  readonly deep?: boolean
  readonly progress?: (event: VerifyProgress) => void
  /** Ends the verification at the next file or row group. */
  readonly signal?: AbortSignal
}

export interface VerifyReport {
  /** Snapshots that were looked at. */
  readonly snapshots: readonly string[]
  /** Retention took these away while they were looked at: no verdict on them. */
  readonly gone: readonly string[]
  readonly files: number
  readonly rows: number
  /** Empty: healthy. */
  readonly findings: readonly Finding[]
}

/**
 * Compares the lake with what the control tables promise; reads only and repairs nothing. Snapshots, retention and recovery may go on
 * meanwhile: what they have under way is no finding.
 *
 * @throws AppError `not-found` when there is no such live snapshot; LakeProblem when S3, Glue or Athena cannot be read.
 */
export async function verifySnapshots(lake: Lake, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { deep = false, progress, signal } = options
  const { live } = await snapshotStates(lake)
  const wanted = await chosen(lake, live, options)
  const checked: LiveSnapshot[] = []
  const gone: string[] = []
  const findings: Finding[] = []
  for (const [index, snapshot] of wanted.entries()) {
    const told = (event: TableProgress) =>
      progress?.({ kind: 'table', snapshotId: snapshot.id, number: index + 1, snapshots: wanted.length, ...event })
    const found = await snapshotFindings(lake, snapshot, { deep, signal, progress: told })
    if (found.length > 0 && !(await liveIds(lake)).has(snapshot.id)) gone.push(snapshot.id)
    else {
      checked.push(snapshot)
      findings.push(...found)
    }
  }
  progress?.({ kind: 'lake' })
  findings.push(...(await lakeFindings(lake, { retiredToo: options.all === true, signal })))
  const total = (of: (snapshot: LiveSnapshot) => number) => checked.reduce((sum, snapshot) => sum + of(snapshot), 0)
  return {
    snapshots: checked.map((snapshot) => snapshot.id),
    gone,
    files: total(({ manifest }) => manifest.totals.files),
    rows: total(({ manifest }) => manifest.totals.rows),
    findings,
  }
}

async function chosen(
  lake: Lake,
  live: readonly LiveSnapshot[],
  { all, id }: VerifyOptions,
): Promise<readonly LiveSnapshot[]> {
  if (all) return live
  if (id !== undefined) {
    const snapshot = live.find((each) => each.id === id)
    if (snapshot) return [snapshot]
    throw new AppError('not-found', `Snapshot ${JSON.stringify(id.slice(0, 64))} is not committed or published`)
  }
  const pointer = await readPointer(lake)
  const newest = live.filter((snapshot) => snapshot.published).at(-1)
  // A pointer elsewhere is a finding; then the newest one is looked at.
  const current = live.find((each) => each.id === pointer?.snapshot_id) ?? newest
  return current ? [current] : []
}
