import type { StatementSync } from 'node:sqlite'
import type { ChecksumAlgorithm, ChecksumType } from './checksum.ts'
import type { ObjectDetails } from './object-table.ts'
import type { S3Index } from './s3-index.ts'

export interface UploadRecord {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly initiatedMs: number
  readonly details: ObjectDetails
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined
  /** The file in which part n lies at (n - 1) * slotBytes, so that completing moves no byte. */
  readonly slotBlob: string
  /** Undefined until the first part in the slot file is committed. */
  readonly slotBytes: number | undefined
}

export interface PartRecord {
  readonly number: number
  /** The part's own file; undefined when it lies in its slot. */
  readonly blob: string | undefined
  readonly sizeBytes: number
  /** MD5 in hex. */
  readonly etag: string
  readonly modifiedMs: number
  /** Base64, by the upload's algorithm. */
  readonly checksum: string | undefined
}

export interface CompletedUpload {
  readonly bucket: string
  readonly key: string
  readonly etag: string
}

interface UploadRow {
  id: string
  bucket: string
  key: string
  initiated: number
  details: string
  checksum_algorithm: ChecksumAlgorithm | null
  checksum_type: ChecksumType | null
  slot_blob: string
  slot_bytes: number | null
}

interface PartRow {
  number: number
  blob: string | null
  size: number
  etag: string
  modified: number
  checksum: string | null
}

const uploadFromRow = (row: UploadRow): UploadRecord => ({
  id: row.id,
  bucket: row.bucket,
  key: row.key,
  initiatedMs: row.initiated,
  details: JSON.parse(row.details) as ObjectDetails,
  checksum:
    row.checksum_algorithm && row.checksum_type
      ? { algorithm: row.checksum_algorithm, type: row.checksum_type }
      : undefined,
  slotBlob: row.slot_blob,
  slotBytes: row.slot_bytes ?? undefined,
})

const partFromRow = (row: PartRow): PartRecord => ({
  number: row.number,
  blob: row.blob ?? undefined,
  sizeBytes: row.size,
  etag: row.etag,
  modifiedMs: row.modified,
  checksum: row.checksum ?? undefined,
})

/** How long a repeated CompleteMultipartUpload is answered as the first was. */
const COMPLETED_KEPT_MS = 24 * 3_600_000

/** Unfinished uploads and their parts. Everything that changes rows must run inside `S3Index.transact`. */
export class UploadTable {
  readonly #sql: (text: string) => StatementSync

  constructor({ database }: S3Index) {
    const prepared = new Map<string, StatementSync>()
    this.#sql = (text) => {
      let statement = prepared.get(text)
      if (statement === undefined) {
        statement = database.prepare(text)
        prepared.set(text, statement)
      }
      return statement
    }
  }

  create(upload: UploadRecord): void {
    this.#sql('INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)').run(
      upload.id,
      upload.bucket,
      upload.key,
      upload.initiatedMs,
      JSON.stringify(upload.details),
      upload.checksum?.algorithm ?? null,
      upload.checksum?.type ?? null,
      upload.slotBlob,
    )
  }

  get(id: string): UploadRecord | undefined {
    const row = this.#sql('SELECT * FROM upload WHERE id = ?').get(id) as UploadRow | undefined
    return row && uploadFromRow(row)
  }

  /** Uploads of a bucket in order of key, then id, behind the given pair. */
  seek(bucket: string, key: string, id: string, limit: number): UploadRecord[] {
    const rows = this.#sql('SELECT * FROM upload WHERE bucket = ? AND (key, id) > (?, ?) ORDER BY key, id LIMIT ?').all(
      bucket,
      key,
      id,
      limit,
    ) as unknown as UploadRow[]
    return rows.map(uploadFromRow)
  }

  setSlotBytes(id: string, slotBytes: number): void {
    this.#sql('UPDATE upload SET slot_bytes = ? WHERE id = ?').run(slotBytes, id)
  }

  /** All parts, or those behind `after`, in order of their numbers. */
  parts(id: string, after = 0, limit = 10_000): PartRecord[] {
    const rows = this.#sql(
      'SELECT number, blob, size, etag, modified, checksum FROM part WHERE upload = ? AND number > ? ORDER BY number LIMIT ?',
    ).all(id, after, limit) as unknown as PartRow[]
    return rows.map(partFromRow)
  }

  part(id: string, number: number): PartRecord | undefined {
    return this.parts(id, number - 1, 1).find((part) => part.number === number)
  }

  putPart(id: string, part: PartRecord): void {
    this.#sql('INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      id,
      part.number,
      part.blob ?? null,
      part.sizeBytes,
      part.etag,
      part.modifiedMs,
      part.checksum ?? null,
    )
  }

  /** Removes the upload; returns every file that was its own. */
  delete(upload: UploadRecord): string[] {
    const rows = this.#sql('SELECT blob FROM part WHERE upload = ? AND blob IS NOT NULL').all(upload.id)
    this.#sql('DELETE FROM part WHERE upload = ?').run(upload.id)
    this.#sql('DELETE FROM upload WHERE id = ?').run(upload.id)
    return [upload.slotBlob, ...rows.map((row) => row.blob as string)]
  }

  rememberCompleted(id: string, { bucket, key, etag }: CompletedUpload, nowMs: number): void {
    this.#sql('DELETE FROM completed_upload WHERE completed < ?').run(nowMs - COMPLETED_KEPT_MS)
    this.#sql('INSERT OR REPLACE INTO completed_upload VALUES (?, ?, ?, ?, ?)').run(id, bucket, key, etag, nowMs)
  }

  completed(id: string): CompletedUpload | undefined {
    return this.#sql('SELECT bucket, key, etag FROM completed_upload WHERE id = ?').get(id) as
      | CompletedUpload
      | undefined
  }

  *blobs(): Generator<string> {
    for (const row of this.#sql('SELECT slot_blob AS blob FROM upload').iterate()) yield row.blob as string
    for (const row of this.#sql('SELECT blob FROM part WHERE blob IS NOT NULL').iterate()) yield row.blob as string
  }
}
