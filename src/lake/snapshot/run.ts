import type { Transaction } from '../../database/database.ts'
import { AppError, describe } from '../../errors.ts'
import { inSpan } from '../../tracing.ts'
import { LakeProblem, stopped } from '../lake-problem.ts'
import { manifestBody } from '../manifest.ts'
import type { MultipartSink } from '../storage/multipart-sink.ts'
import { tapped } from '../tap.ts'
import { ControlRows } from './control-rows.ts'
import { copyTables } from './copy-tables.ts'
import { enterPhase } from './enter-phase.ts'
import { finish } from './finish.ts'
import type { Lake, Progress } from './lake.ts'
import { readPointer } from './lake-findings.ts'
import { Lease } from './lease.ts'
import { buildManifest, unrepresentableValues } from './manifest-builder.ts'
import { publishedManifests } from './publish.ts'
import { recoverUnder } from './recover.ts'
import { rollBack } from './roll-back.ts'
import type { SnapshotView } from './snapshot-view.ts'
import { readSnapshot, requestSnapshot } from './snapshots.ts'
import { problemOf } from './stored-problem.ts'

export interface RunOptions {
  /** A snapshot that was requested before; without it a new one is requested. */
  readonly id?: string
  readonly requestedBy?: string
  /** Written together with the request that this call makes. */
  readonly trail?: (tx: Transaction, id: string) => Promise<void>
  readonly progress?: Progress
  /** Ends the run: nothing of the snapshot is left before its commit, recovery finishes it after. */
  readonly signal?: AbortSignal
}

/**
 * Runs one snapshot from request to publication, in this process; what a dead process left is recovered first.
 *
 * @returns the published snapshot.
 * @throws LakeProblem with the code that is also in the snapshot's row; AppError `snapshot-running` or `not-found`.
 */
export async function runSnapshot(lake: Lake, options: RunOptions = {}): Promise<SnapshotView> {
  const lease = await leaseFor(lake, options)
  try {
    return await lease.guard(() => runUnder(lake, lease, options))
  } finally {
    await lease.release()
  }
}

async function runUnder(lake: Lake, lease: Lease, options: RunOptions): Promise<SnapshotView> {
  const signal = options.signal ? AbortSignal.any([lease.signal, options.signal]) : lease.signal
  await recoverUnder(lake, lease, options.progress, options.id, signal)
  if (options.id === undefined) signal.throwIfAborted()
  const requested =
    options.id === undefined ? await requestUnder(lake, lease, options) : await readSnapshot(lake.database, options.id)
  if (requested.state !== 'requested') {
    throw new AppError('conflict', `Snapshot ${requested.id} is ${requested.state} already; request a new one`, {
      extra: { snapshotId: requested.id, state: requested.state },
    })
  }
  lake.measurements.restart()
  const rows = new ControlRows(lake.database, requested.id, lease.fence, () => lake.measurements.stored(), lake.tap)
  await rows.claim(lease.owner, 'requested')
  await lease.confirm()
  const about = { 'rocketgames.snapshot_id': requested.id }
  await inSpan('snapshot', { staged: true, attributes: about }, async () => {
    const body = await prepare(lake, rows, requested, signal, options.progress)
    await finish(lake, rows, 'prepared', body, { signal, removeWhenStopped: true, progress: options.progress })
  })
  return await readSnapshot(lake.database, requested.id)
}

/** A row that carries the lease's fence from its first moment: should this process die now, recovery need not wait for anybody. */
function requestUnder(
  lake: Lake,
  { fence, owner }: Lease,
  { requestedBy = 'command line', trail }: RunOptions,
): Promise<SnapshotView> {
  return tapped(lake.tap, 'control-requested', () =>
    requestSnapshot(lake.database, requestedBy, { holder: { fence, owner }, also: trail }),
  )
}

/** Without the lease nobody will ever take the snapshot that was requested: its row says so now, and the next one may come. */
async function leaseFor(lake: Lake, options: RunOptions): Promise<Lease> {
  try {
    return await Lease.wait(lake, options)
  } catch (error) {
    const { id } = options
    if (id !== undefined) {
      const problem = problemOf(options.signal?.aborted ? stopped(options.signal.reason) : error, 'requested')
      await tapped(lake.tap, 'control-failed', () =>
        lake.database.prisma.lakeSnapshot.updateMany({
          where: { id, state: 'requested', fence: null },
          data: { state: 'failed', endedAt: new Date(), problem },
        }),
      )
    }
    throw error
  }
}

