import { Prisma, type Transaction } from '../../database/database.ts'
import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { UploadedPart } from '../storage/lake-bucket.ts'
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

/** Stored form of what ended or stopped a snapshot. */
export function problemOf(error: unknown, phase: string): { code: string; message: string; phase: string } {
  const known = error instanceof LakeProblem
  return {
    ...(known ? definedFacts(error.facts) : {}),
    code: known ? error.code : 'internal',
    message: describe(error),
    phase,
  }
}

function definedFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
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

  /** Writes the fence into the snapshot's row: from here on no write of an earlier holder succeeds. May be repeated. */
  async claim(owner: string): Promise<void> {
    await tapped(this.#tap, 'control-claim', async () => {
      const { count } = await this.#database.prisma.lakeSnapshot.updateMany({
        where: { id: this.snapshotId, OR: [{ fence: null }, { fence: { lte: this.fence } }] },
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

  /** Before something that cannot be taken back. @throws LakeProblem `fenced`. */
  async confirm(): Promise<void> {
    await this.#fenced('confirm', async () => undefined)
  }

  /** All tables before the first row is read, with the rows that are expected of each; null: nobody knows. */
  async expectTables(expected: ReadonlyMap<string, number | null>): Promise<void> {
    await this.#fenced('tables', (tx) =>
      tx.lakeSnapshotTable.createMany({
        data: [...expected].map(([tableName, rows]) => ({
          snapshotId: this.snapshotId,
          tableName,
          estimatedRows: rows === null ? null : BigInt(rows),
        })),
        skipDuplicates: true,
      }),
    )
  }

  async table(name: string, change: TableChange): Promise<void> {
    const id = { snapshotId: this.snapshotId, tableName: name }
    await this.#fenced(`table-${change.state}`, (tx) =>
      tx.lakeSnapshotTable.upsert({
        where: { snapshotId_tableName: id },
        create: { ...id, ...change },
        update: change,
      }),
    )
  }

  /** Before the first part goes out: whoever takes over can find and abort the upload. */
  async openUpload(key: string, table: string, uploadId: string): Promise<void> {
    await this.#fenced('upload-open', (tx) =>
      tx.lakeUpload.create({ data: { key, tableName: table, uploadId, snapshotId: this.snapshotId } }),
    )
  }

  async finishUpload(key: string, upload: FinishedUpload): Promise<void> {
    const { parts, bytes, rows, crc32, sha256, tailBytes, tailSha256 } = upload
    await this.#fenced('upload-uploaded', (tx) =>
      tx.lakeUpload.update({
        where: { key },
        data: {
          state: 'uploaded',
          parts: parts.map((part) => ({ ...part })),
          bytes: BigInt(bytes),
          rows: BigInt(rows),
          crc32,
          sha256,
          footer: { tailBytes, tailSha256 },
        },
      }),
    )
  }

  async markUpload(key: string, state: 'completed' | 'aborted'): Promise<void> {
    await this.#fenced(`upload-${state}`, (tx) => tx.lakeUpload.update({ where: { key }, data: { state } }))
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

  /** One transaction in which the fence cannot change. */
  async #fenced<T>(name: string, write: (tx: Transaction) => Promise<T>): Promise<T> {
    return tapped(this.#tap, `control-${name}`, () =>
      this.#database.transaction(async (tx) => {
        const held = await tx.$queryRaw<unknown[]>`
          SELECT 1 FROM lake_snapshots WHERE id = ${this.snapshotId} AND fence = ${this.fence} FOR SHARE`
        if (held.length === 0) throw fenced(this.snapshotId)
        return write(tx)
      }),
    )
  }
}

function fenced(snapshotId: string): LakeProblem {
  return new LakeProblem('fenced', `Another process has taken over snapshot ${snapshotId}; this one stops`)
}
