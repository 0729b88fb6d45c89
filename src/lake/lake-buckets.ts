import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { awsErrorName } from './aws-calls.ts'
import { lakeRuleDifferences, lakeRules, resultRuleDifferences, resultRules } from './bucket-rules.ts'
import { httpStatus, retrying } from './retries.ts'

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

async function rulesOf(s3: S3Client, bucket: string): Promise<LifecycleRule[]> {
  try {
    const answer = await retrying(() => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })))
    return answer.Rules ?? []
  } catch (error) {
    if (httpStatus(error) === 404) return []
    throw error
  }
}

/** Suspended versioning keeps the versions that are there. */
async function isVersioned(s3: S3Client, bucket: string): Promise<boolean> {
  const { Status } = await retrying(() => s3.send(new GetBucketVersioningCommand({ Bucket: bucket })))
  return Status !== undefined
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
    if ((await rulesOf(s3, bucket)).length > 0) continue
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

/** What of the buckets' own settings would take files away from the lake, or keep them for ever; one sentence each. Nothing is changed. */
export async function bucketDifferences(s3: S3Client, { bucket, resultsUri }: BucketSettings): Promise<string[]> {
  const results = bucketOf(resultsUri)
  const folder = new URL(resultsUri).pathname.slice(1)
  const [ofLake, ofResults] = await Promise.all([
    whereAllowed(bucket, async () =>
      lakeRuleDifferences(bucket, await rulesOf(s3, bucket), await isVersioned(s3, bucket)),
    ),
    whereAllowed(results, async () => resultRuleDifferences(results, await rulesOf(s3, results), folder)),
  ])
  return [...ofLake, ...ofResults]
}

/** To read these settings is no right that the lake needs otherwise. */
async function whereAllowed(bucket: string, look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await look()
  } catch (error) {
    if (httpStatus(error) !== 403) throw error
    return [`The lifecycle rules and the versioning of the bucket ${bucket} may not be read by this role`]
  }
}
