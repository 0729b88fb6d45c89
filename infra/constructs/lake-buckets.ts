import type { LifecycleRule } from '@aws-sdk/client-s3'
import { RemovalPolicy } from 'aws-cdk-lib'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as s3 from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { lakeRules, resultRules } from '../../src/lake/bucket-rules.ts'
import { lifecycleRules } from './lifecycle-rules.ts'

/** How long a pointer or a manifest that was replaced or removed can be brought back, without the files that it names. */
const FORMER_META_DAYS = 90
/** Who read what of the lake, for as long as somebody may ask. */
const ACCESS_LOG_DAYS = 400

/** Beside the program's own rules: what is replaced every hour would stay for ever otherwise. */
export const formerMetaRules: LifecycleRule[] = ['lake-meta/', 'curated-meta/'].map((Prefix) => ({
  ID: `forget-former-${Prefix.slice(0, -1)}`,
  Status: 'Enabled',
  Filter: { Prefix },
  NoncurrentVersionExpiration: { NoncurrentDays: FORMER_META_DAYS },
  // Manifests that retention removes would each leave one for ever.
  Expiration: { ExpiredObjectDeleteMarker: true },
}))

/**
 * The buckets of the lake, each under a key of its own: whoever may read results of queries may not for that read the lake.
 *
 * Nothing here goes with its stack: the data outlives a mistake in a template.
 */
export class LakeBuckets extends Construct {
  readonly lake: s3.Bucket
  readonly results: s3.Bucket
  readonly accessLogs: s3.Bucket
  readonly lakeKey: kms.Key
  readonly resultsKey: kms.Key

  constructor(scope: Construct, id: string) {
    super(scope, id)
    const key = (name: string, description: string) =>
      new kms.Key(this, name, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN })
    this.lakeKey = key('LakeKey', 'Files of the lake')
    this.resultsKey = key('ResultsKey', 'Results of queries')
    this.accessLogs = this.#accessLogs()
    this.lake = new s3.Bucket(this, 'Lake', {
      ...this.#closed('lake/'),
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.lakeKey,
      bucketKeyEnabled: true,
      // What is deleted or replaced by mistake can be brought back for a day; the rules then forget it.
      versioned: true,
      lifecycleRules: lifecycleRules([...lakeRules, ...formerMetaRules]),
    })
    // By the resource's own property: that of the construct brings a function which sets it.
    const events = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
    Object.assign(this.lake.node.defaultChild as s3.CfnBucket, { notificationConfiguration: events })
    this.results = new s3.Bucket(this, 'Results', {
      ...this.#closed('results/'),
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.resultsKey,
      bucketKeyEnabled: true,
      lifecycleRules: lifecycleRules(resultRules),
    })
  }

  #closed(serverAccessLogsPrefix: string): s3.BucketProps {
    return {
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    }
  }

  #accessLogs(): s3.Bucket {
    return new s3.Bucket(this, 'AccessLogs', {
      // S3 writes access logs to buckets with keys of its own alone.
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: lifecycleRules([
        { ID: 'expire-access-logs', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: ACCESS_LOG_DAYS } },
      ]),
    })
  }
}
