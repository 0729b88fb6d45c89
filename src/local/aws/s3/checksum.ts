import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CRC32, CRC32C, CRC64NVME, type CrcModel, joinCrcs, runningCrc32c, runningCrc64Nvme } from './crc.ts'
import { s3Error } from './s3-error.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** `value` is base64; of a COMPOSITE checksum with `-<number of parts>` behind it. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  readonly type: ChecksumType
  readonly value: string
}

export interface RunningChecksum {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

const CRC_MODELS: Readonly<Partial<Record<ChecksumAlgorithm, CrcModel>>> = { CRC32, CRC32C, CRC64NVME }
const LENGTH_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
}

function runningCrc32(): RunningChecksum {
  let crc = 0
  return {
    update(bytes) {
      crc = crc32(bytes, crc)
    },
    digest() {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(crc)
      return out
    },
  }
}

export function runningChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'CRC32':
      return runningCrc32()
    case 'CRC32C':
      return runningCrc32c()
    case 'CRC64NVME':
      return runningCrc64Nvme()
    case 'SHA1':
      return createHash('sha1')
    case 'SHA256':
      return createHash('sha256')
  }
}

export const checksumHeader = (algorithm: ChecksumAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`

/** The algorithm a header or a field names, in any case. @throws AwsError `InvalidRequest` for an unknown one. */
export function readAlgorithm(text: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === text.toUpperCase())
  if (algorithm === undefined) {
    throw s3Error(
      'InvalidRequest',
      `Checksum algorithm provided is unsupported: use one of ${CHECKSUM_ALGORITHMS.join(', ')}.`,
    )
  }
  return algorithm
}

/** @throws AwsError `InvalidRequest` when the text is not base64 of the algorithm's length. */
export function checkChecksumText(
  algorithm: ChecksumAlgorithm,
  text: string,
  type: ChecksumType = 'FULL_OBJECT',
): void {
  const digest = type === 'COMPOSITE' ? text.replace(/-\d+$/, '') : text
  const decoded = Buffer.from(digest, 'base64')
  if (decoded.length !== LENGTH_BYTES[algorithm] || decoded.toString('base64') !== digest) {
    throw s3Error('InvalidRequest', `Value for ${checksumHeader(algorithm)} header is invalid.`)
  }
}

/**
 * The type a multipart upload has when it names an algorithm and perhaps a type: SHA1 and SHA256 can only be composite,
 * CRC64NVME only of the full object, the others either, composite by default.
 */
export function multipartChecksumType(algorithm: ChecksumAlgorithm, type: string | undefined): ChecksumType {
  const allowed: readonly ChecksumType[] =
    algorithm === 'CRC64NVME'
      ? ['FULL_OBJECT']
      : CRC_MODELS[algorithm] === undefined
        ? ['COMPOSITE']
        : ['COMPOSITE', 'FULL_OBJECT']
  const chosen = type === undefined ? allowed[0] : allowed.find((one) => one === type.toUpperCase())
  if (chosen === undefined) {
    throw s3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm; allowed: ${allowed.join(', ')}.`,
    )
  }
  return chosen
}

/** The object's checksum from its parts' (base64), without reading a byte again. */
export function joinChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { readonly checksum: string; readonly sizeBytes: number }[],
): Checksum {
  if (type === 'COMPOSITE') {
    const running = runningChecksum(algorithm)
    for (const part of parts) running.update(Buffer.from(part.checksum, 'base64'))
    return { algorithm, type, value: `${running.digest().toString('base64')}-${parts.length}` }
  }
  const model = CRC_MODELS[algorithm]
  if (model === undefined) throw new TypeError(`${algorithm} cannot be joined to a checksum of the full object`)
  const pieces = parts.map((part) => ({ crc: Buffer.from(part.checksum, 'base64'), sizeBytes: part.sizeBytes }))
  return { algorithm, type, value: joinCrcs(model, pieces).toString('base64') }
}
