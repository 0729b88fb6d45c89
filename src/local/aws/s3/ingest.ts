import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { AwsChunkedDecoder } from './aws-chunked.ts'
import { BlobWriter } from './blob-writer.ts'
import { type ChecksumAlgorithm, checkChecksumText, checksumHeader, runningChecksum } from './checksum.ts'
import { s3Error } from './s3-error.ts'

/** What a request says about its body. */
export interface BodyPlan {
  /** Bytes of the content, without any framing. */
  readonly sizeBytes: number
  readonly framed: boolean
  /** Hex; to be compared with the body as sent. */
  readonly sha256: string | undefined
  /** Base64. */
  readonly md5: string | undefined
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly expected: string | { readonly trailer: string } }
    | undefined
}

export interface Ingested {
  readonly sizeBytes: number
  /** Hex. */
  readonly md5: string
  /** Base64, of the requested algorithm. */
  readonly checksum: string | undefined
}

/** A plan for bytes the service itself puts: only the MD5, which is the ETag. */
export const plainBody = (sizeBytes: number): BodyPlan => ({
  sizeBytes,
  framed: false,
  sha256: undefined,
  md5: undefined,
  checksum: undefined,
})

/** Computes in one pass what the plan asks for, and no more; the MD5 always, as it is the ETag. */
class BodyHashes {
  readonly #md5 = createHash('md5')
  readonly #sha256
  readonly #checksum

  constructor(plan: BodyPlan, compute: ChecksumAlgorithm | undefined) {
    this.#sha256 = plan.sha256 === undefined ? undefined : createHash('sha256')
    const algorithm = plan.checksum?.algorithm ?? compute
    this.#checksum = algorithm === undefined ? undefined : runningChecksum(algorithm)
  }

  update(bytes: Uint8Array): void {
    this.#md5.update(bytes)
    this.#sha256?.update(bytes)
    this.#checksum?.update(bytes)
  }

  /** @throws AwsError 400 when a hash differs from what the request promised. */
  finish(plan: BodyPlan, trailers: ReadonlyMap<string, string>): { md5: string; checksum: string | undefined } {
    const md5 = this.#md5.digest()
    if (plan.md5 !== undefined && plan.md5 !== md5.toString('base64')) {
      throw s3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.')
    }
    if (this.#sha256 && this.#sha256.digest('hex') !== plan.sha256) throw s3Error('XAmzContentSHA256Mismatch')
    const checksum = this.#checksum?.digest().toString('base64')
    if (plan.checksum !== undefined) {
      const { algorithm, expected } = plan.checksum
      const promised = typeof expected === 'string' ? expected : trailers.get(expected.trailer)
      if (promised === undefined) {
        throw s3Error(
          'InvalidRequest',
          `The trailer ${checksumHeader(algorithm)} that x-amz-trailer promised is missing.`,
        )
      }
      checkChecksumText(algorithm, promised)
      if (promised !== checksum) {
        throw s3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
      }
    }
    return { md5: md5.toString('hex'), checksum }
  }
}

/**
 * Streams a body into a file from `position` on, unframes and checks it. Durable when it resolves (but for the file's name).
 * Holds about 2 MiB, whatever the body's size.
 *
 * @param compute the checksum to compute when the request names none.
 * @throws AwsError 400 when the body is short, long, or differs from a promised hash. The file's bytes from `position` on
 *   are then garbage.
 */
export async function ingest(
  source: AsyncIterable<Uint8Array>,
  plan: BodyPlan,
  handle: FileHandle,
  position = 0,
  compute?: ChecksumAlgorithm,
): Promise<Ingested> {
  const writer = new BlobWriter(handle, position)
  const hashes = new BodyHashes(plan, compute)
  const decoder = plan.framed ? new AwsChunkedDecoder() : undefined
  let sizeBytes = 0
  const take = (bytes: Uint8Array) => {
    sizeBytes += bytes.length
    // never a byte more than announced: a slot in a shared file ends there
    if (sizeBytes > plan.sizeBytes) throw tooLong(plan)
    hashes.update(bytes)
    return writer.write(bytes)
  }
  try {
    for await (const piece of source) {
      if (decoder === undefined) await take(piece)
      else for (const data of decoder.decode(piece)) await take(data)
    }
    decoder?.finish()
    if (sizeBytes !== plan.sizeBytes) {
      throw s3Error(
        'IncompleteBody',
        `You did not provide the ${plan.sizeBytes} bytes that the length header announced.`,
      )
    }
    const checked = hashes.finish(plan, decoder?.trailers ?? new Map())
    await writer.finish()
    return { sizeBytes, ...checked }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

const tooLong = (plan: BodyPlan) =>
  s3Error('IncompleteBody', `The body is longer than the ${plan.sizeBytes} bytes that the length header announced.`)
