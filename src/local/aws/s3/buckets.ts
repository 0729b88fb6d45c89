import { element, optional, xmlDocument } from '../xml-writer.ts'
import { readText } from './body-plan.ts'
import { owner } from './list-objects.ts'
import type { Multipart } from './multipart.ts'
import type { S3ObjectStore } from './object-store.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import { childText, readXml, S3_NAMESPACE } from './xml-reader.ts'

const DEFAULT_REGION = 'us-east-1'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function checkBucketName(name: string): void {
  const valid =
    /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(name) &&
    !/\.\.|^xn--|^sthree-|-s3alias$|--ol-s3$/.test(name) &&
    !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)
  if (!valid) {
    throw s3Error(
      'InvalidBucketName',
      'The specified bucket is not valid: 3 to 63 of a-z, 0-9, dots and hyphens, beginning and ending with a letter or digit.',
      { BucketName: name },
    )
  }
}

export async function createBucket(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  checkBucketName(call.bucket)
  const body = await readText(call)
  const wanted =
    body.trim() === '' ? undefined : childText(readXml(body, 'CreateBucketConfiguration'), 'LocationConstraint')
  // AWS has no constraint of this name: the default region is asked for by leaving the element out
  if (wanted === DEFAULT_REGION || (wanted !== undefined && !/^[a-zA-Z0-9-]{2,32}$/.test(wanted))) {
    throw s3Error('InvalidLocationConstraint', undefined, { LocationConstraint: wanted })
  }
  await store.index.transact(() => {
    // as in us-east-1, making one's own bucket again changes nothing
    if (!store.hasBucket(call.bucket)) store.buckets.create(call.bucket, Date.now(), wanted ?? DEFAULT_REGION)
  })
  return { status: 200, headers: { location: `/${call.bucket}` } }
}

export async function deleteBucket(store: S3ObjectStore, uploads: Multipart, call: S3Call): Promise<S3Answer> {
  store.bucket(call.bucket)
  const blobs = await store.index.transact(() => {
    store.bucket(call.bucket)
    if (!store.objects.isEmpty(call.bucket)) throw s3Error('BucketNotEmpty', undefined, { BucketName: call.bucket })
    store.buckets.delete(call.bucket)
    return uploads.forgetBucket(call.bucket)
  })
  store.blobs.remove(blobs)
  return { status: 204 }
}

export function headBucket(store: S3ObjectStore, call: S3Call): S3Answer {
  const bucket = store.bucket(call.bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': bucket.location, 'x-amz-access-point-alias': 'false' } }
}

export function getBucketLocation(store: S3ObjectStore, call: S3Call): S3Answer {
  const { location } = store.bucket(call.bucket)
  const root = element('LocationConstraint', location === DEFAULT_REGION ? undefined : location)
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}

export function listBuckets(store: S3ObjectStore, call: S3Call): S3Answer {
  const prefix = call.query.get('prefix')
  const region = call.query.get('bucket-region')
  const limit = call.integer('max-buckets', 10_000, 1, 10_000)
  // a token is the name of the last bucket of the page before
  const after = call.query.get('continuation-token') ?? ''
  const matching = store.buckets
    .all()
    .filter(({ name, location }) => name > after && name.startsWith(prefix ?? '') && (region ?? location) === location)
  const page = matching.slice(0, limit)
  const buckets = page.map((bucket) =>
    element(
      'Bucket',
      element('Name', bucket.name),
      element('CreationDate', new Date(bucket.createdMs).toISOString()),
      element('BucketRegion', bucket.location),
    ),
  )
  const root = element(
    'ListAllMyBucketsResult',
    owner(),
    element('Buckets', buckets),
    optional('ContinuationToken', matching.length > page.length ? page.at(-1)?.name : undefined),
    optional('Prefix', prefix),
  )
  return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
}
