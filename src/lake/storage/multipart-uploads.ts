import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { LakeProblem } from '../lake-problem.ts'
import { SNAPSHOT_METADATA } from '../object-keys.ts'
import { orMissing, type S3Calls } from './s3-calls.ts'

/** What S3 acknowledged of one part. */
export interface UploadedPart {
  readonly number: number
  readonly etag: string
  /** Base 64, as S3 shows it. */
  readonly crc32: string
  readonly bytes: number
}

/** A finished upload that is not completed: invisible until `complete`. */
export interface PendingObject {
  readonly key: string
  readonly uploadId: string
  readonly parts: readonly UploadedPart[]
  readonly bytes: number
  /** Of the whole object, base 64. */
  readonly crc32: string
}

export interface ObjectFacts {
  readonly bytes: number
  /** Of the whole object, base 64; undefined where S3 keeps none of type FULL_OBJECT. */
  readonly crc32: string | undefined
  readonly etag: string
}

export interface MultipartUploadsOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly calls: S3Calls
  readonly encryption: { readonly ServerSideEncryption?: 'aws:kms'; readonly SSEKMSKeyId?: string }
  /** What S3 says of an object now. */
  readonly head: (key: string) => Promise<ObjectFacts | undefined>
}

const ABORT_TRIES = 10
const ABORT_PAUSE_MS = 200

/** S3's words for a Complete that can never succeed: what it keeps is not what was prepared. */
const NEVER_COMPLETES = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'BadDigest', 'InvalidRequest'])

/**
 * Multipart uploads of the lake's bucket, by the low-level commands only: a library that completes uploads by itself would publish files
 * before the commit. Errors as of `LakeBucket`.
 */
export class MultipartUploads {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #calls: S3Calls
  readonly #options: MultipartUploadsOptions

  constructor(options: MultipartUploadsOptions) {
    this.#client = options.client
    this.#bucket = options.bucket
    this.#calls = options.calls
    this.#options = options
  }

