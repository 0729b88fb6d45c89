import type { S3Client } from '@aws-sdk/client-s3'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { LakeProblem } from '../lake-problem.ts'
import { SNAPSHOT_METADATA } from '../object-keys.ts'
import { orMissing, type S3CallOptions, S3Calls } from './s3-calls.ts'

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

export interface StoredText {
  readonly text: string
  readonly etag: string
}

export interface LakeBucketOptions extends S3CallOptions {
  readonly client: S3Client
  readonly bucket: string
  /** Undefined: the bucket's default encryption. */
  readonly kmsKey?: string | undefined
}

/**
 * The lake's bucket: the few S3 operations that the snapshot protocol consists of, each repeated by `retrying`. Low-level commands
 * only: a library that completes uploads by itself would publish files before the commit.
 *
 * Errors: LakeProblem `storage_denied` (authorisation), `storage_failed` (everything else), naming operation and key.
 */
export class LakeBucket {
  readonly name: string
  readonly #client: S3Client
  readonly #calls: S3Calls
  readonly #encryption: { ServerSideEncryption?: 'aws:kms'; SSEKMSKeyId?: string }

  constructor(options: LakeBucketOptions) {
    this.name = options.bucket
    this.#client = options.client
    this.#calls = new S3Calls(options)
    this.#encryption =
      options.kmsKey === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: options.kmsKey }
  }

  /** @returns the upload id. */
  async createUpload(key: string, snapshotId: string): Promise<string> {
    const answer = await this.#calls.run('CreateMultipartUpload', key, () =>
      this.#client.send(
        new CreateMultipartUploadCommand({
          Bucket: this.name,
          Key: key,
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
          ContentType: 'application/vnd.apache.parquet',
          Metadata: { [SNAPSHOT_METADATA]: snapshotId },
          ...this.#encryption,
        }),
      ),
    )
    if (!answer.UploadId) throw new LakeProblem('storage_failed', `S3 gave no upload id for ${key}`, { key })
    return answer.UploadId
  }

  /** Sends one part; a failed one is sent again from the same bytes. */
  async uploadPart(
    upload: { key: string; uploadId: string },
    part: { number: number; bytes: Uint8Array; crc32: string },
    signal?: AbortSignal,
  ): Promise<UploadedPart> {
    const { key, uploadId } = upload
    const send = () =>
      this.#client.send(
        new UploadPartCommand({
          Bucket: this.name,
          Key: key,
          UploadId: uploadId,
          PartNumber: part.number,
          Body: part.bytes,
          ContentLength: part.bytes.length,
          ChecksumCRC32: part.crc32,
        }),
        signal ? { abortSignal: signal } : {},
      )
    const answer = await this.#calls.run('UploadPart', key, send, signal)
    if (!answer.ETag)
      throw new LakeProblem('storage_failed', `S3 gave no ETag for part ${part.number} of ${key}`, { key })
    return { number: part.number, etag: answer.ETag, crc32: part.crc32, bytes: part.bytes.length }
  }

  /**
   * Makes the object visible, once: a key that exists is never overwritten. Where the answer is not clear the object decides.
   *
   * @returns `completed`, or `absent` when neither the object nor the upload is there any more.
   * @throws LakeProblem `object_mismatch` when another object has the key.
   */
  async complete(object: PendingObject): Promise<'completed' | 'absent'> {
    try {
      await this.#calls.run('CompleteMultipartUpload', object.key, async () => {
        try {
          await this.#sendComplete(object)
        } catch (error) {
          if (await this.#isThere(object)) return
          throw error
        }
      })
      return 'completed'
    } catch (error) {
      if (error instanceof LakeProblem && error.facts.awsCode === 'NoSuchUpload') return 'absent'
      throw error
    }
  }

  #sendComplete(object: PendingObject): Promise<unknown> {
    return this.#client.send(
      new CompleteMultipartUploadCommand({
        Bucket: this.name,
        Key: object.key,
        UploadId: object.uploadId,
        IfNoneMatch: '*',
        ChecksumCRC32: object.crc32,
        ChecksumType: 'FULL_OBJECT',
        MpuObjectSize: object.bytes,
        MultipartUpload: {
          Parts: object.parts.map((p) => ({ PartNumber: p.number, ETag: p.etag, ChecksumCRC32: p.crc32 })),
        },
      }),
    )
  }

  async #isThere(object: PendingObject): Promise<boolean> {
    const facts = await this.head(object.key)
    if (!facts) return false
    if (facts.bytes === object.bytes && facts.crc32 === object.crc32) return true
    throw new LakeProblem('object_mismatch', `Another object than the uploaded one has the key ${object.key}`, {
      key: object.key,
    })
  }

  /** Undefined when there is no object. */
  async head(key: string): Promise<ObjectFacts | undefined> {
    const answer = await orMissing(
      this.#calls.run('HeadObject', key, () =>
        this.#client.send(new HeadObjectCommand({ Bucket: this.name, Key: key, ChecksumMode: 'ENABLED' })),
      ),
    )
    return answer && { bytes: answer.ContentLength ?? 0, crc32: answer.ChecksumCRC32, etag: answer.ETag ?? '' }
  }

  /** The last `bytes` bytes. */
  async tail(key: string, bytes: number): Promise<Buffer> {
    return this.#bytes(key, `bytes=-${bytes}`)
  }

  /** Bytes `start` (inclusive) to `end` (exclusive). */
  async range(key: string, start: number, end: number): Promise<Buffer> {
    return this.#bytes(key, `bytes=${start}-${end - 1}`)
  }

  async #bytes(key: string, range: string): Promise<Buffer> {
    return this.#calls.run('GetObject', key, async () => {
      const answer = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key: key, Range: range }))
      return Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
    })
  }

  /** A small object as text; undefined when there is none. */
  async getText(key: string): Promise<StoredText | undefined> {
    return orMissing(
      this.#calls.run('GetObject', key, async () => {
        const answer = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key: key }))
        return { text: (await answer.Body?.transformToString()) ?? '', etag: answer.ETag ?? '' }
      }),
    )
  }

  /**
   * Writes a JSON object under a condition; `'*'`: only if there is none, otherwise only if it still has that ETag.
   *
   * @returns false when the condition does not hold: the caller reads the object and decides.
   */
  async putText(key: string, text: string, condition: '*' | { readonly etag: string }): Promise<boolean> {
    try {
      await this.#calls.run('PutObject', key, () =>
        this.#client.send(
          new PutObjectCommand({
            Bucket: this.name,
            Key: key,
            Body: text,
            ContentType: 'application/json',
            ...(condition === '*' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }),
            ...this.#encryption,
          }),
        ),
      )
      return true
    } catch (error) {
      const status = error instanceof LakeProblem ? error.facts.status : undefined
      if (status === 412 || status === 409 || (condition !== '*' && status === 404)) return false
      throw error
    }
  }

  /** Ends an upload and waits until S3 lists no part of it; one that is gone already is success. */
  async abortUpload(key: string, uploadId: string): Promise<void> {
    const upload = { Bucket: this.name, Key: key, UploadId: uploadId }
    for (;;) {
      await orMissing(
        this.#calls.run('AbortMultipartUpload', key, () => this.#client.send(new AbortMultipartUploadCommand(upload))),
      )
      // A part that was under way when the upload ended may arrive after it; S3 says to list and abort again.
      const left = await orMissing(
        this.#calls.run('ListParts', key, () => this.#client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }))),
      )
      if (!left?.Parts?.length) return
    }
  }

  /** Uploads whose key begins with `prefix`. */
  async *uploads(prefix: string): AsyncGenerator<{ key: string; uploadId: string; initiated: Date }> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
    while (marker) {
      const at: { KeyMarker?: string; UploadIdMarker?: string } = marker
      const page = await this.#calls.run('ListMultipartUploads', prefix, () =>
        this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.name, Prefix: prefix, ...at })),
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

  /** Objects whose key begins with `prefix`, in byte order. */
  async *objects(prefix: string): AsyncGenerator<{ key: string; bytes: number }> {
    let token: string | undefined
    do {
      const at: string | undefined = token
      const page = await this.#calls.run('ListObjectsV2', prefix, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.name,
            Prefix: prefix,
            ...(at === undefined ? {} : { ContinuationToken: at }),
          }),
        ),
      )
      for (const { Key, Size } of page.Contents ?? []) if (Key) yield { key: Key, bytes: Size ?? 0 }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token)
  }

  /** Deletes exactly these keys; a key that is not there is success. Every entry of `Errors[]` is read. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += 1000) {
      const batch = keys.slice(i, i + 1000)
      const answer = await this.#calls.run('DeleteObjects', batch[0] ?? '', () =>
        this.#client.send(
          new DeleteObjectsCommand({
            Bucket: this.name,
            Delete: { Objects: batch.map((Key) => ({ Key })), Quiet: true },
          }),
        ),
      )
      const [failed] = answer.Errors ?? []
      if (failed) {
        throw new LakeProblem('storage_failed', `S3 did not delete ${failed.Key}: ${failed.Code}`, {
          key: failed.Key ?? '',
        })
      }
    }
  }
}
