import { ArnFormat, Duration, Stack } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import type { Warehouse } from '../stages.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { GlueJob, type GlueJobPlace } from './glue-job.ts'
import { CURATED, type LakeAccess, type LakePlace } from './lake-access.ts'

const CURATED_META = 'curated-meta/v1/'
/** Lists of files for COPY. */
const REDSHIFT_LISTS = `${CURATED_META}redshift/`
/** The newest that goes with the urllib3 of Glue 5.0. */
const SNOWFLAKE_MODULES = 'snowflake-connector-python==3.18.1'

/** A variable of the policy. */
const OWN_ID = ['$', '{aws:userid}'].join('')

export interface LoadJobProps {
  readonly place: GlueJobPlace
  readonly lake: LakePlace
  readonly access: LakeAccess
  readonly name: string
  readonly region: string
  readonly warehouse: Warehouse
}

function targetArguments(scope: Construct, warehouse: Warehouse, certificates: string): Record<string, string> {
  const { target } = warehouse
  if (target === 'postgres') return { '--secret-id': warehouse.secretName, '--ssl-root-cert': certificates }
  if (target === 'snowflake') return { '--secret-id': warehouse.secretName, '--stage': warehouse.stage }
  const role = { service: 'iam', region: '', resource: 'role', resourceName: warehouse.copyRoleName }
  return {
    '--redshift-workgroup': warehouse.workgroup,
    '--redshift-database': warehouse.database,
    '--iam-role': Stack.of(scope).formatArn(role),
  }
}

/** Through the Data API: no network path to the warehouse, and this role is the user. */
function redshiftStatements(scope: Construct, lake: LakePlace, access: LakeAccess): iam.PolicyStatementProps[] {
  const workgroups = Stack.of(scope).formatArn({
    service: 'redshift-serverless',
    resource: 'workgroup',
    resourceName: '*',
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  })
  return [
    {
      sid: 'Statements',
      actions: [
        ...['redshift-data:ExecuteStatement', 'redshift-data:BatchExecuteStatement'],
        'redshift-serverless:GetCredentials',
      ],
      resources: [workgroups],
    },
    {
      sid: 'OwnStatements',
      actions: ['redshift-data:DescribeStatement', 'redshift-data:GetStatementResult', 'redshift-data:CancelStatement'],
      resources: ['*'],
      conditions: { StringEquals: { 'redshift-data:statement-owner-iam-userid': OWN_ID } },
    },
    access.objects('Lists', lake.lake, ['s3:PutObject'], [`${REDSHIFT_LISTS}*`]),
    access.key('EncryptLists', lake.lakeKey, ['kms:GenerateDataKey']),
  ]
}

/** Makes the tables of a warehouse equal to the curated ones: all or none, see docs/warehouse.md. It may be repeated. */
export class LoadJob extends GlueJob {
  constructor(scope: Construct, id: string, props: LoadJobProps) {
    const { access, lake: place, name, region, warehouse } = props
    const { certificates } = props.place.package
    super(scope, id, {
      place: props.place,
      name,
      description: 'Loads the curated tables into the warehouse',
      script: 'load_warehouse',
      arguments: {
        '--bucket': place.lake.bucketName,
        '--region': region,
        '--target': warehouse.target,
        ...targetArguments(scope, warehouse, certificates.s3ObjectKey),
      },
      ...(warehouse.target === 'snowflake' ? { modules: SNOWFLAKE_MODULES } : {}),
      ...(warehouse.target === 'postgres' ? { files: [certificates] } : {}),
      workers: 5,
      retries: 1,
      // Longer than the four hours after which the warehouse ends a statement.
      timeout: Duration.hours(5),
      statements: [
        access.objects('ReadCurated', place.lake, ['s3:GetObject'], [`${CURATED}*`, `${CURATED_META}*`]),
        access.find(place.lake),
        access.key('DecryptLake', place.lakeKey, ['kms:Decrypt']),
        ...(warehouse.target === 'redshift' ? redshiftStatements(scope, place, access) : []),
      ],
    })
    if (warehouse.target !== 'redshift') {
      Secret.fromSecretNameV2(this, 'Login', warehouse.secretName).grantRead(this.role)
    } else {
      acceptWildcards(
        this.role,
        ['workgroup/*', `/${REDSHIFT_LISTS}*`],
        'The ARN of a workgroup holds an id that its name does not tell; every run has a list of its own',
      )
    }
    acceptWildcards(
      this.role,
      [`/${CURATED}*`, `/${CURATED_META}*`],
      'It reads every curated table, whose files have new names in each run',
    )
  }
}
