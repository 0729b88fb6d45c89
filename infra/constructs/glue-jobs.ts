import { Duration, Stack } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { LAKE_PREFIX, META_PREFIX, UNLOAD_PREFIX } from '../../src/lake/object-keys.ts'
import type { StageSettings } from '../stages.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { databaseArns, tableArns } from './catalogue-arns.ts'
import { GlueJob, type GlueJobPlace } from './glue-job.ts'
import { CURATED, type LakeAccess, type LakePlace, type QueryPlace } from './lake-access.ts'

/** Of runs of the curate job; its layout is in `glue-jobs`. */
const CURATED_META = 'curated-meta/v1/'
/** Empty objects that the file system of Glue puts beside folders that it writes to. */
const FOLDER_MARKS = ['curated_$folder$', 'curated/v1_$folder$']

/** By a statement of the role alone: a grant of the secret would write into the policies of another stack. */
function secretKeys(scope: Construct, secrets: readonly ISecret[]): iam.PolicyStatementProps[] {
  const { region, urlSuffix } = Stack.of(scope)
  const keys = new Set(secrets.flatMap(({ encryptionKey }) => encryptionKey ?? []))
  return [...keys].map((key, index) => ({
    sid: `DecryptSecrets${index === 0 ? '' : index + 1}`,
    actions: ['kms:Decrypt'],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` } },
  }))
}

export interface CurateJobProps {
  readonly place: GlueJobPlace
  readonly lake: LakePlace
  readonly access: LakeAccess
  readonly name: string
  readonly region: string
  readonly service: QueryPlace
  readonly holds: StageSettings['holds']
}

/** Makes the curated tables out of the snapshots that are not in them yet. One run at a time; it may be repeated. */
export class CurateJob extends GlueJob {
  constructor(scope: Construct, id: string, props: CurateJobProps) {
    const { access, holds, lake: place, name, region, service } = props
    const { databases, lake, lakeKey, results } = place
    const curated = [databases.curated, `${databases.curated}_raw`]
    const written = [`${CURATED}*`, `${CURATED_META}*`]
    super(scope, id, {
      place: props.place,
      name,
      description: 'Makes the curated tables out of new snapshots',
      script: 'curate_accounts',
      arguments: {
        '--bucket': lake.bucketName,
        '--region': region,
        '--database': databases.curated,
        '--workgroup': service.workgroup,
        '--results': results.s3UrlForObject(service.folder),
        ...(holds === undefined ? {} : { '--api-url': holds.apiUrl, '--api-key-secret': holds.secretName }),
      },
      workers: 10,
      retries: 1,
      timeout: Duration.hours(4),
      statements: [
        ...access.query(service),
        access.find(lake),
        access.objects('ReadLake', lake, ['s3:GetObject'], [`${LAKE_PREFIX}*`, `${META_PREFIX}*`, ...written]),
        access.objects(
          'WriteCurated',
          lake,
          ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
          [...written, ...FOLDER_MARKS],
        ),
        access.key('EncryptLake', lakeKey, ['kms:Decrypt', 'kms:GenerateDataKey']),
        {
          sid: 'ReadDatabases',
          actions: ['glue:GetDatabase'],
          resources: databaseArns(scope, [...curated, 'default']),
        },
        {
          sid: 'MakeTablesAndViews',
          actions: [
            ...['glue:GetTable', 'glue:GetTables', 'glue:CreateTable', 'glue:UpdateTable', 'glue:GetPartition'],
            ...['glue:GetPartitions', 'glue:BatchGetPartition', 'glue:BatchCreatePartition', 'glue:UpdatePartition'],
            // The last one: of a table that is made with its index.
            ...['glue:BatchDeletePartition', 'glue:CreatePartitionIndex'],
          ],
          resources: tableArns(scope, curated),
        },
      ],
    })
    if (holds !== undefined) Secret.fromSecretNameV2(this, 'ApiKey', holds.secretName).grantRead(this.role)
    const keys = [LAKE_PREFIX, META_PREFIX, CURATED, CURATED_META, service.folder].map((key) => `/${key}*`)
    const tables = curated.map((database) => `:table/${database}/*`)
    acceptWildcards(
      this.role,
      [...keys, ...tables],
      'It reads every snapshot and writes every curated table, whose files have new names each time',
    )
  }
}

export interface UnloadJobProps {
  readonly place: GlueJobPlace
  readonly lake: LakePlace
  readonly access: LakeAccess
  readonly name: string
  /** Of the user who takes snapshots: a waiting migration ends the connections of that user. */
  readonly database: ISecret
  readonly pseudonymKey: ISecret
}

/**
 * Reads the rows of one snapshot for the task that plans, commits and publishes it. It sends parts of uploads that others began, and can
 * make no object but its report. Never repeated: a second attempt would find its snapshot gone.
 */
export class UnloadJob extends GlueJob {
  constructor(scope: Construct, id: string, props: UnloadJobProps) {
    const { access, database, lake: place, name, pseudonymKey } = props
    const { lake, lakeKey } = place
    const { certificates, unloadModules } = props.place.package
    super(scope, id, {
      place: props.place,
      name,
      description: 'Reads the rows of a snapshot that a task takes',
      script: 'unload_snapshot',
      arguments: {
        '--secret-id': database.secretArn,
        '--pseudonym-key-secret': pseudonymKey.secretArn,
        // Glue names a file after its key.
        '--ssl-root-cert': certificates.s3ObjectKey,
      },
      modules: unloadModules,
      files: [certificates],
      workers: 10,
      retries: 0,
      // The one who starts a run says how long its snapshot lasts, which is shorter.
      timeout: Duration.hours(2),
      statements: [
        access.objects('Plan', lake, ['s3:GetObject'], [`${UNLOAD_PREFIX}*/plan.json`]),
        access.objects('Report', lake, ['s3:PutObject'], [`${UNLOAD_PREFIX}*/report.json`]),
        {
          ...access.objects('PartsAndNoObject', lake, ['s3:PutObject'], [`${LAKE_PREFIX}*`]),
          conditions: { Bool: { 's3:ObjectCreationOperation': 'false' } },
        },
        access.key('EncryptLake', lakeKey, ['kms:Decrypt', 'kms:GenerateDataKey']),
        {
          sid: 'Secrets',
          actions: ['secretsmanager:GetSecretValue'],
          resources: [database.secretArn, pseudonymKey.secretArn],
        },
        ...secretKeys(scope, [database, pseudonymKey]),
      ],
    })
    const keys = [`/${UNLOAD_PREFIX}*/plan.json`, `/${UNLOAD_PREFIX}*/report.json`, `/${LAKE_PREFIX}*`]
    acceptWildcards(this.role, keys, 'Plan, report and files of every snapshot have its id in their keys')
  }
}