  /** Begins the upload of a key that only this process writes. @returns the upload id. */
  async create(key: string, snapshotId: string): Promise<string> {
    let tries = 0
    const answer = await this.#calls.run('CreateMultipartUpload', key, (abortSignal) => {
      tries++
      const command = new CreateMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
        ContentType: 'application/vnd.apache.parquet',
        Metadata: { [SNAPSHOT_METADATA]: snapshotId },
        ...this.#options.encryption,
      })
      return this.#client.send(command, { abortSignal })
    })
    const uploadId = answer.UploadId
    if (!uploadId) throw new LakeProblem('storage_failed', `S3 gave no upload id for ${key}`, { key })
    // A try whose answer got lost may have begun another upload, whose id nobody knows.
    if (tries > 1) {
      for await (const other of this.pending(key)) {
        if (other.key === key && other.uploadId !== uploadId) await this.abort(key, other.uploadId)
      }
    }
    return uploadId
  }

  /** Sends one part; a failed one is sent again from the same bytes, also when they arrived changed. */
  async sendPart(
    upload: { key: string; uploadId: string },
    part: { number: number; bytes: Uint8Array; crc32: string },
    signal?: AbortSignal,
  ): Promise<UploadedPart> {
    const { key, uploadId } = upload
    const send = (abortSignal: AbortSignal) =>
      this.#client.send(
        new UploadPartCommand({
          Bucket: this.#bucket,
          Key: key,
          UploadId: uploadId,
          PartNumber: part.number,
          Body: part.bytes,
          ContentLength: part.bytes.length,
          ChecksumCRC32: part.crc32,
        }),
        { abortSignal },
      )
    const answer = await this.#calls.run('UploadPart', key, send, { signal, passes: isDamaged })
    if (!answer.ETag)
      throw new LakeProblem('storage_failed', `S3 gave no ETag for part ${part.number} of ${key}`, { key })
    return { number: part.number, etag: answer.ETag, crc32: part.crc32, bytes: part.bytes.length }
  }

  /**
   * Makes the object visible, once: a key that exists is never overwritten. Where the answer is not clear the object decides.
   *
   * @returns `completed`, or `absent` when neither the object nor the upload is there any more.
   * @throws LakeProblem `object_mismatch` when another object has the key, or what S3 keeps of the upload is not what was sent.
   */
  async complete(object: PendingObject): Promise<'completed' | 'absent'> {
    const { key } = object
    try {
      await this.#calls.run('CompleteMultipartUpload', key, async (signal) => {
        try {
          await this.#sendComplete(object, object.parts, signal)
        } catch (error) {
          if (await this.#isThere(object)) return
          if ((error as Error).name !== 'InvalidPart') throw error
          await this.#sendComplete(object, await this.#partsNow(object), signal)
        }
      })
      return 'completed'
    } catch (error) {
      const code = error instanceof LakeProblem ? error.facts.awsCode : undefined
      if (code === 'NoSuchUpload') return 'absent'
      if (!NEVER_COMPLETES.has(String(code))) throw error
      throw new LakeProblem('object_mismatch', `S3 refuses the parts of ${key}: ${code}`, { key }, error)
    }
  }

  #sendComplete(object: PendingObject, parts: readonly UploadedPart[], abortSignal: AbortSignal): Promise<unknown> {
    return this.#client.send(
      new CompleteMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: object.key,
        UploadId: object.uploadId,
        IfNoneMatch: '*',
        ChecksumCRC32: object.crc32,
        ChecksumType: 'FULL_OBJECT',
        MpuObjectSize: object.bytes,
        MultipartUpload: {
          Parts: parts.map((p) => ({ PartNumber: p.number, ETag: p.etag, ChecksumCRC32: p.crc32 })),
        },
      }),
      { abortSignal },
    )
  }

  async #isThere(object: PendingObject): Promise<boolean> {
    const facts = await this.#options.head(object.key)
    if (!facts) return false
    if (facts.bytes === object.bytes && facts.crc32 === object.crc32) return true
    throw new LakeProblem('object_mismatch', `Another object than the uploaded one has the key ${object.key}`, {
      key: object.key,
    })
  }

  /**
   * The parts with the ETags that S3 keeps now. A part that was sent twice because the first answer was late may have got another ETag (under
   * KMS it is no checksum) by the first one arriving last; size and CRC32 say that its bytes are the same.
   *
   * @throws LakeProblem `object_mismatch` when they are not.
   */
  async #partsNow({ key, parts, uploadId }: PendingObject): Promise<UploadedPart[]> {
    const kept = new Map<number, UploadedPart>()
    let marker: string | undefined
    do {
      const at: string | undefined = marker
      const page = await this.#calls.run('ListParts', key, (abortSignal) =>
        this.#client.send(
          new ListPartsCommand({
            ...{ Bucket: this.#bucket, Key: key, UploadId: uploadId },
            ...(at === undefined ? {} : { PartNumberMarker: at }),
          }),
          { abortSignal },
        ),
      )
      for (const {
        ChecksumCRC32: crc32 = '',
        ETag: etag = '',
        PartNumber: number = 0,
        Size: bytes = 0,
      } of page.Parts ?? [])
        kept.set(number, { number, etag, crc32, bytes })
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return parts.map(({ bytes, crc32, number }) => {
      const part = kept.get(number)
      if (part?.bytes === bytes && part.crc32 === crc32) return part
      throw new LakeProblem('object_mismatch', `Part ${number} of ${key} is not the one that was sent`, { key })
    })
  }

  /** Ends an upload and waits until S3 lists no part of it; one that is gone already is success. */
  async abort(key: string, uploadId: string): Promise<void> {
    const upload = { Bucket: this.#bucket, Key: key, UploadId: uploadId }
    for (let tries = 1; ; tries++) {
      await orMissing(
        this.#calls.run('AbortMultipartUpload', key, (abortSignal) =>
          this.#client.send(new AbortMultipartUploadCommand(upload), { abortSignal }),
        ),
      )
      // A part that was under way when the upload ended may arrive after it; S3 says to list and abort again.
      const left = await orMissing(
        this.#calls.run('ListParts', key, (abortSignal) =>
          this.#client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }), { abortSignal }),
        ),
      )
      if (!left?.Parts?.length) return
      if (tries === ABORT_TRIES)
        throw new LakeProblem('storage_failed', `S3 does not end the upload of ${key}`, { key })
      await sleep(ABORT_PAUSE_MS * tries * Math.random())
    }
  }

  /** Uploads that are neither completed nor aborted, whose key begins with `prefix`. */
  async *pending(prefix: string): AsyncGenerator<{ key: string; uploadId: string; initiated: Date }> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
    while (marker) {
      const at: { KeyMarker?: string; UploadIdMarker?: string } = marker
      const page = await this.#calls.run('ListMultipartUploads', prefix, (abortSignal) =>
        this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...at }), {
          abortSignal,
        }),
      )
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key && UploadId) yield { key: Key, uploadId: UploadId, initiated: Initiated ?? new Date(0) }
      }
      marker = page.IsTruncated
        ? {
            ...(page.NextKeyMarker ? { KeyMarker: page.NextKeyMarker } : {}),
            ...(page.NextUploadIdMarker ? { UploadIdMarker: page.NextUploadIdMarker } : {}),
          }
        : undefined
    }
  }
}

/** The bytes that arrived have another checksum than those that were sent: they were changed on their way. */
function isDamaged(error: unknown): boolean {
  return (error as Error | null)?.name === 'BadDigest'
}
