import { ACCOUNT_ID } from '../account-id.ts'
import { element, optional, type XmlElement, xmlDocument } from '../xml-writer.ts'
import { type ListingPage, listPage } from './listing.ts'
import type { S3ObjectStore } from './object-store.ts'
import type { ListedObject } from './object-table.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import { S3_NAMESPACE } from './xml-reader.ts'

/** Everything belongs to the one local account. */
export const owner = (name = 'Owner') => element(name, element('ID', ACCOUNT_ID), element('DisplayName', 'local'))

const encodeKey = (key: string) =>
  encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** How keys travel in the answer: as they are, or URL-encoded when `encoding-type=url` asks for it. */
export function keyEncoding(call: S3Call): { encode: (key: string) => string; node: XmlElement | undefined } {
  const type = call.query.get('encoding-type')
  if (type === undefined || type === '') return { encode: (key) => key, node: undefined }
  if (type !== 'url') throw s3Error('InvalidArgument', 'encoding-type must be url.', { ArgumentName: 'encoding-type' })
  return { encode: encodeKey, node: element('EncodingType', 'url') }
}

const writeToken = (last: string) => Buffer.from(last, 'utf8').toString('base64url')

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (token === '' || writeToken(text) !== token) {
    throw s3Error('InvalidArgument', 'The continuation token provided is incorrect', {
      ArgumentName: 'continuation-token',
    })
  }
  return text
}

function contents(record: ListedObject, encode: (key: string) => string, withOwner: boolean): XmlElement {
  return element(
    'Contents',
    element('Key', encode(record.key)),
    element('LastModified', new Date(record.modifiedMs).toISOString()),
    element('ETag', `"${record.etag}"`),
    optional('ChecksumAlgorithm', record.checksumAlgorithm ?? undefined),
    optional('ChecksumType', record.checksumType ?? undefined),
    element('Size', record.sizeBytes),
    withOwner ? owner() : undefined,
    element('StorageClass', 'STANDARD'),
  )
}

const commonPrefixes = (page: ListingPage, encode: (key: string) => string) =>
  page.prefixes.map((prefix) => element('CommonPrefixes', element('Prefix', encode(prefix))))

export function listObjectsV2(store: S3ObjectStore, call: S3Call): S3Answer {
  store.bucket(call.bucket)
  const { encode, node } = keyEncoding(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const startAfter = call.query.get('start-after')
  const token = call.query.get('continuation-token')
  const limit = call.pageSize('max-keys')
  const after = token === undefined ? (startAfter ?? '') : readToken(token)
  const page = listPage(store.objects, call.bucket, { prefix, delimiter, after, limit })
  const withOwner = call.query.get('fetch-owner') === 'true'
  const root = element(
    'ListBucketResult',
    element('Name', call.bucket),
    element('Prefix', encode(prefix)),
    delimiter === '' ? undefined : element('Delimiter', encode(delimiter)),
    element('MaxKeys', limit),
    node,
    element('KeyCount', page.objects.length + page.prefixes.length),
    element('IsTruncated', page.truncated),
    optional('ContinuationToken', token),
    page.truncated && page.last !== undefined ? element('NextContinuationToken', writeToken(page.last)) : undefined,
    startAfter === undefined ? undefined : element('StartAfter', encode(startAfter)),
    page.objects.map((record) => contents(record, encode, withOwner)),
    commonPrefixes(page, encode),
  )
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}

export function listObjects(store: S3ObjectStore, call: S3Call): S3Answer {
  store.bucket(call.bucket)
  const { encode, node } = keyEncoding(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const marker = call.query.get('marker') ?? ''
  const limit = call.pageSize('max-keys')
  const page = listPage(store.objects, call.bucket, { prefix, delimiter, after: marker, limit })
  // without a delimiter S3 leaves NextMarker out: the last key is the marker
  const next = page.truncated && delimiter !== '' ? page.last : undefined
  const root = element(
    'ListBucketResult',
    element('Name', call.bucket),
    element('Prefix', encode(prefix)),
    element('Marker', encode(marker)),
    next === undefined ? undefined : element('NextMarker', encode(next)),
    delimiter === '' ? undefined : element('Delimiter', encode(delimiter)),
    element('MaxKeys', limit),
    node,
    element('IsTruncated', page.truncated),
    page.objects.map((record) => contents(record, encode, true)),
    commonPrefixes(page, encode),
  )
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}

/** Versioning is off: every object is its one version, `null`. */
export function listObjectVersions(store: S3ObjectStore, call: S3Call): S3Answer {
  store.bucket(call.bucket)
  const { encode, node } = keyEncoding(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const marker = call.query.get('key-marker') ?? ''
  const limit = call.pageSize('max-keys')
  const page = listPage(store.objects, call.bucket, { prefix, delimiter, after: marker, limit })
  const versions = page.objects.map((record) =>
    element(
      'Version',
      element('ETag', `"${record.etag}"`),
      optional('ChecksumAlgorithm', record.checksumAlgorithm ?? undefined),
      optional('ChecksumType', record.checksumType ?? undefined),
      element('Size', record.sizeBytes),
      element('StorageClass', 'STANDARD'),
      element('Key', encode(record.key)),
      element('VersionId', 'null'),
      element('IsLatest', true),
      element('LastModified', new Date(record.modifiedMs).toISOString()),
      owner(),
    ),
  )
  const next = page.truncated ? page.last : undefined
  const root = element(
    'ListVersionsResult',
    element('Name', call.bucket),
    element('Prefix', encode(prefix)),
    element('KeyMarker', encode(marker)),
    element('VersionIdMarker', call.query.get('version-id-marker') ?? ''),
    next === undefined ? undefined : element('NextKeyMarker', encode(next)),
    next === undefined ? undefined : element('NextVersionIdMarker', 'null'),
    delimiter === '' ? undefined : element('Delimiter', encode(delimiter)),
    element('MaxKeys', limit),
    node,
    element('IsTruncated', page.truncated),
    versions,
    commonPrefixes(page, encode),
  )
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}
