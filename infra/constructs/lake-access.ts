import { Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { Construct, IConstruct } from 'constructs'
import {
  CURRENT_KEY,
  LAKE_PREFIX,
  MANIFESTS_PREFIX,
  META_PREFIX,
  RETIRED_PREFIX,
  UNLOAD_PREFIX,
} from '../../src/lake/object-keys.ts'
import type { StageSettings } from '../stages.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { databaseArns, glueArn, tableArns } from './catalogue-arns.ts'

/** Of the contracts beside the manifests; `contractKey` makes the keys. */
const CONTRACTS = `${META_PREFIX}contracts/`
/** What jobs derive from the lake; its layout is in `glue-jobs`. */
export const CURATED = 'curated/v1/'
/** Athena looks at it whatever a statement names. */
const DEFAULT_DATABASE = 'default'

export interface LakePlace {
  readonly lake: IBucket
  readonly results: IBucket
  readonly lakeKey: IKey
  readonly resultsKey: IKey
  readonly databases: StageSettings['databases']
  readonly crawlerName: string
  readonly unloadJobName: string
}

/** A work group and the folder of the results' bucket that it writes to. */
export interface QueryPlace {
  readonly workgroup: string
  /** `service/` */
  readonly folder: string
}

/** Who may do what in the lake, as statements of policies: down to prefixes and to the calls that the code makes. */
export class LakeAccess {
  readonly #scope: Construct
  readonly #place: LakePlace

  constructor(scope: Construct, place: LakePlace) {
    this.#scope = scope
    this.#place = place
  }

  /**
   * A run of a snapshot: writes files, manifests and the pointer, partitions and views. It deletes, too: what a run that failed has
   * written goes before anybody sees it, and the run after a crash does so for the one before it.
   */
  grantExport(role: iam.IRole, service: QueryPlace): void {
    const { lake } = this.#place
    this.#grant(role, [
      ...this.query(service),
      ...this.#readCatalogue(),
      ...this.#readLake([LAKE_PREFIX, META_PREFIX, UNLOAD_PREFIX]),
      this.objects(
        'WriteLake',
        lake,
        ['s3:PutObject'],
        [`${LAKE_PREFIX}*`, `${MANIFESTS_PREFIX}*`, `${CONTRACTS}*`, CURRENT_KEY, `${UNLOAD_PREFIX}*`],
      ),
      this.objects('EndUploads', lake, ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], [`${LAKE_PREFIX}*`]),
      this.objects(
        'TakeBack',
        lake,
        ['s3:DeleteObject'],
        [`${LAKE_PREFIX}*`, `${MANIFESTS_PREFIX}*`, `${UNLOAD_PREFIX}*`],
      ),
      this.key('EncryptLake', this.#place.lakeKey, ['kms:GenerateDataKey']),
      ...this.#publish(),
      ...this.#unload(),
    ])
    const { live, raw } = this.#place.databases
    this.#acceptPrefixes(
      role,
      [LAKE_PREFIX, META_PREFIX, MANIFESTS_PREFIX, CONTRACTS, UNLOAD_PREFIX, service.folder],
      [raw, live],
      'It writes snapshots, whose files, manifests, partitions and views have new names each time',
    )
  }

  /** Recovery and retention: as a run, and to keep the manifests of what it removes. */
  grantCare(role: iam.IRole, service: QueryPlace): void {
    this.grantExport(role, service)
    this.#grant(role, [this.objects('KeepManifests', this.#place.lake, ['s3:PutObject'], [`${RETIRED_PREFIX}*`])])
    acceptWildcards(
      role,
      [`/${RETIRED_PREFIX}*`],
      'Every snapshot that it removes leaves its manifest there, under its own name',
    )
  }

  /** The API: saved queries over snapshots and curated tables, and verification. It changes nothing of the lake. */
  grantQuery(role: iam.IRole, service: QueryPlace): void {
    const { databases, lake, results } = this.#place
    this.#grant(role, [
      ...this.query(service),
      ...this.#readCatalogue([databases.curated, `${databases.curated}_raw`]),
      ...this.#readLake([LAKE_PREFIX, META_PREFIX, CURATED]),
      {
        sid: 'CheckBuckets',
        actions: ['s3:GetLifecycleConfiguration', 's3:GetBucketVersioning'],
        resources: [lake.bucketArn, results.bucketArn],
      },
    ])
    const prefixes = [LAKE_PREFIX, META_PREFIX, CURATED, service.folder]
    const names = [databases.raw, databases.live, databases.curated, `${databases.curated}_raw`]
    const reason = 'It reads all snapshots and all curated tables, whose files have new names each time'
    this.#acceptPrefixes(role, prefixes, names, reason)
  }

  /** To run statements in one work group and to read their results. */
  query({ folder, workgroup }: QueryPlace): iam.PolicyStatementProps[] {
    const { results, resultsKey } = this.#place
    const group = Stack.of(this.#scope).formatArn({ service: 'athena', resource: 'workgroup', resourceName: workgroup })
    return [
      {
        sid: 'Query',
        actions: [
          ...['athena:StartQueryExecution', 'athena:StopQueryExecution', 'athena:GetQueryExecution'],
          ...['athena:BatchGetQueryExecution', 'athena:ListQueryExecutions', 'athena:GetQueryResults'],
          'athena:GetWorkGroup',
        ],
        resources: [group],
      },
      {
        sid: 'FindResults',
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [results.bucketArn],
      },
      this.objects(
        'Results',
        results,
        ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        [`${folder}*`],
      ),
      this.key('EncryptResults', resultsKey, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ]
  }

  objects(sid: string, bucket: IBucket, actions: string[], keys: readonly string[]): iam.PolicyStatementProps {
    return { sid, actions, resources: keys.map((key) => bucket.arnForObjects(key)) }
  }

  /** A key by way of S3 alone: whoever may read objects may not decrypt anything else with it. */
  key(sid: string, key: IKey, actions: string[]): iam.PolicyStatementProps {
    const { region, urlSuffix } = Stack.of(this.#scope)
    return {
      sid,
      actions,
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.${urlSuffix}` } },
    }
  }

  /**
   * No condition on the prefix that is listed: S3 says 404 for an object that is not there only to who may list without one, and
   * whether a manifest is there decides about a snapshot. Keys name tables and instants, and nobody.
   */
  find(bucket: IBucket): iam.PolicyStatementProps {
    return {
      sid: 'FindLake',
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [bucket.bucketArn],
    }
  }

  #readLake(prefixes: readonly string[]): iam.PolicyStatementProps[] {
    const { lake, lakeKey } = this.#place
    return [
      this.find(lake),
      this.objects(
        'ReadLake',
        lake,
        ['s3:GetObject'],
        prefixes.map((prefix) => `${prefix}*`),
      ),
      this.key('DecryptLake', lakeKey, ['kms:Decrypt']),
    ]
  }

  #readCatalogue(more: readonly string[] = []): iam.PolicyStatementProps[] {
    const { crawlerName, databases } = this.#place
    const read = [databases.raw, databases.live, ...more]
    return [
      {
        sid: 'ReadDatabases',
        actions: ['glue:GetDatabase'],
        resources: databaseArns(this.#scope, [...read, DEFAULT_DATABASE]),
      },
      {
        sid: 'ReadTables',
        actions: [
          ...['glue:GetTable', 'glue:GetTables', 'glue:GetPartition', 'glue:GetPartitions'],
          'glue:BatchGetPartition',
        ],
        resources: tableArns(this.#scope, read),
      },
      { sid: 'SeeCrawler', actions: ['glue:GetCrawler'], resources: [glueArn(this.#scope, `crawler/${crawlerName}`)] },
    ]
  }

  /** Tables, their partitions, the crawl, and the views, which Athena makes as whoever asks for them. */
  #publish(): iam.PolicyStatementProps[] {
    const { crawlerName, databases } = this.#place
    return [
      {
        sid: 'MakeTablesAndViews',
        actions: ['glue:CreateTable', 'glue:UpdateTable'],
        resources: tableArns(this.#scope, [databases.raw, databases.live]),
      },
      {
        sid: 'MakePartitions',
        actions: [
          ...['glue:BatchCreatePartition', 'glue:UpdatePartition', 'glue:BatchDeletePartition'],
          // Of a table that is made with its index.
          'glue:CreatePartitionIndex',
        ],
        resources: tableArns(this.#scope, [databases.raw]),
      },
      { sid: 'Crawl', actions: ['glue:StartCrawler'], resources: [glueArn(this.#scope, `crawler/${crawlerName}`)] },
    ]
  }

  /** With LAKE_ENGINE=spark, and what recovery looks for after it. */
  #unload(): iam.PolicyStatementProps[] {
    return [
      {
        sid: 'RunUnloadJob',
        actions: ['glue:StartJobRun', 'glue:GetJobRun', 'glue:GetJobRuns', 'glue:BatchStopJobRun'],
        resources: [glueArn(this.#scope, `job/${this.#place.unloadJobName}`)],
      },
    ]
  }

  #grant(role: iam.IRole, statements: readonly iam.PolicyStatementProps[]): void {
    for (const each of statements) role.addToPrincipalPolicy(new iam.PolicyStatement(each))
  }

  #acceptPrefixes(role: IConstruct, prefixes: readonly string[], databases: readonly string[], reason: string): void {
    const keys = prefixes.map((prefix) => `/${prefix}*`)
    acceptWildcards(role, [...keys, ...databases.map((name) => `:table/${name}/*`)], reason)
  }
}
