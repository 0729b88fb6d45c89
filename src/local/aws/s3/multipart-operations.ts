import { element, optional, type XmlElement, xmlDocument } from '../xml-writer.ts'
import { bodyPlan, MAX_PUT_BYTES, readText } from './body-plan.ts'
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checkChecksumText,
  checksumHeader,
  multipartChecksumType,
  readAlgorithm,
} from './checksum.ts'
import type { ListedPart } from './completion.ts'
import { checkCopySource, writeCondition } from './conditions.ts'
import { readCopySource } from './copy-source.ts'
import { plainBody } from './ingest.ts'
import { keyEncoding, owner } from './list-objects.ts'
import type { Multipart } from './multipart.ts'
import { readDetails } from './object-headers.ts'
import type { S3ObjectStore } from './object-store.ts'
import { readCopyRange } from './range.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import type { PartRecord, UploadRecord } from './upload-table.ts'
import { childElements, childText, readXml, requiredText, S3_NAMESPACE, type XmlNode } from './xml-reader.ts'

const MAX_PARTS = 10_000

const xml = (root: XmlElement): S3Answer => ({ status: 200, xml: xmlDocument(root, S3_NAMESPACE) })

export async function createMultipartUpload(uploads: Multipart, call: S3Call): Promise<S3Answer> {
  const named = call.header('x-amz-checksum-algorithm')
  const type = call.header('x-amz-checksum-type')
  if (named === undefined && type !== undefined) {
    throw s3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    )
  }
  const algorithm = named === undefined ? undefined : readAlgorithm(named)
  const checksum = algorithm && { algorithm, type: multipartChecksumType(algorithm, type) }
  const upload = await uploads.create(call.bucket, call.key, readDetails(call), checksum)
  const headers: Record<string, string> = checksum
    ? { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type }
    : {}
  const root = element(
    'InitiateMultipartUploadResult',
    element('Bucket', call.bucket),
    element('Key', call.key),
    element('UploadId', upload.id),
  )
  return { ...xml(root), headers }
}

const partNumber = (call: S3Call) => {
  call.required('partNumber')
  return call.integer('partNumber', 0, 1, MAX_PARTS)
}

export async function uploadPart(uploads: Multipart, call: S3Call): Promise<S3Answer> {
  const number = partNumber(call)
  const upload = uploads.upload(call.bucket, call.key, call.required('uploadId'))
  const plan = bodyPlan(call)
  const declared = upload.checksum
  const sent = plan.checksum?.algorithm
  // the part's checksum is needed for the object's; computing it here would verify nothing the client promised
  const missing = declared?.type === 'COMPOSITE' && sent === undefined
  if (declared !== undefined && (missing || (sent !== undefined && sent !== declared.algorithm))) {
    throw s3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${declared.algorithm.toLowerCase()}, actual checksum Type: ${sent?.toLowerCase() ?? 'null'}`,
    )
  }
  const { part, verified } = await uploads.putPart(upload, number, call.body(), plan)
  const headers: Record<string, string> = { etag: `"${part.etag}"` }
  const algorithm = sent ?? declared?.algorithm
  if (algorithm !== undefined && verified !== undefined) headers[checksumHeader(algorithm)] = verified
  return { status: 200, headers }
}

export async function uploadPartCopy(store: S3ObjectStore, uploads: Multipart, call: S3Call): Promise<S3Answer> {
  const number = partNumber(call)
  const upload = uploads.upload(call.bucket, call.key, call.required('uploadId'))
  const source = readCopySource(call)
  const { record, handle } = await store.openObject(source.bucket, source.key)
  try {
    checkCopySource(call, record)
    const header = call.header('x-amz-copy-source-range')
    const range =
      header === undefined ? { first: 0, last: record.sizeBytes - 1 } : readCopyRange(header, record.sizeBytes)
    const sizeBytes = range.last - range.first + 1
    if (sizeBytes > MAX_PUT_BYTES) throw s3Error('EntityTooLarge', undefined, { MaxSizeAllowed: MAX_PUT_BYTES })
    const bytes =
      sizeBytes === 0
        ? []
        : handle.createReadStream({ start: range.first, end: range.last, highWaterMark: 1024 * 1024, autoClose: false })
    const { part } = await uploads.putPart(upload, number, toAsync(bytes), plainBody(sizeBytes))
    const root = element(
      'CopyPartResult',
      element('LastModified', new Date(part.modifiedMs).toISOString()),
      element('ETag', `"${part.etag}"`),
      upload.checksum && part.checksum ? element(`Checksum${upload.checksum.algorithm}`, part.checksum) : undefined,
    )
    return xml(root)
  } finally {
    await handle.close()
  }
}

async function* toAsync(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}

export async function completeMultipartUpload(uploads: Multipart, call: S3Call): Promise<S3Answer> {
  const id = call.required('uploadId')
  const condition = writeCondition(call)
  const size = call.header('x-amz-mp-object-size')
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw s3Error('InvalidRequest', 'Value for x-amz-mp-object-size header is invalid.')
  }
  const document = readXml(await readText(call, { checksumOfObject: true }), 'CompleteMultipartUpload')
  const checksumType = call.header('x-amz-checksum-type')
  const expected = new Map<ChecksumAlgorithm, string>()
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = call.header(checksumHeader(algorithm))
    if (value === undefined) continue
    checkChecksumText(algorithm, value, 'COMPOSITE')
    expected.set(algorithm, value)
  }
  const done = await uploads.complete(call.bucket, call.key, id, {
    parts: childElements(document, 'Part').map(readListedPart),
    condition,
    objectSizeBytes: size === undefined ? undefined : Number(size),
    checksumType,
    expected,
  })
  const root = element(
    'CompleteMultipartUploadResult',
    element(
      'Location',
      `http://${call.header('host')}/${call.bucket}/${call.key.split('/').map(encodeURIComponent).join('/')}`,
    ),
    element('Bucket', done.bucket),
    element('Key', done.key),
    element('ETag', `"${done.etag}"`),
    done.checksum ? element(`Checksum${done.checksum.algorithm}`, done.checksum.value) : undefined,
    optional('ChecksumType', done.checksum?.type),
  )
  return xml(root)
}

