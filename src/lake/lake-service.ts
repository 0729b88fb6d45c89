import type { Context } from '../caller.ts'
import type { Database } from '../database/database.ts'
import { AppError } from '../errors.ts'
import { reaching } from './lake-availability.ts'
import { findLakeTable, type LakeTable, lakeTables } from './lake-dictionary.ts'
import { isLive, LakeHolds, notLive } from './lake-holds.ts'
import type { LakeStarter } from './lake-starter.ts'
import type { LakeTrail } from './lake-trail.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import type { Finding } from './publication.ts'
import type { SnapshotView } from './snapshot/snapshot-view.ts'
import { listSnapshots, manifestOf, readSnapshot, type SnapshotPage } from './snapshot/snapshots.ts'
import { launchSnapshot } from './snapshot-launch.ts'

/** What `verify` tells of one snapshot; an empty list of findings is a healthy one. */
export interface VerifyResult {
  readonly files: number
  readonly rows: number
  readonly findings: readonly Finding[]
  /** Retention took these away meanwhile: there is no verdict on them. */
  readonly gone?: readonly string[]
}

export interface LakeServiceOptions {
  readonly database: Database
  readonly starter: LakeStarter
  /** Compares what is stored with what was promised; reads only. */
  readonly verify: (id: string, signal: AbortSignal | undefined) => Promise<VerifyResult>
  /** Default: nothing is told. */
  readonly trail?: LakeTrail
}

export interface TableWithSnapshot extends LakeTable {
  /** The newest published one; null before the first. */
  readonly lastSnapshot: {
    readonly id: string
    readonly takenAt: string | null
    readonly rows: number | null
    readonly bytes: number | null
  } | null
}

export interface SnapshotWithManifest extends SnapshotView {
  readonly manifest: Manifest | null
}

/** Each lists the whole bucket and holds the manifests of all live snapshots. */
const VERIFICATIONS_AT_ONCE = 2
const RETRY_AFTER_SECONDS = '10'

/** The lake as the API shows it: tables, snapshots, holds. */
export class LakeService {
  readonly #options: LakeServiceOptions
  readonly holds: LakeHolds
  #verifications = 0

  constructor(options: LakeServiceOptions) {
    this.#options = options
    this.holds = new LakeHolds(options.database, options.trail)
  }

  async tables(): Promise<TableWithSnapshot[]> {
    const last = await this.#lastPublished()
    return lakeTables.map((table) => withSnapshot(table, last))
  }

  /** @throws AppError `not-found`. */
  async table(name: string): Promise<TableWithSnapshot> {
    return withSnapshot(findLakeTable(name), await this.#lastPublished())
  }

  async #lastPublished(): Promise<SnapshotView | undefined> {
    const [last] = await listSnapshots(this.#options.database, { limit: 1, state: 'published' })
    return last
  }

  /**
   * Requests a snapshot and starts the process that takes it; one in the way whose process is gone is recovered first.
   *
   * @param token the same for every repeat of one request: they all get one snapshot
   * @throws AppError `snapshot-running` naming the one that runs; `unavailable` when no process could be started.
   */
  async requestSnapshot(context: Context, token?: string): Promise<SnapshotView> {
    const { database, starter, trail } = this.#options
    const { type, id } = context.principal
    return launchSnapshot(database, starter, `${type}:${id}`, token, async (tx, snapshotId) => {
      await trail?.(tx, context, { action: 'snapshot.request', snapshotId })
    })
  }

  /** Newest first. */
  snapshots(page: SnapshotPage): Promise<SnapshotView[]> {
    return listSnapshots(this.#options.database, page)
  }

  /** @throws AppError `not-found`. */
  async snapshot(id: string): Promise<SnapshotWithManifest> {
    const snapshot = await readSnapshot(this.#options.database, id)
    const body = await manifestOf(this.#options.database, id)
    return { ...snapshot, manifest: body === undefined ? null : parseManifest(body) }
  }

  /**
   * @param signal ends it: nobody waits for the answer any more.
   * @throws AppError `not-found`; `conflict` when the snapshot is not published; `unavailable`, also while others are verified.
   */
  async verify(id: string, signal?: AbortSignal): Promise<VerifyResult> {
    const { state } = await readSnapshot(this.#options.database, id)
    if (!isLive(state)) throw notLive(id, state, 'verified')
    if (this.#verifications >= VERIFICATIONS_AT_ONCE) {
      throw new AppError(
        'unavailable',
        `${VERIFICATIONS_AT_ONCE} verifications are under way; ask again when one is done`,
        {
          headers: { 'Retry-After': RETRY_AFTER_SECONDS },
        },
      )
    }
    this.#verifications++
    try {
      const result = await reaching('The lake', () => this.#options.verify(id, signal))
      if (result.gone?.includes(id)) throw notLive(id, 'retiring', 'verified')
      return result
    } catch (error) {
      // No defect, and nobody reads it.
      if (signal?.aborted) throw new AppError('unavailable', 'Nobody waits for the verification', { cause: error })
      throw error
    } finally {
      this.#verifications--
    }
  }
}

function withSnapshot(table: LakeTable, last: SnapshotView | undefined): TableWithSnapshot {
  const counts = last?.tables.find((each) => each.name === table.glueTable)
  if (last === undefined || counts === undefined) return { ...table, lastSnapshot: null }
  const { rowsEncoded: rows, bytes } = counts
  return { ...table, lastSnapshot: { id: last.id, takenAt: last.takenAt, rows, bytes } }
}
