import { createHash } from 'node:crypto'
import { readMessage } from '../request-body.ts'
import { AwsChunkedDecoder } from './aws-chunked.ts'
import { CHECKSUM_ALGORITHMS, checkChecksumText, checksumHeader, readAlgorithm, runningChecksum } from './checksum.ts'
import type { BodyPlan } from './ingest.ts'
import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'

/** Longest body an object or a part may have in one request, as in AWS. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3

const isFramed = (call: S3Call) => call.payload.startsWith('STREAMING-')
const promisedSha256 = (call: S3Call) => (/^[0-9a-f]{64}$/.test(call.payload) ? call.payload : undefined)

/** What the headers say about a body that holds the bytes of an object or a part. */
export function bodyPlan(call: S3Call): BodyPlan {
  const framed = isFramed(call)
  const length = call.header(framed ? 'x-amz-decoded-content-length' : 'content-length')
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw s3Error(
      'MissingContentLength',
      framed ? 'A chunked body needs the header x-amz-decoded-content-length.' : undefined,
    )
  }
  if (Number(length) > MAX_PUT_BYTES) throw s3Error('EntityTooLarge', undefined, { MaxSizeAllowed: MAX_PUT_BYTES })
  return {
    sizeBytes: Number(length),
    framed,
    sha256: promisedSha256(call),
    md5: promisedMd5(call),
    checksum: promisedChecksum(call),
  }
}

function promisedMd5(call: S3Call): string | undefined {
  const md5 = call.header('content-md5')
  if (md5 === undefined) return undefined
  const bytes = Buffer.from(md5, 'base64')
  if (bytes.length !== 16) throw s3Error('InvalidDigest')
  return bytes.toString('base64')
}

function promisedChecksum(call: S3Call): BodyPlan['checksum'] {
  const sent = CHECKSUM_ALGORITHMS.filter((algorithm) => call.header(checksumHeader(algorithm)) !== undefined)
  const trailer = call.header('x-amz-trailer')?.trim().toLowerCase()
  if (sent.length + (trailer === undefined ? 0 : 1) > 1) {
    throw s3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.',
    )
  }
  if (trailer !== undefined) {
    if (!trailer.startsWith('x-amz-checksum-')) {
      throw s3Error('InvalidRequest', 'The trailer that x-amz-trailer names must be an x-amz-checksum- header.')
    }
    return { algorithm: readAlgorithm(trailer.slice('x-amz-checksum-'.length)), expected: { trailer } }
  }
  const [algorithm] = sent
  if (algorithm === undefined) return undefined
  const expected = call.header(checksumHeader(algorithm)) ?? ''
  checkChecksumText(algorithm, expected)
  return { algorithm, expected }
}

/**
 * A small body as text, checked against the hashes its request carries.
 *
 * @param options.checksumOfObject the checksum headers speak of the object, not of this body (CompleteMultipartUpload).
 * @param options.hashRequired refuse a body that promises neither an MD5 nor a checksum, as S3 does for DeleteObjects.
 */
export async function readText(
  call: S3Call,
  options: { checksumOfObject?: boolean; hashRequired?: boolean } = {},
): Promise<string> {
  const raw = await readMessage(call.request)
  const sha256 = promisedSha256(call)
  if (sha256 !== undefined && createHash('sha256').update(raw).digest('hex') !== sha256) {
    throw s3Error('XAmzContentSHA256Mismatch')
  }
  const decoder = isFramed(call) ? new AwsChunkedDecoder() : undefined
  const body = decoder === undefined ? raw : Buffer.concat([...decoder.decode(raw)])
  decoder?.finish()
  const md5 = promisedMd5(call)
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5) throw s3Error('BadDigest')
  if (options.checksumOfObject) return body.toString('utf8')
  const checksum = promisedChecksum(call)
  if (checksum !== undefined) {
    const running = runningChecksum(checksum.algorithm)
    running.update(body)
    const { expected } = checksum
    const promised = typeof expected === 'string' ? expected : decoder?.trailers.get(expected.trailer)
    if (running.digest().toString('base64') !== promised) throw s3Error('BadDigest')
  } else if (options.hashRequired && md5 === undefined) {
    throw s3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  }
  return body.toString('utf8')
}
