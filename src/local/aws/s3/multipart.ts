import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { assembleCopy, finishInPlace, liesInPlace } from './assemble.ts'
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksum.ts'
import { type Completion, checkCompletion, chooseParts, invalidPart, MIN_PART_BYTES } from './completion.ts'
import { type BodyPlan, ingest } from './ingest.ts'
import type { S3ObjectStore, WriteCondition } from './object-store.ts'
import type { ObjectDetails, ObjectRecord } from './object-table.ts'
import { s3Error } from './s3-error.ts'
import { type CompletedUpload, type PartRecord, type UploadRecord, UploadTable } from './upload-table.ts'

/** What is under way for one upload in this process; gone with the process, as are the requests. */
interface Activity {
  slotBytes: number | undefined
  readonly slotsBeingWritten: Set<number>
  /** The slot file is about to become the object: nobody may write to it any more. */
  sealed: boolean
  completing: Promise<unknown>
  users: number
}

/**
 * Multipart uploads. Parts of one size, that of the first to come, are written to their place in one file - part n at
 * (n - 1) * size - so that completing an upload of equal parts moves no byte. A part that does not fit its slot, or whose slot is taken,
 * gets a file of its own. Everything acknowledged is in the index, so an upload survives a restart.
 */
export class Multipart {
  readonly table: UploadTable
  readonly #store: S3ObjectStore
  readonly #activities = new Map<string, Activity>()

  constructor(store: S3ObjectStore) {
    this.#store = store
    this.table = new UploadTable(store.index)
  }

