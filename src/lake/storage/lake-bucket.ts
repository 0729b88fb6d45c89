import type { S3Client } from '@aws-sdk/client-s3'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { LakeProblem } from '../lake-problem.ts'
import { MultipartUploads, type ObjectFacts } from './multipart-uploads.ts'
import { orMissing, type S3CallOptions, S3Calls } from './s3-calls.ts'

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

const KEYS_PER_CALL = 1000

/**
 * The lake's bucket: the few S3 operations that the snapshot protocol consists of, each repeated by `retrying`.
 *
 * Errors: LakeProblem `storage_denied` (authorisation), `storage_failed` (everything else), naming operation and key.
 */
export class LakeBucket {
  readonly name: string
  readonly multipart: MultipartUploads
  readonly #client: S3Client
  readonly #calls: S3Calls
  readonly #encryption: { ServerSideEncryption?: 'aws:kms'; SSEKMSKeyId?: string }

  constructor(options: LakeBucketOptions) {
    this.name = options.bucket
    this.#client = options.client
    this.#calls = new S3Calls(options)
    this.#encryption =
      options.kmsKey === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: options.kmsKey }
    const { bucket, client } = options
    const head = (key: string) => this.head(key)
    this.multipart = new MultipartUploads({ client, bucket, calls: this.#calls, encryption: this.#encryption, head })
  }

  /** Undefined when there is no object. */
  async head(key: string): Promise<ObjectFacts | undefined> {
    const answer = await orMissing(
      this.#calls.run('HeadObject', key, (abortSignal) =>
        this.#client.send(new HeadObjectCommand({ Bucket: this.name, Key: key, ChecksumMode: 'ENABLED' }), {
          abortSignal,
        }),
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
    return this.#calls.run('GetObject', key, async (abortSignal) => {
      const command = new GetObjectCommand({ Bucket: this.name, Key: key, Range: range })
      const answer = await this.#client.send(command, { abortSignal })
      const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0)
      // A view: ranges may have tens of megabytes.
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    })
  }

  /** A small object as text; undefined when there is none. */
  async getText(key: string): Promise<StoredText | undefined> {
    return orMissing(
      this.#calls.run('GetObject', key, async (abortSignal) => {
        const answer = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key: key }), { abortSignal })
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
      await this.#calls.run('PutObject', key, (abortSignal) =>
        this.#client.send(
          new PutObjectCommand({
            Bucket: this.name,
            Key: key,
            Body: text,
            ContentType: 'application/json',
            ...(condition === '*' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }),
            ...this.#encryption,
          }),
          { abortSignal },
        ),
      )
      return true
    } catch (error) {
      const status = error instanceof LakeProblem ? error.facts.status : undefined
      // 409 is no answer to the condition and has been asked again; left after that it is a failure.
      if (status === 412 || (condition !== '*' && status === 404)) return false
      throw error
    }
  }

  /** Objects whose key begins with `prefix`, in byte order. */
  async *objects(prefix: string): AsyncGenerator<{ key: string; bytes: number }> {
    let token: string | undefined
    do {
      const at: string | undefined = token
      const page = await this.#calls.run('ListObjectsV2', prefix, (abortSignal) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.name,
            Prefix: prefix,
            ...(at === undefined ? {} : { ContinuationToken: at }),
          }),
          { abortSignal },
        ),
      )
      for (const { Key, Size } of page.Contents ?? []) if (Key) yield { key: Key, bytes: Size ?? 0 }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token)
  }

  /** Deletes exactly these keys; a key that is not there is success. Every entry of `Errors[]` is read, and tried again if that may help. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += KEYS_PER_CALL) {
      let left = keys.slice(i, i + KEYS_PER_CALL)
      await this.#calls.run('DeleteObjects', left[0] ?? '', async (abortSignal) => {
        const Delete = { Objects: left.map((Key) => ({ Key })), Quiet: true }
        const { Errors: errors = [] } = await this.#client.send(
          new DeleteObjectsCommand({ Bucket: this.name, Delete }),
          { abortSignal },
        )
        const [failed] = errors
        if (!failed) return
        left = errors.map((error) => error.Key ?? '')
        throw Object.assign(new Error(`${failed.Key}: ${failed.Code} (${errors.length} of the keys)`), {
          name: failed.Code ?? 'Unknown',
        })
      })
    }
  }
}
