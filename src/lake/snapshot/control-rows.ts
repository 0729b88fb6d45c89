import { Prisma } from '../../database/database.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { UploadedPart } from '../storage/multipart-uploads.ts'
import { type Tap, tapped } from '../tap.ts'
import type { Lake } from './lake.ts'
import type { SnapshotState } from './states.ts'

/** What recovery needs to finish an upload, and verification to judge the object. */
export interface FinishedUpload {
  readonly parts: readonly UploadedPart[]
  readonly bytes: number
  readonly rows: number
  /** Base 64, of the whole object. */
  readonly crc32: string
  /** Hex, of the whole object. */
  readonly sha256: string
  readonly tailBytes: number
  readonly tailSha256: string
}

export interface StoredUpload extends Partial<FinishedUpload> {
  readonly key: string
  readonly table: string
  readonly uploadId: string
  readonly state: 'open' | 'uploaded' | 'completed' | 'aborted'
}

/** Columns of `lake_snapshots` that a run writes. */
export interface SnapshotChange {
  readonly state?: SnapshotState
  readonly source?: object
  readonly manifest?: string
  readonly manifestSha256?: string
  readonly totalRows?: bigint
  readonly totalBytes?: bigint
  readonly startedAt?: Date
  readonly preparedAt?: Date
  readonly committedAt?: Date
  readonly publishedAt?: Date
  readonly retiringAt?: Date
  readonly endedAt?: Date
  /** `null` clears it: what stood in the way is over. */
  readonly problem?: object | null
}

export interface TableChange {
  readonly state: 'copying' | 'uploaded'
  readonly rowsCopied?: number
  readonly rowsEncoded?: number
  readonly bytes?: number
  readonly files?: number
}

/**
 * Control rows of one snapshot, written under the fence of one lease. A write that finds another fence touches nothing and throws
 * `fenced`: its process has been taken for dead and must stop at once.
 */
export class ControlRows {
  readonly snapshotId: string
  readonly fence: bigint
  readonly #database: Lake['database']
  readonly #measured: (() => object) | undefined

  readonly #tap: Tap | undefined

  /** @param measured what the run has cost so far; stored with each write to the snapshot's row. */
  constructor(database: Lake['database'], snapshotId: string, fence: bigint, measured?: () => object, tap?: Tap) {
    this.#database = database
    this.snapshotId = snapshotId
    this.fence = fence
    this.#measured = measured
    this.#tap = tap
  }