  async create(
    bucket: string,
    key: string,
    details: ObjectDetails,
    checksum: { algorithm: ChecksumAlgorithm; type: ChecksumType } | undefined,
  ): Promise<UploadRecord> {
    const upload: UploadRecord = {
      id: randomBytes(24).toString('base64url'),
      bucket,
      key,
      initiatedMs: Date.now(),
      details,
      checksum,
      slotBlob: this.#store.blobs.newId(),
      slotBytes: undefined,
    }
    await this.#store.index.transact(() => {
      this.#store.bucket(bucket)
      this.table.create(upload)
    })
    return upload
  }

  /** @throws AwsError `NoSuchUpload` unless the id belongs to this very name. */
  upload(bucket: string, key: string, id: string): UploadRecord {
    this.#store.bucket(bucket)
    const upload = this.table.get(id)
    if (upload === undefined || upload.bucket !== bucket || upload.key !== key) {
      throw s3Error('NoSuchUpload', undefined, { UploadId: id })
    }
    return upload
  }

  /**
   * Takes one part, durably; a part of the same number is replaced when this one is whole.
   *
   * @throws AwsError `NoSuchUpload`; others when the body breaks a promise of its headers. The part of that number then stays
   *   what it was.
   */
  async putPart(
    upload: UploadRecord,
    number: number,
    source: AsyncIterable<Uint8Array>,
    plan: BodyPlan,
  ): Promise<{ part: PartRecord; verified: string | undefined }> {
    // who looked the upload up a while ago must not write to a slot file that has become an object meanwhile
    this.upload(upload.bucket, upload.key, upload.id)
    const activity = this.#enter(upload)
    const inSlot = this.#reserveSlot(upload, activity, number, plan.sizeBytes)
    const blob = inSlot ? undefined : this.#store.blobs.newId()
    try {
      const handle = await open(
        this.#store.blobs.path(blob ?? upload.slotBlob),
        inSlot ? constants.O_RDWR | constants.O_CREAT : 'wx',
        0o600,
      )
      const ingested = await this.#ingestPart(upload, handle, source, plan, inSlot ? slotOffset(activity, number) : 0)
      // a checksum by another algorithm than the upload's was verified; it says nothing about the object
      const foreign = plan.checksum !== undefined && plan.checksum.algorithm !== upload.checksum?.algorithm
      const part: PartRecord = {
        number,
        blob,
        sizeBytes: ingested.sizeBytes,
        etag: ingested.md5,
        modifiedMs: Date.now(),
        checksum: foreign ? undefined : ingested.checksum,
      }
      const replaced = await this.#store.index.transact(() => {
        this.upload(upload.bucket, upload.key, upload.id)
        const before = this.table.part(upload.id, number)
        this.table.putPart(upload.id, part)
        if (inSlot) this.table.setSlotBytes(upload.id, activity.slotBytes ?? 0)
        return before?.blob
      })
      if (replaced !== undefined) this.#store.blobs.remove([replaced])
      return { part, verified: ingested.checksum }
    } catch (error) {
      if (blob !== undefined) this.#store.blobs.remove([blob])
      // aborted or completed meanwhile: opening may have made the slot file anew. It is no object's, because no upload is
      // completed in place while a slot is being written
      else if (this.table.get(upload.id) === undefined) this.#store.blobs.remove([upload.slotBlob])
      throw error
    } finally {
      if (inSlot) activity.slotsBeingWritten.delete(number)
      this.#leave(upload, activity)
    }
  }

  async #ingestPart(
    upload: UploadRecord,
    handle: FileHandle,
    source: AsyncIterable<Uint8Array>,
    plan: BodyPlan,
    position: number,
  ) {
    try {
      const synced = this.#store.blobs.syncFolder()
      synced.catch(() => {})
      const ingested = await ingest(source, plan, handle, position, upload.checksum?.algorithm)
      await synced
      return ingested
    } finally {
      await handle.close()
    }
  }

  /** True when the part may be written to its slot; the slot is then this request's until it ends. */
  #reserveSlot(upload: UploadRecord, activity: Activity, number: number, sizeBytes: number): boolean {
    if (activity.sealed || sizeBytes === 0) return false
    // the first part to come is as large as all but the last - unless it is the last, and then it is copied in the end
    if (activity.slotBytes === undefined && (number === 1 || sizeBytes >= MIN_PART_BYTES))
      activity.slotBytes = sizeBytes
    const { slotBytes, slotsBeingWritten } = activity
    if (slotBytes === undefined || sizeBytes > slotBytes || slotsBeingWritten.has(number)) return false
    // a slot that holds an acknowledged part is never written again: this request may yet fail
    const present = this.table.part(upload.id, number)
    if (present !== undefined && present.blob === undefined) return false
    slotsBeingWritten.add(number)
    return true
  }

  /**
   * Makes the object of the listed parts, at once and whole; the condition is decided in the transaction that does it.
   * Repeated for an upload that was completed, it answers as the first time.
   */
  async complete(
    bucket: string,
    key: string,
    id: string,
    completion: Completion,
  ): Promise<CompletedUpload & { readonly checksum?: Checksum | undefined }> {
    this.#store.bucket(bucket)
    const before = this.table.completed(id)
    if (before !== undefined && before.bucket === bucket && before.key === key) return before
    const upload = this.upload(bucket, key, id)
    const activity = this.#enter(upload)
    const turn = activity.completing.then(() => this.#completeOnce(upload, activity, completion))
    activity.completing = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#leave(upload, activity)
    }
  }

  async #completeOnce(upload: UploadRecord, activity: Activity, completion: Completion) {
    const before = this.table.completed(upload.id)
    if (before !== undefined) return before
    const { bucket, key } = upload
    const current = this.upload(bucket, key, upload.id)
    const all = this.table.parts(upload.id)
    const parts = chooseParts(current, all, completion.parts)
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
    const checksum = checkCompletion(current, parts, sizeBytes, completion)
    completion.condition?.(this.#store.objects.get(bucket, key))
    const blobs = this.#store.blobs
    const inPlace = activity.slotsBeingWritten.size === 0 && liesInPlace(current.slotBytes, parts, all)
    if (inPlace) activity.sealed = true
    const single = parts.length === 1 ? parts[0]?.blob : undefined
    const copy = inPlace || single !== undefined ? undefined : blobs.newId()
    try {
      if (inPlace) await finishInPlace(blobs, current, parts, sizeBytes)
      else if (copy !== undefined) await assembleCopy(blobs, current, parts, copy)
      const digests = parts.map((part) => Buffer.from(part.etag, 'hex'))
      const etag = `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}`
      const record: ObjectRecord = {
        bucket,
        key,
        blob: copy ?? single ?? current.slotBlob,
        sizeBytes,
        etag,
        modifiedMs: Date.now(),
        checksum,
        details: current.details,
      }
      blobs.remove(await this.#store.index.transact(() => this.#commit(current, record, parts, completion.condition)))
      return record
    } catch (error) {
      if (copy !== undefined) blobs.remove([copy])
      activity.sealed = false
      // a part that was replaced while it was copied took its file along
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#checkUnchanged(current, parts)
      throw error
    }
  }

  /** @throws AwsError `NoSuchUpload`, `InvalidPart` when a part was replaced since it was chosen: its file is about to go. */
  #checkUnchanged(upload: UploadRecord, parts: readonly PartRecord[]): void {
    this.upload(upload.bucket, upload.key, upload.id)
    const now = new Map(this.table.parts(upload.id).map((part) => [part.number, part]))
    const replaced = parts.find(
      ({ number, blob, etag }) => now.get(number)?.blob !== blob || now.get(number)?.etag !== etag,
    )
    if (replaced !== undefined) throw invalidPart(upload, replaced)
  }

  /** Inside the transaction. Returns the files that nothing names any more. */
  #commit(
    upload: UploadRecord,
    record: ObjectRecord,
    parts: readonly PartRecord[],
    condition: WriteCondition | undefined,
  ) {
    this.#checkUnchanged(upload, parts)
    condition?.(this.#store.objects.get(record.bucket, record.key))
    const freed = this.table.delete(upload).filter((blob) => blob !== record.blob)
    const replaced = this.#store.objects.put(
      record,
      parts.map((part) => ({ number: part.number, sizeBytes: part.sizeBytes, checksum: part.checksum ?? null })),
    )
    this.table.rememberCompleted(upload.id, record, record.modifiedMs)
    return replaced === undefined ? freed : [...freed, replaced]
  }

  async abort(bucket: string, key: string, id: string): Promise<void> {
    const blobs = await this.#store.index.transact(() => this.table.delete(this.upload(bucket, key, id)))
    this.#store.blobs.remove(blobs)
  }

  /** Inside a transaction: forgets every upload of a bucket; returns their files. */
  forgetBucket(bucket: string): string[] {
    const blobs: string[] = []
    for (;;) {
      const uploads = this.table.seek(bucket, '', '', 1000)
      if (uploads.length === 0) return blobs
      for (const upload of uploads) blobs.push(...this.table.delete(upload))
    }
  }

  #enter(upload: UploadRecord): Activity {
    let activity = this.#activities.get(upload.id)
    if (activity === undefined) {
      activity = {
        slotBytes: this.table.get(upload.id)?.slotBytes,
        slotsBeingWritten: new Set(),
        sealed: false,
        completing: Promise.resolve(),
        users: 0,
      }
      this.#activities.set(upload.id, activity)
    }
    activity.users++
    return activity
  }

  #leave(upload: UploadRecord, activity: Activity): void {
    if (--activity.users === 0) this.#activities.delete(upload.id)
  }
}

const slotOffset = (activity: Activity, number: number) => (number - 1) * (activity.slotBytes ?? 0)