/** Steps 1 to 3: every byte in S3, the manifest fixed. @returns the manifest's body. */
async function prepare(
  lake: Lake,
  rows: ControlRows,
  requested: SnapshotView,
  signal: AbortSignal,
  progress: Progress | undefined,
): Promise<string> {
  const sinks: MultipartSink[] = []
  let phase = 'planning'
  const enter: Progress = (event) => {
    if (event.kind === 'state') phase = event.state
    progress?.(event)
  }
  try {
    signal.throwIfAborted()
    const startedAt = new Date()
    await rows.update({ state: 'planning', startedAt })
    enter({ kind: 'state', snapshotId: rows.snapshotId, state: 'planning' })
    await enterPhase(lake, rows, progress, 'planning')
    const sequence = await numberOf(lake, rows, requested)
    const live = await publishedManifests(lake)
    const { facts, tables } = await copyTables(lake, rows, { live, signal, progress: enter, sinks })
    signal.throwIfAborted()
    await enterPhase(lake, rows, progress, 'preparing')
    const preparedAt = new Date()
    const manifest = buildManifest({
      snapshotId: rows.snapshotId,
      sequence: BigInt(sequence),
      fence: rows.fence,
      software: lake.software,
      previousSnapshotId: live.at(-1)?.snapshot_id ?? null,
      startedAt,
      preparedAt,
      source: facts,
      pseudonymKeyVersion: lake.settings.pseudonymKeyVersion,
      tables,
    })
    lake.measurements.unrepresentable = unrepresentableValues(manifest)
    const { body, sha256 } = manifestBody(manifest)
    await rows.update({
      state: 'prepared',
      preparedAt,
      manifest: body,
      manifestSha256: sha256,
      totalRows: BigInt(manifest.totals.rows),
      totalBytes: BigInt(manifest.totals.bytes),
    })
    enter({ kind: 'state', snapshotId: rows.snapshotId, state: 'prepared' })
    return body
  } catch (error) {
    const problem = signal.aborted && !(error instanceof LakeProblem) ? stopped(signal.reason) : error
    await giveUp(lake, rows, sinks, problem, phase)
    throw problem
  }
}

/**
 * Above that of the snapshot that `CURRENT.json` names. A database that was restored to an earlier instant gives numbers once more that are in
 * the lake already, and the pointer moves to higher ones only.
 */
async function numberOf(lake: Lake, rows: ControlRows, requested: SnapshotView): Promise<number> {
  const taken = (await readPointer(lake))?.sequence ?? 0
  if (requested.sequence > taken) return requested.sequence
  const sequence = await rows.numberAbove(taken)
  lake.logger.warn(
    { snapshotId: rows.snapshotId, taken, sequence },
    'the lake is ahead of the database: numbers go on there',
  )
  return sequence
}

async function giveUp(
  lake: Lake,
  rows: ControlRows,
  sinks: readonly MultipartSink[],
  error: unknown,
  phase: string,
): Promise<void> {
  const { code, message } = problemOf(error, phase)
  const { snapshotId } = rows
  // A row's key may be a person's id: it stands in the snapshot's row and is told to who runs it; logs are kept elsewhere, and longer.
  const key = error instanceof LakeProblem ? error.facts.primaryKey : undefined
  const reason = key === undefined ? message : message.replaceAll(key, '(its key is in the problem of the snapshot)')
  lake.logger.error({ snapshotId, phase, code, reason }, 'snapshot failed')
  for (const sink of sinks) sink.cancel()
  // Whoever took the lease decides about the uploads; touching them now could undo its work.
  if (code === 'fenced') return
  try {
    await rollBack(lake, rows, error, phase, () => Promise.allSettled(sinks.map((sink) => sink.abort())))
  } catch (second) {
    lake.logger.error({ snapshotId, reason: describe(second) }, 'snapshot left for recovery')
  }
}