function readListedPart(node: XmlNode): ListedPart {
  const text = requiredText(node, 'PartNumber').trim()
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > MAX_PARTS) {
    throw s3Error('InvalidArgument', `PartNumber must be from 1 to ${MAX_PARTS}.`, { ArgumentName: 'PartNumber' })
  }
  const etag = requiredText(node, 'ETag')
    .trim()
    .replace(/^"(.*)"$/, '$1')
  const checksums = new Map<ChecksumAlgorithm, string>()
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = childText(node, `Checksum${algorithm}`)?.trim()
    if (value) checksums.set(algorithm, value)
  }
  return { number, etag, checksums }
}

export async function abortMultipartUpload(uploads: Multipart, call: S3Call): Promise<S3Answer> {
  await uploads.abort(call.bucket, call.key, call.required('uploadId'))
  return { status: 204 }
}

const checksumElements = (upload: UploadRecord) => [
  ...(upload.checksum
    ? [element('ChecksumAlgorithm', upload.checksum.algorithm), element('ChecksumType', upload.checksum.type)]
    : []),
]

export function listParts(uploads: Multipart, call: S3Call): S3Answer {
  const upload = uploads.upload(call.bucket, call.key, call.required('uploadId'))
  const { encode, node } = keyEncoding(call)
  const limit = call.pageSize('max-parts')
  const marker = call.integer('part-number-marker', 0, 0, 2_147_483_647)
  const found = uploads.table.parts(upload.id, marker, limit + 1)
  const page = found.slice(0, limit)
  const truncated = limit > 0 && found.length > limit
  const root = element(
    'ListPartsResult',
    element('Bucket', call.bucket),
    element('Key', encode(call.key)),
    element('UploadId', upload.id),
    element('PartNumberMarker', marker),
    truncated ? optional('NextPartNumberMarker', page.at(-1)?.number) : undefined,
    element('MaxParts', limit),
    node,
    element('IsTruncated', truncated),
    page.map((part) => partElement(upload, part)),
    owner('Initiator'),
    owner(),
    element('StorageClass', 'STANDARD'),
    checksumElements(upload),
  )
  return xml(root)
}

const partElement = (upload: UploadRecord, part: PartRecord) =>
  element(
    'Part',
    element('PartNumber', part.number),
    element('LastModified', new Date(part.modifiedMs).toISOString()),
    element('ETag', `"${part.etag}"`),
    element('Size', part.sizeBytes),
    upload.checksum && part.checksum ? element(`Checksum${upload.checksum.algorithm}`, part.checksum) : undefined,
  )
