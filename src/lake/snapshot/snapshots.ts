import { ConstraintError } from '../../database/constraint-errors.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { isSnapshotId, newSnapshotId } from '../object-keys.ts'
import { abandonedSnapshot } from './lease.ts'
import { type SnapshotRow, type SnapshotView, snapshotView, withTables } from './snapshot-view.ts'
import { RUNNING_STATES, type SnapshotState } from './states.ts'

/** A row that nobody took within this time never will be: its process could not be started. */
export const NOT_STARTED_MS = 10 * 60_000
const LIST_LIMIT = 1000

export interface RequestOptions {
  /** Of a request that may be repeated; see `requestedBefore`. */
  readonly requestToken?: string | null | undefined
  /** What is written together with the row. */
  readonly also?: ((tx: Transaction, id: string) => Promise<void>) | undefined
  /** The lease of the process that is going to run it; without one a process is started that takes it. */
  readonly holder?: { readonly fence: bigint; readonly owner: string }
}

/**
 * Inserts the row of a new snapshot; somebody starts a process that runs it. One snapshot runs at a time.
 *
 * @param requestedBy who asked, for the list: a caller's id or `schedule`, never a name or address.
 * @throws AppError `snapshot-running` with `snapshotId` and `state` of the one that runs; `abandoned` when its process is gone, so that
 *   `recover` has to finish or remove it first.
 */
export async function requestSnapshot(
  database: Database,
  requestedBy: string,
  { also, holder, requestToken = null }: RequestOptions = {},
): Promise<SnapshotView> {
  await failNotStarted(database)
  try {
    return await database.transaction(async (tx) => {
      const row = await tx.lakeSnapshot.create({
        data: { id: newSnapshotId(new Date()), requestedBy, requestToken, ...holder },
        include: withTables,
      })
      await also?.(tx, row.id)
      return snapshotView(row)
    })
  } catch (error) {
    if (!(error instanceof ConstraintError) || error.constraint !== 'lake_snapshots_one_running') throw error
    throw await snapshotRunning(database)
  }
}

/** The snapshot that this request asked for when it was received before; one that nobody took does not count. */
export async function requestedBefore(database: Database, requestToken: string): Promise<SnapshotView | undefined> {
  const row = await database.prisma.lakeSnapshot.findUnique({ where: { requestToken }, include: withTables })
  return row ? snapshotView(row) : undefined
}

/** The row does not tell whether its process is gone; at most one of all is running. */
async function view(database: Database, row: SnapshotRow): Promise<SnapshotView> {
  const running = (RUNNING_STATES as readonly string[]).includes(row.state)
  return snapshotView(row, { abandoned: running && (await abandonedSnapshot(database)) === row.id })
}

async function snapshotRunning(database: Database): Promise<AppError> {
  const running = await runningSnapshot(database)
  const abandoned = running?.abandoned === true
  const hint = abandoned
    ? 'its process is gone: run "rocketgames recover", then ask again'
    : 'wait for it, or ask again'
  return new AppError(
    'snapshot-running',
    `Snapshot ${running?.id ?? '(just ended)'} is ${running?.state ?? 'over'}; ${hint}`,
    { extra: { snapshotId: running?.id ?? null, state: running?.state ?? null, abandoned } },
  )
}

/** Fails snapshots that were requested and never begun. */
export async function failNotStarted(database: Database): Promise<void> {
  const before = new Date(Date.now() - NOT_STARTED_MS)
  await database.prisma.lakeSnapshot.updateMany({
    where: { state: 'requested', fence: null, requestedAt: { lt: before } },
    data: {
      state: 'failed',
      endedAt: new Date(),
      requestToken: null,
      problem: {
        code: 'not_started',
        message: `No process took this snapshot within ${NOT_STARTED_MS / 60_000} minutes; look at the log of the service, or at its task`,
        phase: 'requested',
      },
    },
  })
}

/** The one snapshot that is not over yet, if there is one. */
export async function runningSnapshot(database: Database): Promise<SnapshotView | undefined> {
  const row = await database.prisma.lakeSnapshot.findFirst({
    where: { state: { in: [...RUNNING_STATES] } },
    include: withTables,
  })
  return row ? view(database, row) : undefined
}

export interface SnapshotPage {
  readonly limit: number
  /** Only snapshots with a lower sequence: the last one of the page before. */
  readonly before?: number
  readonly state?: SnapshotState
}

/** Newest first. */
export async function listSnapshots(database: Database, page: SnapshotPage): Promise<SnapshotView[]> {
  const rows = await database.prisma.lakeSnapshot.findMany({
    where: {
      ...(page.before === undefined ? {} : { sequence: { lt: BigInt(page.before) } }),
      ...(page.state === undefined ? {} : { state: page.state }),
    },
    orderBy: { sequence: 'desc' },
    take: Math.min(page.limit, LIST_LIMIT),
    include: withTables,
  })
  return Promise.all(rows.map((row) => view(database, row)))
}

/** @throws AppError `not-found`. */
export async function readSnapshot(database: Database, id: string): Promise<SnapshotView> {
  const row = isSnapshotId(id)
    ? await database.prisma.lakeSnapshot.findUnique({ where: { id }, include: withTables })
    : null
  if (!row) throw new AppError('not-found', `There is no snapshot ${JSON.stringify(id.slice(0, 64))}`)
  return view(database, row)
}

/** Canonical body of the manifest; undefined before `prepared`. */
export async function manifestOf(database: Database, id: string): Promise<string | undefined> {
  const row = await database.prisma.lakeSnapshot.findUnique({ where: { id }, select: { manifest: true } })
  return row?.manifest ?? undefined
}
