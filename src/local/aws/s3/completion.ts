import { type Checksum, type ChecksumAlgorithm, checksumHeader, joinChecksums } from './checksum.ts'
import type { WriteCondition } from './object-store.ts'
import { s3Error } from './s3-error.ts'
import type { PartRecord, UploadRecord } from './upload-table.ts'

/** Every part but the last, as in AWS. */
export const MIN_PART_BYTES = 5 * 1024 * 1024

/** One part as CompleteMultipartUpload names it. */
export interface ListedPart {
  readonly number: number
  /** Without quotes. */
  readonly etag: string
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>
}

/** What CompleteMultipartUpload asks for. */
export interface Completion {
  readonly parts: readonly ListedPart[]
  readonly condition: WriteCondition | undefined
  readonly objectSizeBytes: number | undefined
  readonly checksumType: string | undefined
  /** Checksums of the object the client expects. */
  readonly expected: ReadonlyMap<ChecksumAlgorithm, string>
}

/**
 * The uploaded parts a completion lists, in its order.
 *
 * @throws AwsError `MalformedXML` for none, `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`.
 */
export function chooseParts(
  upload: UploadRecord,
  uploaded: readonly PartRecord[],
  listed: readonly ListedPart[],
): PartRecord[] {
  if (listed.length === 0) throw s3Error('MalformedXML', 'You must specify at least one part')
  const byNumber = new Map(uploaded.map((part) => [part.number, part]))
  const chosen: PartRecord[] = []
  for (const one of listed) {
    const previous = chosen.at(-1)
    if (previous !== undefined && one.number <= previous.number)
      throw s3Error('InvalidPartOrder', undefined, { UploadId: upload.id })
    const part = byNumber.get(one.number)
    if (part === undefined || part.etag !== one.etag) throw invalidPart(upload, one)
    checkPartChecksum(upload, part, one)
    chosen.push(part)
  }
  const small = chosen.slice(0, -1).find((part) => part.sizeBytes < MIN_PART_BYTES)
  if (small !== undefined) {
    throw s3Error('EntityTooSmall', undefined, {
      ProposedSize: small.sizeBytes,
      MinSizeAllowed: MIN_PART_BYTES,
      PartNumber: small.number,
      ETag: small.etag,
    })
  }
  return chosen
}

export const invalidPart = (upload: UploadRecord, part: { readonly number: number; readonly etag: string }) =>
  s3Error('InvalidPart', undefined, { UploadId: upload.id, PartNumber: part.number, ETag: part.etag })

function checkPartChecksum(upload: UploadRecord, part: PartRecord, listed: ListedPart): void {
  for (const [algorithm, value] of listed.checksums) {
    if (upload.checksum !== undefined && algorithm !== upload.checksum.algorithm) {
      throw s3Error(
        'InvalidRequest',
        `The upload was created using a ${upload.checksum.algorithm.toLowerCase()} checksum; part ${part.number} is listed with ${algorithm.toLowerCase()}.`,
      )
    }
    if (part.checksum !== undefined && value !== part.checksum) throw invalidPart(upload, listed)
  }
  if (upload.checksum?.type === 'COMPOSITE' && !listed.checksums.has(upload.checksum.algorithm)) {
    throw s3Error(
      'InvalidRequest',
      `The upload was created using a ${upload.checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    )
  }
}

/**
 * Holds the object against what the client expects of it; returns its checksum.
 *
 * @throws AwsError `InvalidRequest` for another size or type, `BadDigest` for another checksum.
 */
export function checkCompletion(
  upload: UploadRecord,
  parts: readonly PartRecord[],
  sizeBytes: number,
  completion: Completion,
): Checksum | undefined {
  const { objectSizeBytes, checksumType, expected } = completion
  if (objectSizeBytes !== undefined && objectSizeBytes !== sizeBytes) {
    throw s3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${objectSizeBytes} does not match what was computed: ${sizeBytes}`,
    )
  }
  if (checksumType !== undefined && checksumType.toUpperCase() !== upload.checksum?.type) {
    throw s3Error(
      'InvalidRequest',
      `The upload was created with the checksum type ${upload.checksum?.type ?? 'null'}; the complete request names ${checksumType}.`,
    )
  }
  const { checksum: declared } = upload
  if (declared === undefined) {
    const [algorithm] = expected.keys()
    if (algorithm === undefined) return undefined
    throw s3Error(
      'InvalidRequest',
      `${checksumHeader(algorithm)} cannot be checked: the upload was created without a checksum algorithm.`,
    )
  }
  const withChecksums = parts.map(({ checksum, sizeBytes }) => ({ checksum: checksum ?? '', sizeBytes }))
  const joined = joinChecksums(declared.algorithm, declared.type, withChecksums)
  for (const [algorithm, value] of expected) {
    // of a composite checksum the number of parts may be left out
    const same =
      value === joined.value || (declared.type === 'COMPOSITE' && value === joined.value.replace(/-\d+$/, ''))
    if (algorithm !== declared.algorithm || !same) {
      throw s3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
    }
  }
  return joined
}
