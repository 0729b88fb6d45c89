import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { copyFile, type FileHandle, open, unlink } from 'node:fs/promises'
import type { ObjectStore, StoredObject } from '../ports.ts'
import type { BlobFolder } from './blob-folder.ts'
import { type BucketRecord, BucketTable } from './bucket-table.ts'
import type { Checksum, ChecksumAlgorithm } from './checksum.ts'
import { type BodyPlan, type Ingested, ingest, plainBody } from './ingest.ts'
import {
  type ListedObject,
  NO_DETAILS,
  type ObjectDetails,
  type ObjectPart,
  type ObjectRecord,
  ObjectTable,
} from './object-table.ts'
import { s3Error } from './s3-error.ts'
import type { S3Index } from './s3-index.ts'

/** Decides whether a write may happen, from what stands under the name at the moment of the commit; throws to refuse. */
export type WriteCondition = (current: ObjectRecord | undefined) => void

const LIST_BATCH = 1000
const MAX_KEY_BYTES = 1024

/** Buckets and objects: the index, the blobs, and the one way of putting a blob under a name. */
export class S3ObjectStore implements ObjectStore {
  readonly index: S3Index
  readonly blobs: BlobFolder
  readonly buckets: BucketTable
  readonly objects: ObjectTable

  constructor(index: S3Index, blobs: BlobFolder) {
    this.index = index
    this.blobs = blobs
    this.buckets = new BucketTable(index)
    this.objects = new ObjectTable(index)
  }

  /** @throws AwsError `NoSuchBucket`. */
  bucket(name: string): BucketRecord {
    const bucket = this.buckets.get(name)
    if (bucket === undefined) throw s3Error('NoSuchBucket', undefined, { BucketName: name })
    return bucket
  }

  /** @throws AwsError `NoSuchBucket`, `NoSuchKey`. */
  object(bucket: string, key: string): ObjectRecord {
    this.bucket(bucket)
    const record = this.objects.get(bucket, key)
    if (record === undefined) throw s3Error('NoSuchKey', undefined, { Key: key })
    return record
  }

  /** Opens an object's bytes. What was opened stays whole while the name is replaced or deleted. */
  async openObject(bucket: string, key: string): Promise<{ record: ObjectRecord; handle: FileHandle }> {
    for (;;) {
      const record = this.object(bucket, key)
      try {
        return { record, handle: await open(this.blobs.path(record.blob), 'r') }
      } catch (error) {
        // a PUT replaced the object between the look-up and the open: look again
        const gone = (error as NodeJS.ErrnoException).code === 'ENOENT'
        if (!gone || this.objects.get(bucket, key)?.blob === record.blob) throw error
      }
    }
  }

  /** Streams a body into a new blob. On failure nothing is left. */
  async receive(
    source: AsyncIterable<Uint8Array>,
    plan: BodyPlan,
    compute?: ChecksumAlgorithm,
  ): Promise<Ingested & { blob: string }> {
    const blob = this.blobs.newId()
    const handle = await this.blobs.create(blob)
    try {
      const synced = this.blobs.syncFolder()
      synced.catch(() => {})
      const ingested = await ingest(source, plan, handle, 0, compute)
      await synced
      return { ...ingested, blob }
    } catch (error) {
      this.blobs.remove([blob])
      throw error
    } finally {
      await handle.close()
    }
  }

  /**
   * Puts a durable blob under a name; the condition is decided in the same transaction. When it is refused the blob is
   * removed.
   */
  async publish(
    object: {
      readonly bucket: string
      readonly key: string
      readonly blob: string
      readonly sizeBytes: number
      readonly etag: string
      readonly checksum?: Checksum | undefined
      readonly details: ObjectDetails
    },
    condition?: WriteCondition,
    parts: readonly ObjectPart[] = [],
  ): Promise<ObjectRecord> {
    try {
      const { record, replaced } = await this.index.transact(() => {
        this.bucket(object.bucket)
        condition?.(this.objects.get(object.bucket, object.key))
        const record = { ...object, checksum: object.checksum, modifiedMs: Date.now() }
        return { record, replaced: this.objects.put(record, parts) }
      })
      if (replaced !== undefined) this.blobs.remove([replaced])
      return record
    } catch (error) {
      this.blobs.remove([object.blob])
      throw error
    }
  }

