import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import * as glue from 'aws-cdk-lib/aws-glue'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import type * as s3 from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { logGroupsArn } from '../constructs/catalogue-arns.ts'
import { CurateWorkflow } from '../constructs/curate-workflow.ts'
import type { GlueJobPlace } from '../constructs/glue-job.ts'
import { CurateJob, UnloadJob } from '../constructs/glue-jobs.ts'
import { GluePackage } from '../constructs/glue-package.ts'
import { LakeAccess, type LakePlace } from '../constructs/lake-access.ts'
import { LakeBuckets } from '../constructs/lake-buckets.ts'
import { LakeCatalogue } from '../constructs/lake-catalogue.ts'
import { LakeReaders } from '../constructs/lake-readers.ts'
import { LoadJob } from '../constructs/load-job.ts'
import { QueryGroups } from '../constructs/query-groups.ts'
import type { StageSettings } from '../stages.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { NetworkStack } from './network-stack.ts'

export interface LakeStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
}

const NAME = 'rocketgames'

/**
 * Everything of the lake but the tasks that write it: buckets, catalogue, crawler, work groups, jobs, and who may do what.
 *
 * What the program makes in a local lake is made here by the same definitions, so that it finds nothing different when it starts.
 */
export class LakeStack extends Stack {
  readonly lake: s3.Bucket
  readonly results: s3.Bucket
  readonly lakeKey: kms.Key
  readonly resultsKey: kms.Key
  readonly crawlerName: string
  readonly crawlerRole: string
  readonly curateJobName: string
  readonly unloadJobName: string
  readonly loadJobName: string | undefined
  readonly workflow: CurateWorkflow
  readonly readers: LakeReaders
  readonly queryGroups: QueryGroups
  /** `LAKE_*`, `ATHENA_WORKGROUP` and what else the tasks need to find the lake; no secret. */
  readonly settings: Readonly<Record<string, string>>
  readonly #access: LakeAccess

