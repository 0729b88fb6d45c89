import { Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { contracts, type TableContract } from '../../src/lake/contract.ts'
import { LAKE_PREFIX, META_PREFIX, tablePrefix } from '../../src/lake/object-keys.ts'
import { accept } from '../nag.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { databaseArns, glueArn, logGroupsArn, tableArns } from './catalogue-arns.ts'
import { CURATED, type LakeAccess, type LakePlace, type QueryPlace } from './lake-access.ts'
import type { QueryGroup } from './query-groups.ts'

/**
 * Who of the people may read what. IAM decides, and not Lake Formation, for three reasons: names, addresses and birth dates never leave
 * the database, so no column of a file needs hiding from somebody who may read its row; whole tables are what people may or may not
 * read, and each has a folder of its own; and Lake Formation's settings belong to an account with all its other databases, which this
 * program does not own. Should columns ever have to be told apart, Lake Formation is the way.
 */

/** Does any row stand for a person, by a pseudonym or by what only a person has? */
function isAboutPersons({ columns }: TableContract): boolean {
  return columns.some((column) => column.action !== 'include' || column.class === 'personal')
}

/** Tables of the lake in which nobody is, current versions and those before them. */
export const REPORT_TABLES: readonly TableContract[] = contracts.filter((contract) => !isAboutPersons(contract))
/** Curated tables in which nobody is: what a cell of them counts is never few. A test looks at their columns. */
export const REPORT_CURATED = ['agg_registrations_daily', 'agg_studio_daily', 'dim_game', 'dim_studio'] as const

export interface LakeReadersProps {
  readonly lake: LakePlace
  readonly access: LakeAccess
  readonly places: Readonly<Record<QueryGroup, QueryPlace>>
  readonly curateWorkflowName: string
  readonly jobNames: readonly string[]
}

/** Of people: what analysts, readers of reports and engineers may do. Nobody of them writes the lake. */
export class LakeReaders extends Construct {
  readonly analysts: iam.Role
  readonly reports: iam.Role
  readonly engineers: iam.Role
  readonly #props: LakeReadersProps

  constructor(scope: Construct, id: string, props: LakeReadersProps) {
    super(scope, id)
    this.#props = props
    this.analysts = this.#analysts()
    this.reports = this.#reports()
    this.engineers = this.#engineers()
  }

  /** All rows, of which each person is a pseudonym. */
  #analysts(): iam.Role {
    const { lake, places } = this.#props
    const { databases } = lake
    const all = [databases.raw, databases.live, databases.curated, `${databases.curated}_raw`]
    const prefixes = [`${LAKE_PREFIX}*`, `${CURATED}*`]
    const role = this.#role('Analysts', 'Query snapshots and curated tables, persons as pseudonyms', 'analysts', [
      ...this.#read(prefixes, databaseArns(this, [...all, 'default']), tableArns(this, all)),
    ])
    const ends = [...prefixes.map((each) => `/${each}`), `/${places.analysts.folder}*`]
    acceptWildcards(
      role,
      [...ends, ...all.map((each) => `:table/${each}/*`)],
      'It reads all tables of the lake, whose files have new names each time',
    )
    return role
  }

  /** Tables in which nobody is, by their names. */
  #reports(): iam.Role {
    const { lake, places } = this.#props
    const { databases } = lake
    const views = REPORT_TABLES.flatMap(({ lakeTable }) => [`${lakeTable}_latest`, `${lakeTable}_daily`])
    const raw = REPORT_TABLES.map(({ name }) => name)
    const prefixes = [
      ...raw.map((name) => `${tablePrefix(name)}*`),
      ...REPORT_CURATED.map((name) => `${CURATED}${name}/*`),
    ]
    const tables = [
      ...tableArns(this, [databases.raw], raw),
      ...tableArns(this, [databases.live], ['snapshots', ...new Set(views)]),
      ...tableArns(this, [databases.curated], ['curated_runs', ...REPORT_CURATED]),
      ...tableArns(this, [`${databases.curated}_raw`], REPORT_CURATED),
    ]
    const all = [databases.raw, databases.live, databases.curated, `${databases.curated}_raw`, 'default']
    const role = this.#role('Reports', 'Query tables that tell of no single person', 'reports', [
      ...this.#read(prefixes, databaseArns(this, all), [...new Set(tables)]),
    ])
    const ends = [...prefixes.map((each) => `/${each}`), `/${places.reports.folder}*`]
    acceptWildcards(role, ends, 'It reads all files of tables in which nobody is')
    return role
  }

  /** As analysts, and to run the crawler and the workflow of the jobs again, to look at manifests and logs. */
  #engineers(): iam.Role {
    const { curateWorkflowName, jobNames, lake, places } = this.#props
    const { databases } = lake
    const all = [databases.raw, databases.live, databases.curated, `${databases.curated}_raw`]
    const prefixes = [`${LAKE_PREFIX}*`, `${META_PREFIX}*`, `${CURATED}*`, 'curated-meta/v1/*']
    const jobs = jobNames.map((name) => glueArn(this, `job/${name}`))
    const workflow = glueArn(this, `workflow/${curateWorkflowName}`)
    const role = this.#role('Engineers', 'Look after crawler, jobs and files of the lake', 'admin', [
      ...this.#read(prefixes, databaseArns(this, [...all, 'default']), tableArns(this, all)),
      {
        sid: 'Crawler',
        actions: ['glue:GetCrawler', 'glue:GetCrawlerMetrics', 'glue:StartCrawler', 'glue:StopCrawler'],
        resources: [glueArn(this, `crawler/${lake.crawlerName}`)],
      },
      {
        sid: 'Jobs',
        // Not StartJobRun: its arguments may name other code, which would run with all rights of the job. A run of the workflow takes none.
        actions: ['glue:GetJob', 'glue:GetJobRun', 'glue:GetJobRuns', 'glue:BatchStopJobRun'],
        resources: jobs,
      },
      {
        sid: 'Workflow',
        actions: [
          ...['glue:GetWorkflow', 'glue:GetWorkflowRun', 'glue:GetWorkflowRuns', 'glue:StartWorkflowRun'],
          ...['glue:ResumeWorkflowRun', 'glue:StopWorkflowRun'],
        ],
        resources: [workflow],
      },
      {
        sid: 'Logs',
        actions: ['logs:FilterLogEvents', 'logs:GetLogEvents', 'logs:DescribeLogStreams'],
        resources: [logGroupsArn(this, '/aws-glue/')],
      },
    ])
    const ends = [...prefixes.map((each) => `/${each}`), `/${places.admin.folder}*`, '/aws-glue/*']
    acceptWildcards(
      role,
      [...ends, ...all.map((each) => `:table/${each}/*`)],
      'It reads all tables of the lake and the logs of all its jobs, which have new names each time',
    )
    return role
  }

  #read(prefixes: readonly string[], databases: string[], tables: string[]): iam.PolicyStatementProps[] {
    const { access, lake } = this.#props
    return [
      {
        sid: 'FindFiles',
        actions: ['s3:ListBucket'],
        resources: [lake.lake.bucketArn],
        conditions: { StringLike: { 's3:prefix': [...prefixes] } },
      },
      { sid: 'FindLake', actions: ['s3:GetBucketLocation'], resources: [lake.lake.bucketArn] },
      access.objects('ReadFiles', lake.lake, ['s3:GetObject'], prefixes),
      access.key('DecryptLake', lake.lakeKey, ['kms:Decrypt']),
      { sid: 'ReadDatabases', actions: ['glue:GetDatabase', 'glue:GetDatabases'], resources: databases },
      {
        sid: 'ReadTables',
        actions: [
          ...['glue:GetTable', 'glue:GetTables', 'glue:GetPartition', 'glue:GetPartitions'],
          'glue:BatchGetPartition',
        ],
        resources: tables,
      },
    ]
  }

  /** To be assumed by whom the account lets: those to whom an identity policy of it, or a permission set, gives `sts:AssumeRole` on it. */
  #role(id: string, description: string, group: QueryGroup, statements: iam.PolicyStatementProps[]): iam.Role {
    const { access, places } = this.#props
    const role = new iam.Role(this, id, { assumedBy: new iam.AccountRootPrincipal(), description })
    const place = places[group]
    const athena = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({ service: 'athena', resource, resourceName })
    const named = athena('workgroup', place.workgroup)
    const console: iam.PolicyStatementProps[] = [
      {
        sid: 'NamedQueries',
        actions: [
          ...['athena:ListNamedQueries', 'athena:GetNamedQuery', 'athena:BatchGetNamedQuery'],
          ...['athena:CreateNamedQuery', 'athena:UpdateNamedQuery', 'athena:DeleteNamedQuery'],
        ],
        resources: [named],
      },
      // Names and columns as consoles and drivers ask for them; Athena asks Glue by the same role.
      {
        sid: 'Browse',
        actions: [
          ...['athena:GetDataCatalog', 'athena:ListDatabases', 'athena:GetDatabase', 'athena:ListTableMetadata'],
          'athena:GetTableMetadata',
        ],
        resources: [athena('datacatalog', 'AwsDataCatalog')],
      },
      // What drivers fetch results and figures by.
      {
        sid: 'Drivers',
        actions: ['athena:GetQueryResultsStream', 'athena:GetQueryRuntimeStatistics'],
        resources: [named],
      },
      // What Athena's console asks before anybody has chosen anything; it lists names alone.
      { sid: 'Console', actions: ['athena:ListWorkGroups', 'athena:ListDataCatalogs'], resources: ['*'] },
    ]
    for (const each of [...access.query(place), ...console, ...statements])
      role.addToPolicy(new iam.PolicyStatement(each))
    accept(role, {
      rule: 'AwsSolutions-IAM5',
      finding: 'Resource::*',
      reason: 'Athena lists its work groups and catalogues for all resources or none; the answers are names',
    })
    return role
  }
}
