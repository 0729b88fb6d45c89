import { element, optional, xmlDocument } from '../xml-writer.ts'
import { checkRead } from './conditions.ts'
import { checksumHeaders, objectHeaders } from './object-headers.ts'
import type { S3ObjectStore } from './object-store.ts'
import type { ObjectPart, ObjectRecord } from './object-table.ts'
import { type ByteRange, readRange } from './range.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import { S3_NAMESPACE } from './xml-reader.ts'

const READ_BYTES = 256 * 1024

/** Query parameters of GET that replace a header of the answer. */
export const RESPONSE_OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
].map((header) => ({ parameter: `response-${header}`, header }))

interface Selection {
  readonly range: ByteRange | undefined
  readonly headers: Record<string, string | number>
}

/** The bytes a request asks for: all, a range, or one part of a multipart upload. */
function select(store: S3ObjectStore, call: S3Call, record: ObjectRecord): Selection {
  const wantsChecksum = call.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
  if (!call.query.has('partNumber')) {
    const range = readRange(call.header('range'), record.sizeBytes)
    // a checksum speaks of the whole object; clients would hold a range against it
    return { range, headers: wantsChecksum && range === undefined ? checksumHeaders(record.checksum) : {} }
  }
  const number = call.integer('partNumber', 1, 1, 10_000)
  if (call.header('range') !== undefined) {
    throw s3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter.')
  }
  const parts = store.objects.parts(record)
  const whole: ObjectPart = { number: 1, sizeBytes: record.sizeBytes, checksum: null }
  const ordered = parts.length === 0 ? [whole] : parts
  const part = ordered[number - 1]
  if (part === undefined)
    throw s3Error('InvalidPartNumber', undefined, { ActualPartCount: ordered.length, PartNumberRequested: number })
  const first = ordered.slice(0, number - 1).reduce((sum, one) => sum + one.sizeBytes, 0)
  const { checksum } = record
  return {
    range: part.sizeBytes === 0 ? undefined : { first, last: first + part.sizeBytes - 1 },
    headers: {
      ...(parts.length > 0 ? { 'x-amz-mp-parts-count': parts.length } : {}),
      ...(wantsChecksum && checksum && part.checksum ? checksumHeaders({ ...checksum, value: part.checksum }) : {}),
    },
  }
}

/** Everything but the bytes: what GET and HEAD have in common. */
function answerHead(
  store: S3ObjectStore,
  call: S3Call,
  record: ObjectRecord,
): S3Answer & { readonly bytes?: ByteRange } {
  if (checkRead(call, record) === 'not-modified') {
    const { etag, 'last-modified': modified } = objectHeaders(record)
    const cacheControl = record.details.headers['cache-control']
    return { status: 304, headers: { etag, 'last-modified': modified, 'cache-control': cacheControl } }
  }
  const { range, headers } = select(store, call, record)
  const overrides: Record<string, string> = {}
  for (const { parameter, header } of RESPONSE_OVERRIDES) {
    const value = call.query.get(parameter)
    if (value === undefined) continue
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no header may carry these
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw s3Error('InvalidArgument', `${parameter} holds a control character.`, { ArgumentName: parameter })
    }
    overrides[header] = value
  }
  const bytes = range ?? { first: 0, last: record.sizeBytes - 1 }
  const answer = {
    ...objectHeaders(record),
    ...overrides,
    ...headers,
    'content-length': bytes.last - bytes.first + 1,
  }
  if (range === undefined) return { status: 200, headers: answer, bytes }
  const contentRange = `bytes ${range.first}-${range.last}/${record.sizeBytes}`
  return { status: 206, headers: { ...answer, 'content-range': contentRange }, bytes }
}

export function headObject(store: S3ObjectStore, call: S3Call): S3Answer {
  const { bytes: _, ...answer } = answerHead(store, call, store.object(call.bucket, call.key))
  return answer
}

export async function getObject(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  const { record, handle } = await store.openObject(call.bucket, call.key)
  try {
    const { bytes, ...answer } = answerHead(store, call, record)
    if (bytes === undefined || bytes.last < bytes.first) {
      await handle.close()
      return answer
    }
    const stream = handle.createReadStream({ start: bytes.first, end: bytes.last, highWaterMark: READ_BYTES })
    return { ...answer, stream }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const

export function getObjectAttributes(store: S3ObjectStore, call: S3Call): S3Answer {
  const record = store.object(call.bucket, call.key)
  if (checkRead(call, record) === 'not-modified') return { status: 304, headers: { etag: `"${record.etag}"` } }
  const asked = (call.header('x-amz-object-attributes') ?? '').split(',').map((name) => name.trim())
  if (asked.some((name) => !ATTRIBUTES.some((known) => known === name))) {
    throw s3Error('InvalidArgument', `x-amz-object-attributes must be a list of ${ATTRIBUTES.join(', ')}.`, {
      ArgumentName: 'x-amz-object-attributes',
    })
  }
  const wants = (name: (typeof ATTRIBUTES)[number]) => asked.includes(name)
  const { checksum } = record
  const parts = store.objects.parts(record)
  const root = element(
    'GetObjectAttributesResponse',
    wants('ETag') ? element('ETag', record.etag) : undefined,
    wants('Checksum') && checksum
      ? element(
          'Checksum',
          element(`Checksum${checksum.algorithm}`, checksum.value),
          element('ChecksumType', checksum.type),
        )
      : undefined,
    wants('ObjectParts') && parts.length > 0 ? objectParts(call, record, parts) : undefined,
    wants('StorageClass') ? element('StorageClass', 'STANDARD') : undefined,
    wants('ObjectSize') ? element('ObjectSize', record.sizeBytes) : undefined,
  )
  const headers = { 'last-modified': new Date(record.modifiedMs).toUTCString() }
  return { status: 200, headers, xml: xmlDocument(root, S3_NAMESPACE) }
}

function objectParts(call: S3Call, record: ObjectRecord, parts: readonly ObjectPart[]) {
  const number = (header: string, fallback: number) => {
    const text = call.header(header) ?? String(fallback)
    if (!/^\d{1,9}$/.test(text)) throw s3Error('InvalidArgument', `${header} must be a whole number.`)
    return Number(text)
  }
  const limit = Math.min(1000, number('x-amz-max-parts', 1000))
  const marker = number('x-amz-part-number-marker', 0)
  const behind = parts.filter((part) => part.number > marker)
  const page = behind.slice(0, limit)
  const { checksum } = record
  return element(
    'ObjectParts',
    element('PartsCount', parts.length),
    element('PartNumberMarker', marker),
    optional('NextPartNumberMarker', page.at(-1)?.number),
    element('MaxParts', limit),
    element('IsTruncated', behind.length > page.length),
    // as in AWS, single parts are told only where they carry checksums
    page
      .filter((part) => part.checksum !== null)
      .map((part) =>
        element(
          'Part',
          element('PartNumber', part.number),
          element('Size', part.sizeBytes),
          checksum && part.checksum ? element(`Checksum${checksum.algorithm}`, part.checksum) : undefined,
        ),
      ),
  )
}
