import * as buckets from './buckets.ts'
import * as listing from './list-objects.ts'
import { listMultipartUploads } from './list-uploads.ts'
import type { Multipart } from './multipart.ts'
import * as parts from './multipart-operations.ts'
import type { S3ObjectStore } from './object-store.ts'
import * as read from './read-object.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import * as sub from './subresources.ts'
import * as write from './write-object.ts'

export interface S3State {
  readonly store: S3ObjectStore
  readonly uploads: Multipart
}

export interface S3Operation {
  readonly name: string
  run(state: S3State, call: S3Call): S3Answer | Promise<S3Answer>
  /** Query parameters it understands, beside the one that selects it. Any other is refused. */
  readonly parameters: readonly string[]
}

type Level = 'service' | 'bucket' | 'object'
type OnStore = (store: S3ObjectStore, call: S3Call) => S3Answer | Promise<S3Answer>
type OnUploads = (uploads: Multipart, call: S3Call) => S3Answer | Promise<S3Answer>

const onStore =
  (run: OnStore): S3Operation['run'] =>
  ({ store }, call) =>
    run(store, call)
const onUploads =
  (run: OnUploads): S3Operation['run'] =>
  ({ uploads }, call) =>
    run(uploads, call)
const onBoth =
  (run: (store: S3ObjectStore, uploads: Multipart, call: S3Call) => S3Answer | Promise<S3Answer>): S3Operation['run'] =>
  ({ store, uploads }, call) =>
    run(store, uploads, call)

const LISTING = ['prefix', 'delimiter', 'max-keys', 'encoding-type']
const READING = ['partNumber', 'versionId', ...read.RESPONSE_OVERRIDES.map(({ parameter }) => parameter)]

/**
 * The operations table: method, level and the query parameter that selects (empty: none of them), name, implementation,
 * further parameters. What is not here is not offered.
 */
const TABLE: readonly (readonly [string, Level, string, string, S3Operation['run'], (readonly string[])?])[] = [
  [
    'GET',
    'service',
    '',
    'ListBuckets',
    onStore(buckets.listBuckets),
    ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'],
  ],

  ['PUT', 'bucket', '', 'CreateBucket', onStore(buckets.createBucket)],
  ['HEAD', 'bucket', '', 'HeadBucket', onStore(buckets.headBucket)],
  ['DELETE', 'bucket', '', 'DeleteBucket', onBoth(buckets.deleteBucket)],
  ['GET', 'bucket', 'location', 'GetBucketLocation', onStore(buckets.getBucketLocation)],
  ['POST', 'bucket', 'delete', 'DeleteObjects', onStore(write.deleteObjects)],

  ['GET', 'bucket', '', 'ListObjects', onStore(listing.listObjects), [...LISTING, 'marker']],
  [
    'GET',
    'bucket',
    'list-type',
    'ListObjectsV2',
    onStore(listing.listObjectsV2),
    [...LISTING, 'continuation-token', 'start-after', 'fetch-owner'],
  ],
  [
    'GET',
    'bucket',
    'versions',
    'ListObjectVersions',
    onStore(listing.listObjectVersions),
    [...LISTING, 'key-marker', 'version-id-marker'],
  ],
  [
    'GET',
    'bucket',
    'uploads',
    'ListMultipartUploads',
    onBoth(listMultipartUploads),
    ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'],
  ],

  ['GET', 'bucket', 'acl', 'GetBucketAcl', onStore(sub.getAcl)],
  ['GET', 'bucket', 'versioning', 'GetBucketVersioning', onStore(sub.getBucketVersioning)],
  ['GET', 'bucket', 'policy', 'GetBucketPolicy', onStore(sub.absent('NoSuchBucketPolicy'))],
  ['GET', 'bucket', 'cors', 'GetBucketCors', onStore(sub.absent('NoSuchCORSConfiguration'))],
  [
    'GET',
    'bucket',
    'publicAccessBlock',
    'GetPublicAccessBlock',
    onStore(sub.absent('NoSuchPublicAccessBlockConfiguration')),
  ],
  [
    'GET',
    'bucket',
    'ownershipControls',
    'GetBucketOwnershipControls',
    onStore(sub.absent('OwnershipControlsNotFoundError')),
  ],
  ['GET', 'bucket', 'lifecycle', 'GetBucketLifecycleConfiguration', onStore(sub.getLifecycle)],
  ['PUT', 'bucket', 'lifecycle', 'PutBucketLifecycleConfiguration', onStore(sub.putLifecycle)],
  ['DELETE', 'bucket', 'lifecycle', 'DeleteBucketLifecycle', onStore(sub.deleteLifecycle)],
  ['GET', 'bucket', 'tagging', 'GetBucketTagging', onStore(sub.getBucketTagging)],
  ['PUT', 'bucket', 'tagging', 'PutBucketTagging', onStore(sub.putBucketTagging)],
  ['DELETE', 'bucket', 'tagging', 'DeleteBucketTagging', onStore(sub.deleteBucketTagging)],

  ['GET', 'object', '', 'GetObject', onStore(read.getObject), READING],
  ['HEAD', 'object', '', 'HeadObject', onStore(read.headObject), READING],
  ['PUT', 'object', '', 'PutObject', onStore(write.putObject)],
  ['DELETE', 'object', '', 'DeleteObject', onStore(write.deleteObject), ['versionId']],
  ['GET', 'object', 'attributes', 'GetObjectAttributes', onStore(read.getObjectAttributes), ['versionId']],
  ['GET', 'object', 'acl', 'GetObjectAcl', onStore(sub.getAcl), ['versionId']],
  ['GET', 'object', 'tagging', 'GetObjectTagging', onStore(sub.getObjectTagging), ['versionId']],
  ['PUT', 'object', 'tagging', 'PutObjectTagging', onStore(sub.putObjectTagging), ['versionId']],
  ['DELETE', 'object', 'tagging', 'DeleteObjectTagging', onStore(sub.deleteObjectTagging), ['versionId']],

  ['POST', 'object', 'uploads', 'CreateMultipartUpload', onUploads(parts.createMultipartUpload)],
  ['PUT', 'object', 'uploadId', 'UploadPart', onUploads(parts.uploadPart), ['partNumber']],
  ['POST', 'object', 'uploadId', 'CompleteMultipartUpload', onUploads(parts.completeMultipartUpload)],
  ['DELETE', 'object', 'uploadId', 'AbortMultipartUpload', onUploads(parts.abortMultipartUpload)],
  [
    'GET',
    'object',
    'uploadId',
    'ListParts',
    onUploads(parts.listParts),
    ['max-parts', 'part-number-marker', 'encoding-type'],
  ],
]

