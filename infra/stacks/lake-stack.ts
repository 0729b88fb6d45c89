import { Stack, type StackProps } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as s3 from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { StageSettings } from '../stages.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { NetworkStack } from './network-stack.ts'

export interface LakeStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
}

export class LakeStack extends Stack {
  readonly lake: s3.IBucket
  readonly results: s3.IBucket
  readonly lakeKey: kms.IKey
  readonly resultsKey: kms.IKey
  readonly crawlerName: string
  readonly crawlerRole: string
  readonly curateJobName: string
  readonly unloadJobName: string
  /** `LAKE_*`, `ATHENA_WORKGROUP` and what else the tasks need to find the lake; no secret. */
  readonly settings: Readonly<Record<string, string>>

  constructor(
    scope: Construct,
    id: string,
    { settings, network: _network, database: _database, ...props }: LakeStackProps,
  ) {
    super(scope, id, props)
    this.lakeKey = new kms.Key(this, 'LakeKey', { enableKeyRotation: true })
    this.resultsKey = new kms.Key(this, 'ResultsKey', { enableKeyRotation: true })
    this.lake = new s3.Bucket(this, 'Lake', { encryptionKey: this.lakeKey, enforceSSL: true })
    this.results = new s3.Bucket(this, 'Results', { encryptionKey: this.resultsKey, enforceSSL: true })
    this.crawlerName = 'rocketgames-lake-v1'
    this.crawlerRole = 'rocketgames-crawler'
    this.curateJobName = 'rocketgames-curate'
    this.unloadJobName = 'rocketgames-unload'
    this.settings = {
      LAKE_BUCKET: this.lake.bucketName,
      LAKE_RESULTS: this.results.s3UrlForObject('athena/'),
      LAKE_RAW_DATABASE: settings.databases.raw,
      LAKE_DATABASE: settings.databases.live,
      LAKE_CURATED_DATABASE: settings.databases.curated,
      LAKE_CRAWLER: this.crawlerName,
      ATHENA_WORKGROUP: settings.workgroup,
    }
  }

  /** What a snapshot needs: to write the lake, the catalogue, the crawler, the views. */
  grantExport(_role: iam.IRole): void {}

  /** What recovery and retention need: the same, and to delete. */
  grantCare(_role: iam.IRole): void {}

  /** What the API needs: queries in its work group, reading the lake, writing results; it never writes the lake. */
  grantQuery(_role: iam.IRole): void {}
}