  constructor(scope: Construct, id: string, { settings, network, database, ...props }: LakeStackProps) {
    super(scope, id, props)
    const { databases, workgroup, warehouse } = settings
    const buckets = new LakeBuckets(this, 'Buckets')
    this.lake = buckets.lake
    this.results = buckets.results
    this.lakeKey = buckets.lakeKey
    this.resultsKey = buckets.resultsKey
    this.crawlerName = `${NAME}-lake-v1`
    this.curateJobName = `${NAME}-curate`
    this.unloadJobName = `${NAME}-unload`
    this.loadJobName = warehouse === undefined ? undefined : `${NAME}-load`
    const place: LakePlace = { ...buckets, databases, crawlerName: this.crawlerName, unloadJobName: this.unloadJobName }
    this.#access = new LakeAccess(this, place)
    const { lake, results, lakeKey, resultsKey, crawlerName } = this
    const logsKey = this.#logsKey()
    const securityConfiguration = this.#securityConfiguration(logsKey)
    const catalogue = new LakeCatalogue(this, 'Catalogue', {
      ...{ databases, lake, lakeKey, crawlerName, securityConfiguration, logsKey },
      removable: !settings.database.protected,
    })
    this.crawlerRole = catalogue.crawlerRole.roleName
    this.queryGroups = new QueryGroups(this, 'Queries', { databases, workgroup, results, resultsKey })
    const jobPlace = { ...this.#jobPlace(network), securityConfiguration, logsKey }
    const { service } = this.queryGroups.places
    const shared = { place: jobPlace, lake: place, access: this.#access, region: this.region }
    const { holds } = settings
    const curate = new CurateJob(this, 'Curate', { ...shared, name: this.curateJobName, service, holds })
    new UnloadJob(this, 'Unload', {
      ...{ ...shared, name: this.unloadJobName },
      database: database.secrets.exporter,
      pseudonymKey: database.secrets.pseudonymKey,
    })
    const load =
      this.loadJobName === undefined || warehouse === undefined
        ? undefined
        : new LoadJob(this, 'Load', { ...shared, name: this.loadJobName, warehouse })
    const workflowName = `${NAME}-curate`
    this.workflow = new CurateWorkflow(this, 'Workflow', { name: workflowName, lake, curate, load })
    this.readers = new LakeReaders(this, 'Readers', {
      ...{ lake: place, access: this.#access, places: this.queryGroups.places },
      curateWorkflowName: workflowName,
      jobNames: [curate, load].flatMap((job) => job?.name ?? []),
    })
    this.settings = {
      LAKE_BUCKET: lake.bucketName,
      LAKE_RESULTS: results.s3UrlForObject(service.folder),
      LAKE_KMS_KEY: lakeKey.keyArn,
      LAKE_RAW_DATABASE: databases.raw,
      LAKE_DATABASE: databases.live,
      LAKE_CURATED_DATABASE: databases.curated,
      LAKE_CRAWLER: crawlerName,
      LAKE_CRAWLER_ROLE: this.crawlerRole,
      LAKE_SPARK_JOB: this.unloadJobName,
      ATHENA_WORKGROUP: service.workgroup,
    }
    this.#outputs()
  }

  /** What people and scripts of a deployment ask for. */
  #outputs(): void {
    const { analysts, engineers, reports } = this.readers
    const outputs = {
      LakeBucket: this.lake.bucketName,
      ResultsBucket: this.results.bucketName,
      AnalystsRole: analysts.roleArn,
      ReportsRole: reports.roleArn,
      EngineersRole: engineers.roleArn,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
  }

  /** What a snapshot needs: to write the lake, the catalogue, the crawler, the views. */
  grantExport(role: iam.IRole): void {
    this.#access.grantExport(role, this.queryGroups.places.service)
  }

  /** What recovery and retention need: the same, and to keep the manifests of what they remove. */
  grantCare(role: iam.IRole): void {
    this.#access.grantCare(role, this.queryGroups.places.service)
  }

  /** What the API needs: queries in its work group, reading the lake, writing results; it never writes the lake. */
  grantQuery(role: iam.IRole): void {
    this.#access.grantQuery(role, this.queryGroups.places.service)
  }

  #logsKey(): kms.Key {
    const key = new kms.Key(this, 'JobLogsKey', {
      description: 'Logs of the jobs of the lake',
      enableKeyRotation: true,
    })
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal(`logs.${this.region}.amazonaws.com`)],
        actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroupsArn(this, '/aws-glue/') } },
      }),
    )
    return key
  }

  /** Logs and bookmarks under a key of their own, files under that of the lake. */
  #securityConfiguration(logs: kms.IKey): glue.SecurityConfiguration {
    return new glue.SecurityConfiguration(this, 'Encryption', {
      securityConfigurationName: `${NAME}-jobs`,
      removalPolicy: RemovalPolicy.DESTROY,
      s3Encryption: glue.S3Encryption.kms(this.lakeKey),
      cloudWatchEncryption: glue.CloudWatchEncryption.kms(logs),
      jobBookmarksEncryption: glue.JobBookmarksEncryption.clientSideKms(logs),
    })
  }

  #jobPlace(network: NetworkStack): Omit<GlueJobPlace, 'securityConfiguration' | 'logsKey'> {
    const subnets = network.vpc.privateSubnets
    const connections = subnets.map(
      (subnet, index) =>
        new glue.Connection(this, `Connection-${index + 1}`, {
          connectionName: `${NAME}-vpc-${index + 1}`,
          description: 'The private network of the jobs',
          type: glue.ConnectionType.NETWORK,
          securityGroups: [network.groups.glue],
          network: glue.ConnectionNetwork.subnet(subnet),
        }),
    )
    const codePackage = new GluePackage(this, 'Package')
    return { package: codePackage, connections, subnets, securityGroup: network.groups.glue }
  }
}
