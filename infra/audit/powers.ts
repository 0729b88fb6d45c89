import { contracts } from '../../src/lake/contract.ts'
import { tablePrefix } from '../../src/lake/object-keys.ts'
import { REPORT_TABLES } from '../constructs/lake-readers.ts'
import type { StageAccess } from './roles.ts'
import type { Resource } from './stack-resources.ts'

/** Something that only some roles may do: each of its actions on any of its resources. */
export interface Power {
  /** Verb first: `delete files of snapshots`. */
  readonly name: string
  readonly actions: readonly string[]
  /** ARNs with `*` for any text. */
  readonly resources: readonly string[]
}

const named = (resources: readonly Resource[], type: string, id: RegExp): Resource[] =>
  resources.filter((each) => each.type === type && id.test(each.logicalId))

/** The only resource of a kind in the stage. @throws where a rename would leave a promise without its object. */
function one(resources: readonly Resource[], type: string, id: RegExp): string {
  const found = named(resources, type, id)
  const [only] = found
  if (!only || found.length > 1)
    throw new Error(`${found.length} resources of type ${type} are called ${id}; one is needed`)
  return only.arn
}

const logGroups = (resources: readonly Resource[], name: RegExp): string[] =>
  named(resources, 'AWS::Logs::LogGroup', /./).flatMap((each) => (name.test(each.name) ? [each.arn] : []))

const READ_LOGS = ['logs:GetLogEvents', 'logs:FilterLogEvents', 'logs:StartQuery', 'logs:Unmask']
const WRITE = ['s3:PutObject', 's3:PutObjectAcl', 's3:ReplicateObject']
const CHANGE_CATALOGUE = [
  ...[
    'glue:CreateTable',
    'glue:CreateDatabase',
    'glue:BatchCreatePartition',
    'glue:CreatePartition*',
    'glue:Update*',
    'glue:Delete*',
    'glue:BatchDelete*',
  ],
]
/** Tables whose rows are of persons, each by a pseudonym; names, addresses and birth dates never come into the lake. */
const OF_PERSONS = contracts.filter((each) => !REPORT_TABLES.includes(each)).map(({ name }) => tablePrefix(name))

/** Every power that a promise is about, over the resources of one stage. */
export function powersOf({ resources }: StageAccess): Power[] {
  const lake = one(resources, 'AWS::S3::Bucket', /^(?!.*(Logs?|Results))\w*Lake/)
  const results = one(resources, 'AWS::S3::Bucket', /Results/)
  const secret = (id: RegExp) => [one(resources, 'AWS::SecretsManager::Secret', id)]
  const reading = ['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue']
  return [
    { name: 'read files of snapshots', actions: ['s3:GetObject'], resources: [`${lake}/lake/*`] },
    {
      name: 'read rows of persons, each a pseudonym',
      actions: ['s3:GetObject'],
      resources: OF_PERSONS.map((prefix) => `${lake}/${prefix}*`),
    },
    { name: 'write files of snapshots', actions: WRITE, resources: [`${lake}/lake/*`] },
    { name: 'delete files of snapshots', actions: ['s3:DeleteObject'], resources: [`${lake}/lake/*`] },
    { name: 'say which snapshot is shown', actions: WRITE, resources: [`${lake}/lake-meta/v1/CURRENT.json`] },
    { name: 'write curated tables', actions: WRITE, resources: [`${lake}/curated/*`] },
    {
      name: 'remove versions of objects for good',
      actions: ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention'],
      resources: [`${lake}/*`],
    },
    {
      name: 'change rules of buckets',
      actions: ['s3:PutBucket*', 's3:DeleteBucket*', 's3:PutLifecycle*', 's3:PutEncryption*', 's3:PutAccelerate*'],
      resources: [lake, results],
    },
    { name: "read results of the service's queries", actions: ['s3:GetObject'], resources: [`${results}/service/*`] },
    { name: "read results of analysts' queries", actions: ['s3:GetObject'], resources: [`${results}/analysts/*`] },
    { name: 'change the catalogue', actions: CHANGE_CATALOGUE, resources: ['arn:aws:glue:REGION:ACCOUNT:*'] },
    { name: 'read the pepper of API keys', actions: reading, resources: secret(/Pepper/) },
    { name: 'read the key of cursors', actions: reading, resources: secret(/CursorKey/) },
    { name: 'read the key of pseudonyms', actions: reading, resources: secret(/PseudonymKey/) },
    { name: "read the password of the database's owner", actions: reading, resources: secret(/Owner|InstanceSecret/) },
    { name: "read the password of the service's user", actions: reading, resources: secret(/Service/) },
    { name: "read the password of the exporter's user", actions: reading, resources: secret(/Exporter/) },
    {
      name: 'change secrets',
      actions: ['PutSecretValue', 'UpdateSecret*', 'DeleteSecret', 'PutResourcePolicy'].map(
        (each) => `secretsmanager:${each}`,
      ),
      resources: ['arn:aws:secretsmanager:REGION:ACCOUNT:secret:*'],
    },
    {
      name: 'end or open keys of KMS',
      actions: ['ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy', 'CreateGrant'].map((each) => `kms:${each}`),
      resources: named(resources, 'AWS::KMS::Key', /./).map(({ arn }) => arn),
    },
    { name: 'start tasks', actions: ['ecs:RunTask', 'ecs:StartTask'], resources: ['arn:aws:ecs:REGION:ACCOUNT:*'] },
    {
      name: 'start jobs, with any code',
      actions: ['glue:StartJobRun'],
      resources: named(resources, 'AWS::Glue::Job', /./).map(({ arn }) => arn),
    },
    {
      name: 'change what runs, or enter it',
      actions: [
        'ecs:RegisterTaskDefinition',
        'ecs:UpdateService',
        'ecs:ExecuteCommand',
        'lambda:Update*',
        'glue:UpdateJob',
      ],
      resources: ['*'],
    },
    {
      name: 'change who may do what',
      actions: ['iam:Create*', 'iam:Put*', 'iam:Attach*', 'iam:Update*', 'iam:Delete*', 'iam:Detach*', 'iam:Add*'],
      resources: ['*'],
    },
    {
      name: 'become another role',
      actions: ['sts:AssumeRole*'],
      resources: ['*', ...named(resources, 'AWS::IAM::Role', /./).map(({ arn }) => arn)],
    },
    {
      name: 'change the database server',
      actions: ['rds:Modify*', 'rds:Delete*', 'rds:Restore*', 'rds:Create*'],
      resources: ['*'],
    },
    {
      name: 'read logs of the program',
      actions: READ_LOGS,
      resources: logGroups(resources, /^(?!\/aws-glue\/)/),
    },
    { name: 'read logs of Glue', actions: READ_LOGS, resources: logGroups(resources, /^\/aws-glue\//) },
    {
      name: 'delete logs',
      actions: ['logs:Delete*', 'logs:PutRetentionPolicy'],
      resources: logGroups(resources, /./),
    },
  ]
}
