import type { StatementSync } from 'node:sqlite'
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksum.ts'
import type { S3Index } from './s3-index.ts'

/** What a writer may say about an object beside its bytes. */
export interface ObjectDetails {
  /** Content-Type, Cache-Control, …: by lower-case header name. */
  readonly headers: Readonly<Record<string, string>>
  /** `x-amz-meta-*` without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
}

export const NO_DETAILS: ObjectDetails = { headers: {}, metadata: {}, tags: {} }

export interface ObjectRecord {
  readonly bucket: string
  readonly key: string
  /** Name of the file in the blob folder. */
  readonly blob: string
  readonly sizeBytes: number
  /** Without quotes: MD5 in hex, or `<hex>-<parts>`. */
  readonly etag: string
  readonly modifiedMs: number
  readonly checksum: Checksum | undefined
  readonly details: ObjectDetails
}

/** What a listing tells of an object; its details stay on the disk. */
export interface ListedObject {
  readonly key: string
  readonly sizeBytes: number
  readonly etag: string
  readonly modifiedMs: number
  readonly checksumAlgorithm: ChecksumAlgorithm | null
  readonly checksumType: ChecksumType | null
}

/** A part of a completed multipart upload, for reads by part number. */
export interface ObjectPart {
  readonly number: number
  readonly sizeBytes: number
  readonly checksum: string | null
}

interface Row {
  bucket: string
  key: string
  blob: string
  size: number
  etag: string
  modified: number
  checksum_algorithm: ChecksumAlgorithm | null
  checksum_type: ChecksumType | null
  checksum_value: string | null
  details: string
}

function fromRow(row: Row): ObjectRecord {
  const { checksum_algorithm: algorithm, checksum_type: type, checksum_value: value } = row
  return {
    bucket: row.bucket,
    key: row.key,
    blob: row.blob,
    sizeBytes: row.size,
    etag: row.etag,
    modifiedMs: row.modified,
    checksum: algorithm && type && value ? { algorithm, type, value } : undefined,
    details: JSON.parse(row.details) as ObjectDetails,
  }
}

const LISTED = `SELECT key, size AS sizeBytes, etag, modified AS modifiedMs, checksum_algorithm AS checksumAlgorithm,
  checksum_type AS checksumType FROM object`

/** Objects of the index. Everything that changes rows must run inside `S3Index.transact`. */
export class ObjectTable {
  readonly #get: StatementSync
  readonly #after: StatementSync
  readonly #from: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #any: StatementSync
  readonly #setDetails: StatementSync
  readonly #putParts: StatementSync
  readonly #getParts: StatementSync
  readonly #deleteParts: StatementSync
  readonly #blobs: StatementSync

  constructor({ database }: S3Index) {
    this.#get = database.prepare('SELECT * FROM object WHERE bucket = ? AND key = ?')
    this.#after = database.prepare(`${LISTED} WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?`)
    this.#from = database.prepare(`${LISTED} WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?`)
    this.#put = database.prepare('INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM object WHERE bucket = ? AND key = ?')
    this.#any = database.prepare('SELECT 1 FROM object WHERE bucket = ? LIMIT 1')
    this.#setDetails = database.prepare('UPDATE object SET details = ? WHERE bucket = ? AND key = ?')
    this.#putParts = database.prepare('INSERT INTO object_parts VALUES (?, ?)')
    this.#getParts = database.prepare('SELECT parts FROM object_parts WHERE blob = ?')
    this.#deleteParts = database.prepare('DELETE FROM object_parts WHERE blob = ?')
    this.#blobs = database.prepare('SELECT blob FROM object')
  }

  get(bucket: string, key: string): ObjectRecord | undefined {
    const row = this.#get.get(bucket, key) as Row | undefined
    return row && fromRow(row)
  }

  /** At most `limit` objects with keys behind `key` (or at it, with `inclusive`), in byte order. */
  seek(bucket: string, key: string, inclusive: boolean, limit: number): ListedObject[] {
    return (inclusive ? this.#from : this.#after).all(bucket, key, limit) as unknown as ListedObject[]
  }

  isEmpty(bucket: string): boolean {
    return this.#any.get(bucket) === undefined
  }

  /** Puts the object under its name; returns the blob that lost it. */
  put(record: ObjectRecord, parts: readonly ObjectPart[] = []): string | undefined {
    const replaced = this.delete(record.bucket, record.key)
    const { checksum } = record
    this.#put.run(
      record.bucket,
      record.key,
      record.blob,
      record.sizeBytes,
      record.etag,
      record.modifiedMs,
      checksum?.algorithm ?? null,
      checksum?.type ?? null,
      checksum?.value ?? null,
      JSON.stringify(record.details),
    )
    if (parts.length > 0) {
      this.#putParts.run(record.blob, JSON.stringify(parts.map((part) => [part.number, part.sizeBytes, part.checksum])))
    }
    return replaced
  }

  /** Takes the name away; returns the blob that lost it. */
  delete(bucket: string, key: string): string | undefined {
    const row = this.#get.get(bucket, key) as Row | undefined
    if (row === undefined) return undefined
    this.#delete.run(bucket, key)
    this.#deleteParts.run(row.blob)
    return row.blob
  }

  setDetails(record: ObjectRecord, details: ObjectDetails): void {
    this.#setDetails.run(JSON.stringify(details), record.bucket, record.key)
  }

  /** Empty for an object that was put in one piece. */
  parts(record: ObjectRecord): ObjectPart[] {
    const row = this.#getParts.get(record.blob) as { parts: string } | undefined
    if (row === undefined) return []
    const parts = JSON.parse(row.parts) as [number, number, string | null][]
    return parts.map(([number, sizeBytes, checksum]) => ({ number, sizeBytes, checksum }))
  }

  *blobs(): Generator<string> {
    for (const row of this.#blobs.iterate()) yield (row as { blob: string }).blob
  }
}
