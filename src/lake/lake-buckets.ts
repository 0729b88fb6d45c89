import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadBucketCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { awsErrorName } from './aws-calls.ts'
import { LAKE_PREFIX } from './object-keys.ts'
import { httpStatus, retrying } from './retries.ts'

/** Longer than a prepared snapshot may wait for its commit: the rule is the last net, not the first. */
const ABORT_UPLOADS_DAYS = 2
/** Where a bucket keeps versions, what retention deletes is gone for good so much later. */
const FORGET_DELETED_DAYS = 1
const RESULT_DAYS = 7
/** Of every version of the layout. */
const LAKE_FOLDER = LAKE_PREFIX.slice(0, LAKE_PREFIX.indexOf('/') + 1)

const lakeRules: LifecycleRule[] = [
  {
    ID: 'abort-forgotten-uploads',
    Status: 'Enabled',
    Filter: { Prefix: LAKE_FOLDER },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_DAYS },
  },
  {
    ID: 'forget-deleted-files',
    Status: 'Enabled',
    Filter: { Prefix: LAKE_FOLDER },
    NoncurrentVersionExpiration: { NoncurrentDays: FORGET_DELETED_DAYS },
    Expiration: { ExpiredObjectDeleteMarker: true },
  },
]

const resultRules: LifecycleRule[] = [
  { ID: 'expire-query-results', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: RESULT_DAYS } },
]

/** `results` of `s3://results/athena/`. */
export function bucketOf(uri: string): string {
  return new URL(uri).hostname
}

async function exists(s3: S3Client, bucket: string): Promise<boolean> {
  try {
    await retrying(() => s3.send(new HeadBucketCommand({ Bucket: bucket })))
    return true
  } catch (error) {
    if (httpStatus(error) === 404) return false
    throw error
  }
}

async function createBucket(s3: S3Client, bucket: string, region: string): Promise<void> {
  const constraint = region as BucketLocationConstraint
  try {
    await retrying(() =>
      s3.send(
        new CreateBucketCommand({
          Bucket: bucket,
          // The first region has no name of its own here.
          ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: constraint } }),
        }),
      ),
    )
  } catch (error) {
    if (awsErrorName(error) !== 'BucketAlreadyOwnedByYou') throw error
  }
}

async function hasLifecycle(s3: S3Client, bucket: string): Promise<boolean> {
  try {
    const answer = await retrying(() => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })))
    return (answer.Rules ?? []).length > 0
  } catch (error) {
    if (httpStatus(error) === 404) return false
    throw error
  }
}

export interface BucketSettings {
  readonly region: string
  readonly bucket: string
  readonly resultsUri: string
}

/**
 * Creates the two buckets that are missing, and their lifecycle rules where a bucket has none at all.
 *
 * @returns what it made, one phrase each
 */
export async function ensureBuckets(s3: S3Client, settings: BucketSettings): Promise<string[]> {
  const made: string[] = []
  const wanted: [string, LifecycleRule[]][] = [
    [settings.bucket, lakeRules],
    [bucketOf(settings.resultsUri), resultRules],
  ]
  for (const [bucket, rules] of wanted) {
    if (!(await exists(s3, bucket))) {
      await createBucket(s3, bucket, settings.region)
      made.push(`bucket ${bucket}`)
    }
    if (await hasLifecycle(s3, bucket)) continue
    await retrying(() =>
      s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules: rules } })),
    )
    made.push(`lifecycle rules of ${bucket}`)
  }
  return made
}

/** Names of the buckets that do not exist. */
export async function missingBuckets(s3: S3Client, settings: BucketSettings): Promise<string[]> {
  const names = [settings.bucket, bucketOf(settings.resultsUri)]
  const there = await Promise.all(names.map((name) => exists(s3, name)))
  return names.filter((_, i) => !there[i])
}
