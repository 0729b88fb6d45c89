import { element, xmlDocument } from '../xml-writer.ts'
import { keyEncoding, owner } from './list-objects.ts'
import type { Multipart } from './multipart.ts'
import type { S3ObjectStore } from './object-store.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import type { UploadRecord } from './upload-table.ts'
import { S3_NAMESPACE } from './xml-reader.ts'

const SEEK_UPLOADS = 1000

interface UploadsPage {
  readonly uploads: readonly UploadRecord[]
  readonly prefixes: readonly string[]
  /** Where the next page begins; undefined at the end. */
  readonly next: { readonly key: string; readonly id: string } | undefined
}

interface UploadsQuery {
  readonly prefix: string
  readonly delimiter: string
  readonly keyMarker: string
  readonly idMarker: string
  readonly limit: number
}

/** Greater than every id, which is base64url: a key marker without an id passes over all uploads of that key. */
const AFTER_ALL_IDS = '~'

function page(uploads: Multipart, bucket: string, query: UploadsQuery): UploadsPage {
  const { prefix, delimiter, keyMarker, limit } = query
  const found: UploadRecord[] = []
  const prefixes: string[] = []
  const startsBehindMarker = Buffer.compare(Buffer.from(prefix), Buffer.from(keyMarker)) > 0
  let next = startsBehindMarker ? { key: prefix, id: '' } : { key: keyMarker, id: query.idMarker }
  if (limit === 0) return { uploads: found, prefixes, next: undefined }
  for (;;) {
    const batch = uploads.table.seek(bucket, next.key, next.id, SEEK_UPLOADS)
    for (const upload of batch) {
      if (!upload.key.startsWith(prefix)) return { uploads: found, prefixes, next: undefined }
      const at = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length)
      const group = at < 0 ? undefined : upload.key.slice(0, at + delimiter.length)
      const known = group !== undefined && (group === prefixes.at(-1) || keyMarker.startsWith(group))
      if (!known) {
        if (found.length + prefixes.length >= limit) return { uploads: found, prefixes, next }
        if (group === undefined) found.push(upload)
        else prefixes.push(group)
      }
      next = upload
    }
    if (batch.length < SEEK_UPLOADS) return { uploads: found, prefixes, next: undefined }
  }
}

/** Honours prefix and markers strictly: S3A aborts whatever it lists here. */
export function listMultipartUploads(store: S3ObjectStore, uploads: Multipart, call: S3Call): S3Answer {
  store.bucket(call.bucket)
  const { encode, node } = keyEncoding(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const keyMarker = call.query.get('key-marker') ?? ''
  // an id marker counts only beside a key marker
  const sentId = keyMarker === '' ? '' : (call.query.get('upload-id-marker') ?? '')
  const idMarker = keyMarker !== '' && sentId === '' ? AFTER_ALL_IDS : sentId
  const limit = call.pageSize('max-uploads')
  const found = page(uploads, call.bucket, { prefix, delimiter, keyMarker, idMarker, limit })
  const root = element(
    'ListMultipartUploadsResult',
    element('Bucket', call.bucket),
    element('KeyMarker', encode(keyMarker)),
    element('UploadIdMarker', sentId),
    found.next ? element('NextKeyMarker', encode(found.next.key)) : undefined,
    found.next ? element('NextUploadIdMarker', found.next.id) : undefined,
    element('Prefix', encode(prefix)),
    delimiter === '' ? undefined : element('Delimiter', encode(delimiter)),
    element('MaxUploads', limit),
    node,
    element('IsTruncated', found.next !== undefined),
    found.uploads.map((upload) =>
      element(
        'Upload',
        element('UploadId', upload.id),
        element('Key', encode(upload.key)),
        owner('Initiator'),
        owner(),
        element('StorageClass', 'STANDARD'),
        element('Initiated', new Date(upload.initiatedMs).toISOString()),
        upload.checksum ? element('ChecksumAlgorithm', upload.checksum.algorithm) : undefined,
        upload.checksum ? element('ChecksumType', upload.checksum.type) : undefined,
      ),
    ),
    found.prefixes.map((one) => element('CommonPrefixes', element('Prefix', encode(one)))),
  )
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}
