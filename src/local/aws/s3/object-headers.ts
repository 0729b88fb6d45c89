import { type Checksum, checksumHeader } from './checksum.ts'
import type { ObjectDetails, ObjectRecord } from './object-table.ts'
import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import { readTagHeader } from './tagging.ts'

const KEPT_HEADERS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
]
const MAX_METADATA_BYTES = 2048
const METADATA_PREFIX = 'x-amz-meta-'

/** What a PUT, a copy or the start of a multipart upload says about the object. */
export function readDetails(call: S3Call): ObjectDetails {
  const headers: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = call.header(name)
    if (value === undefined) continue
    // aws-chunked describes the request's body, never the object
    const kept = name === 'content-encoding' ? withoutAwsChunked(value) : value
    if (kept !== '') headers[name] = kept
  }
  const metadata: Record<string, string> = {}
  let metadataBytes = 0
  for (const name of call.headerNames()) {
    if (!name.startsWith(METADATA_PREFIX)) continue
    const value = call.header(name) ?? ''
    metadata[name.slice(METADATA_PREFIX.length)] = value
    metadataBytes += name.length - METADATA_PREFIX.length + Buffer.byteLength(value)
  }
  if (metadataBytes > MAX_METADATA_BYTES) throw s3Error('MetadataTooLarge', undefined, { Size: metadataBytes })
  return { headers, metadata, tags: readTagHeader(call.header('x-amz-tagging')) }
}

const withoutAwsChunked = (value: string) =>
  value
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '' && encoding.toLowerCase() !== 'aws-chunked')
    .join(',')

/** The headers GET and HEAD send for an object, without those of its bytes. */
export function objectHeaders(record: ObjectRecord): Record<string, string | number> {
  const { headers, metadata, tags } = record.details
  const answer: Record<string, string | number> = {
    'content-type': 'binary/octet-stream',
    ...headers,
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  }
  for (const [name, value] of Object.entries(metadata)) answer[METADATA_PREFIX + name] = value
  const tagCount = Object.keys(tags).length
  if (tagCount > 0) answer['x-amz-tagging-count'] = tagCount
  return answer
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type }
}