  /**
   * Writes the fence into the snapshot's row: from here on no write of an earlier holder succeeds. May be repeated.
   *
   * @param state that the row must still have: whoever gave the snapshot up a moment ago is not overruled.
   */
  async claim(owner: string, state?: SnapshotState): Promise<void> {
    await tapped(this.#tap, 'control-claim', async () => {
      const { count } = await this.#database.prisma.lakeSnapshot.updateMany({
        where: {
          id: this.snapshotId,
          OR: [{ fence: null }, { fence: { lte: this.fence } }],
          ...(state === undefined ? {} : { state }),
        },
        data: { fence: this.fence, owner },
      })
      if (count === 0) throw fenced(this.snapshotId)
    })
  }

  /** Stores what the run has cost so far. */
  async noteMeasurements(): Promise<void> {
    if (!this.#measured) return
    const measurements = this.#measured()
    await tapped(this.#tap, 'control-measurements', async () => {
      const { count } = await this.#database.prisma.lakeSnapshot.updateMany({
        where: { id: this.snapshotId, fence: this.fence },
        data: { measurements },
      })
      if (count === 0) throw fenced(this.snapshotId)
    })
  }

  async update(change: SnapshotChange): Promise<void> {
    await tapped(this.#tap, `control-${change.state ?? (change.retiringAt ? 'retiring-at' : 'problem')}`, async () => {
      const { count } = await this.#database.prisma.lakeSnapshot.updateMany({
        where: { id: this.snapshotId, fence: this.fence },
        data: {
          ...(change as SnapshotChange & { problem?: object }),
          ...(change.problem === null ? { problem: Prisma.DbNull } : {}),
          ...(this.#measured ? { measurements: this.#measured() } : {}),
        },
      })
      if (count === 0) throw fenced(this.snapshotId)
    })
  }

  /**
   * Gives the snapshot the next numbers until it has one above `floor`. The column takes its values from its sequence alone, and only the owner
   * may set that; numbers that nobody gets are nothing new.
   */
  async numberAbove(floor: number): Promise<number> {
    for (;;) {
      const [row] = await this.#database.query<{ sequence: string }>({
        text: 'UPDATE lake_snapshots SET sequence = DEFAULT WHERE id = $1 AND fence = $2::bigint RETURNING sequence',
        values: [this.snapshotId, this.fence],
      })
      if (row === undefined) throw fenced(this.snapshotId)
      if (Number(row.sequence) > floor) return Number(row.sequence)
    }
  }

  /** Before something that cannot be taken back. @throws LakeProblem `fenced`. */
  async confirm(): Promise<void> {
    await this.#fenced('confirm')
  }

  /** All tables before the first row is read, with the rows that are expected of each; null: nobody knows. */
  async expectTables(expected: ReadonlyMap<string, number | null>): Promise<void> {
    await this.#fenced(
      'tables',
      `INSERT INTO lake_snapshot_tables (snapshot_id, table_name, estimated_rows)
       SELECT $1, expected.name, expected.rows FROM held, unnest($3::text[], $4::bigint[]) AS expected (name, rows)`,
      [[...expected.keys()], [...expected.values()]],
    )
  }

  async table(name: string, change: TableChange): Promise<void> {
    const { bytes, files, rowsCopied, rowsEncoded, state } = change
    await this.#fenced(
      `table-${state}`,
      `INSERT INTO lake_snapshot_tables AS t (snapshot_id, table_name, state, rows_copied, rows_encoded, bytes, files)
       SELECT $1, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8::integer FROM held
       ON CONFLICT (snapshot_id, table_name) DO UPDATE
          SET state = excluded.state, rows_copied = coalesce(excluded.rows_copied, t.rows_copied),
              rows_encoded = coalesce(excluded.rows_encoded, t.rows_encoded),
              bytes = coalesce(excluded.bytes, t.bytes), files = coalesce(excluded.files, t.files)`,
      [name, state, rowsCopied, rowsEncoded, bytes, files],
    )
  }

  /** Before the first part goes out: whoever takes over can find and abort the upload. */
  async openUpload(key: string, table: string, uploadId: string): Promise<void> {
    await this.#fenced(
      'upload-open',
      'INSERT INTO lake_uploads (snapshot_id, key, table_name, upload_id) SELECT $1, $3, $4, $5 FROM held',
      [key, table, uploadId],
    )
  }

  async finishUpload(key: string, upload: FinishedUpload): Promise<void> {
    const { parts, bytes, rows, crc32, sha256, tailBytes, tailSha256 } = upload
    await this.#fenced(
      'upload-uploaded',
      `UPDATE lake_uploads SET state = 'uploaded', parts = $4::jsonb, bytes = $5::bigint, rows = $6::bigint,
              crc32 = $7, sha256 = $8, footer = $9::jsonb
         FROM held WHERE snapshot_id = $1 AND key = $3`,
      [key, JSON.stringify(parts), bytes, rows, crc32, sha256, JSON.stringify({ tailBytes, tailSha256 })],
    )
  }

  async markUpload(key: string, state: 'completed' | 'aborted'): Promise<void> {
    await this.#fenced(
      `upload-${state}`,
      'UPDATE lake_uploads SET state = $4 FROM held WHERE snapshot_id = $1 AND key = $3',
      [key, state],
    )
  }

  async uploads(): Promise<StoredUpload[]> {
    const rows = await this.#database.prisma.lakeUpload.findMany({
      where: { snapshotId: this.snapshotId },
      orderBy: { key: 'asc' },
    })
    return rows.map((row) => ({
      key: row.key,
      table: row.tableName,
      uploadId: row.uploadId,
      state: row.state as StoredUpload['state'],
      ...(row.parts ? { parts: row.parts as unknown as UploadedPart[] } : {}),
      ...(row.bytes === null ? {} : { bytes: Number(row.bytes) }),
      ...(row.rows === null ? {} : { rows: Number(row.rows) }),
      ...(row.crc32 === null ? {} : { crc32: row.crc32 }),
      ...(row.sha256 === null ? {} : { sha256: row.sha256 }),
      ...(row.footer as { tailBytes: number; tailSha256: string } | null),
    }))
  }

  /**
   * One statement in which the fence cannot change. It is one and no transaction of several: a process that is stopped in the middle of
   * that would keep the row locked, and away from whoever takes over.
   *
   * @param write a statement on the rows of `held`, with $1 the snapshot, $2 the fence and `values` from $3 on.
   */
  async #fenced(name: string, write = 'SELECT 1 FROM held', values: readonly unknown[] = []): Promise<void> {
    await tapped(this.#tap, `control-${name}`, async () => {
      const [found] = await this.#database.query<{ held: boolean; written: boolean }>({
        text: `WITH held AS (SELECT 1 FROM lake_snapshots WHERE id = $1 AND fence = $2::bigint FOR SHARE),
                    written AS (${write}${/^SELECT/.test(write) ? '' : ' RETURNING 1'})
               SELECT EXISTS (SELECT 1 FROM held) AS held, EXISTS (SELECT 1 FROM written) AS written`,
        values: [this.snapshotId, this.fence, ...values],
      })
      if (!found?.held) throw fenced(this.snapshotId)
      if (!found.written) throw new Error(`Snapshot ${this.snapshotId} has no such row for ${name}`)
    })
  }
}

function fenced(snapshotId: string): LakeProblem {
  return new LakeProblem('fenced', `Another process has taken over snapshot ${snapshotId}; this one stops`)
}