/** A copy is told from a put by a header alone. */
const COPIES: Readonly<Record<string, S3Operation>> = {
  PutObject: { name: 'CopyObject', run: onStore(write.copyObject), parameters: [] },
  UploadPart: { name: 'UploadPartCopy', run: onBoth(parts.uploadPartCopy), parameters: ['partNumber'] },
}

const OPERATIONS: ReadonlyMap<string, S3Operation> = new Map(
  TABLE.map(([method, level, selector, name, run, parameters = []]) => [
    `${method} ${level} ${selector}`,
    { name, run, parameters },
  ]),
)

/** Parameters that belong to every request: the signature, the SDKs' operation name, what users log by (`x-…`). */
const isForAll = (name: string) => /^x-/i.test(name)

/**
 * The operation a request means. The query parameters decide: one that is not understood is refused, so that
 * `PUT key?legal-hold` can never be taken for `PUT key`.
 *
 * @throws AwsError 501 naming what is not offered; 400 for a version other than `null`.
 */
export function chooseOperation(call: S3Call): S3Operation {
  const level: Level = call.bucket === '' ? 'service' : call.key === '' ? 'bucket' : 'object'
  const names = [...call.query.keys()].filter((name) => !isForAll(name))
  const find = (selector: string) => OPERATIONS.get(`${call.method} ${level} ${selector}`)
  const selector = names.find((name) => name !== '' && find(name) !== undefined) ?? ''
  const plain = find(selector)
  if (plain === undefined) throw notOffered(call, level, names)
  const copy = call.header('x-amz-copy-source') === undefined ? undefined : COPIES[plain.name]
  const operation = copy ?? plain
  const unknown = names.filter((name) => name !== selector && !operation.parameters.includes(name))
  if (unknown.length > 0) throw notOffered(call, level, unknown)
  if ((call.query.get('versionId') ?? 'null') !== 'null') {
    throw s3Error('InvalidArgument', 'Invalid version id specified', { ArgumentName: 'versionId' })
  }
  return operation
}

function notOffered(call: S3Call, level: Level, names: readonly string[]) {
  const what = `${call.method} ${level}${names.length > 0 ? `?${names.join('&')}` : ''}`
  return s3Error('NotImplemented', `This endpoint does not offer ${what}.`, { Resource: what })
}