  /** Takes names away; those that do not exist are no error. */
  async deleteObjects(bucket: string, keys: readonly string[], condition?: WriteCondition): Promise<void> {
    const removed = await this.index.transact(() => {
      this.bucket(bucket)
      return keys.map((key) => {
        condition?.(this.objects.get(bucket, key))
        return this.objects.delete(bucket, key)
      })
    })
    this.blobs.remove(removed.filter((blob) => blob !== undefined))
  }

  hasBucket(bucket: string): boolean {
    return this.buckets.get(bucket) !== undefined
  }

  *list(bucket: string, prefix: string): Iterable<StoredObject> {
    let from = prefix
    let inclusive = true
    for (;;) {
      const batch = this.objects.seek(bucket, from, inclusive, LIST_BATCH)
      for (const record of batch) {
        if (!record.key.startsWith(prefix)) return
        yield stored(record)
      }
      const last = batch.at(-1)
      if (last === undefined || batch.length < LIST_BATCH) return
      from = last.key
      inclusive = false
    }
  }

  head(bucket: string, key: string): StoredObject | undefined {
    const record = this.objects.get(bucket, key)
    return record && stored(record)
  }

  blobPath(bucket: string, key: string): string | undefined {
    const record = this.objects.get(bucket, key)
    return record && this.blobs.path(record.blob)
  }

  async put(bucket: string, key: string, body: Uint8Array, contentType?: string): Promise<StoredObject> {
    this.#checkTarget(bucket, key)
    const source = (async function* () {
      yield body
    })()
    return this.#publishPlain(bucket, key, await this.receive(source, plainBody(body.length)), contentType)
  }

  async putFile(bucket: string, key: string, path: string, contentType?: string): Promise<StoredObject> {
    this.#checkTarget(bucket, key)
    const sizeBytes = statSync(path).size
    const blob = this.blobs.newId()
    try {
      await this.blobs.takeOver(path, blob)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      await copyFile(path, this.blobs.path(blob))
      await unlink(path)
    }
    const { md5 } = await this.digest(blob)
    return this.#publishPlain(bucket, key, { blob, sizeBytes, md5 }, contentType)
  }

  /** Hashes a finished file and brings it, name and all, to the disk. */
  async digest(blob: string): Promise<{ md5: string }> {
    const path = this.blobs.path(blob)
    const handle = await open(path, 'r')
    try {
      const hash = createHash('md5')
      for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Buffer)
      await handle.sync()
      await this.blobs.syncFolder()
      return { md5: hash.digest('hex') }
    } catch (error) {
      this.blobs.remove([blob])
      throw error
    } finally {
      await handle.close()
    }
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.deleteObjects(bucket, [key])
  }

  #checkTarget(bucket: string, key: string): void {
    this.bucket(bucket)
    checkKey(key)
  }

  async #publishPlain(
    bucket: string,
    key: string,
    { blob, sizeBytes, md5 }: { blob: string; sizeBytes: number; md5: string },
    contentType: string | undefined,
  ): Promise<StoredObject> {
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType }
    const details = { ...NO_DETAILS, headers }
    return stored(await this.publish({ bucket, key, blob, sizeBytes, etag: md5, details }))
  }
}

/** @throws AwsError `KeyTooLongError`, or `InvalidArgument` for an empty key. */
export function checkKey(key: string): void {
  if (key === '') throw s3Error('InvalidArgument', 'A key must have at least one character.')
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw s3Error('KeyTooLongError')
}

const stored = (record: ListedObject | ObjectRecord): StoredObject => ({
  key: record.key,
  size: record.sizeBytes,
  etag: `"${record.etag}"`,
  lastModified: new Date(record.modifiedMs),
})
