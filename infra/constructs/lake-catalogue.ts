import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as glue from 'aws-cdk-lib/aws-glue'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { crawlerDefinition } from '../../src/lake/catalogue/crawler-definition.ts'
import { tableInput } from '../../src/lake/catalogue/table-definition.ts'
import { contracts } from '../../src/lake/contract.ts'
import { LAKE_PREFIX } from '../../src/lake/object-keys.ts'
import { accept } from '../nag.ts'
import type { StageSettings } from '../stages.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { databaseArns, logGroupsArn, tableArns } from './catalogue-arns.ts'
import { crawlerLogGroups, GlueLogs } from './glue-logs.ts'

/** Members that hold names of their own and not properties. */
const MAPS: ReadonlySet<string> = new Set(['Parameters', 'Tags'])

/** A request of the SDK as a resource of CloudFormation takes it: the same members, which begin with a small letter here. */
function asProperties(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asProperties)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
      MAPS.has(name) ? each : asProperties(each),
    ]),
  )
}

export interface LakeCatalogueProps {
  readonly databases: StageSettings['databases']
  /** The databases go with their stack, and all tables with them. */
  readonly removable: boolean
  readonly lake: IBucket
  readonly lakeKey: IKey
  readonly crawlerName: string
  /** Of AWS Glue: keeps the crawler's log encrypted. */
  readonly securityConfiguration: glue.ISecurityConfiguration
  /** Of logs, as the configuration has it. */
  readonly logsKey: IKey
}

/** The Glue databases, the tables of the lake, and the crawler over them: what the program would make, made by its own definitions. */
export class LakeCatalogue extends Construct {
  readonly crawler: glue.CfnCrawler
  readonly crawlerRole: iam.Role
  readonly tables: readonly glue.CfnTable[]

  constructor(scope: Construct, id: string, props: LakeCatalogueProps) {
    super(scope, id)
    const { databases, lake } = props
    const raw = this.#database(props, databases.raw, 'Tables of the lake, one partition a snapshot; read the views')
    this.#database(props, databases.live, 'Views of the lake: what analysts read')
    this.#database(props, databases.curated, 'Views of what jobs derive from the lake')
    this.#database(props, `${databases.curated}_raw`, 'Tables of what jobs derive from the lake; read the views')
    this.tables = contracts.map((contract) => {
      const table = new glue.CfnTable(this, `Table-${contract.name}`, {
        catalogId: Stack.of(this).account,
        databaseName: databases.raw,
        tableInput: asProperties(tableInput(contract, lake.bucketName)) as glue.CfnTable.TableInputProperty,
      })
      table.addResourceDependency(raw)
      // A version of a contract that is written no more is read through the views until its last snapshot expires. What a deployment
      // that fails has made goes with it, or the next one would stop at a name that is taken.
      table.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
      return table
    })
    this.crawlerRole = this.#role(props)
    new GlueLogs(this, 'CrawlerLogs', {
      names: crawlerLogGroups(props.securityConfiguration.securityConfigurationName, this.crawlerRole.roleName),
      key: props.logsKey,
    })
    this.crawler = this.#crawler(props)
    this.crawler.addResourceDependency(raw)
    this.crawler.node.addDependency(this.crawlerRole)
  }

  #database({ removable }: LakeCatalogueProps, name: string, description: string): glue.CfnDatabase {
    const database = new glue.CfnDatabase(this, `Database-${name}`, {
      catalogId: Stack.of(this).account,
      databaseInput: {
        name,
        description,
        // Said, and not left to a setting of the account: IAM decides about new tables, see lake-readers.ts.
        createTableDefaultPermissions: [
          { principal: { dataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, permissions: ['ALL'] },
        ],
      },
    })
    database.applyRemovalPolicy(removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return database
  }

  #crawler({ crawlerName, databases, lake, securityConfiguration }: LakeCatalogueProps): glue.CfnCrawler {
    const settings = {
      name: crawlerName,
      role: this.crawlerRole.roleArn,
      bucket: lake.bucketName,
      database: databases.raw,
    }
    // Lineage cannot be set by a template, and is off where nobody sets it.
    const { LineageConfiguration: _, ...definition } = crawlerDefinition(contracts, settings)
    return new glue.CfnCrawler(this, 'Crawler', {
      ...(asProperties(definition) as glue.CfnCrawlerProps),
      crawlerSecurityConfiguration: securityConfiguration.securityConfigurationName,
    })
  }

  /** A witness: it may add columns, partitions and indexes to the tables that are there, and make no table. */
  #role({ databases, lake, lakeKey }: LakeCatalogueProps): iam.Role {
    const role = new iam.Role(this, 'CrawlerRole', {
      assumedBy: new iam.ServicePrincipal('glue.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Crawler of the lake: reads its files, updates its tables',
    })
    const grants: iam.PolicyStatementProps[] = [
      { sid: 'ListLake', actions: ['s3:ListBucket', 's3:GetBucketLocation'], resources: [lake.bucketArn] },
      { sid: 'ReadFiles', actions: ['s3:GetObject'], resources: [lake.arnForObjects(`${LAKE_PREFIX}*`)] },
      { sid: 'Decrypt', actions: ['kms:Decrypt'], resources: [lakeKey.keyArn] },
      { sid: 'ReadDatabase', actions: ['glue:GetDatabase'], resources: databaseArns(this, [databases.raw]) },
      {
        sid: 'UpdateTables',
        actions: [
          ...['glue:GetTable', 'glue:GetTables', 'glue:UpdateTable', 'glue:GetPartition', 'glue:GetPartitions'],
          ...['glue:BatchGetPartition', 'glue:BatchCreatePartition', 'glue:CreatePartition', 'glue:UpdatePartition'],
          ...['glue:BatchUpdatePartition', 'glue:GetPartitionIndexes', 'glue:CreatePartitionIndex'],
        ],
        resources: tableArns(this, [databases.raw]),
      },
      // By its role Glue looks up under which key the log goes.
      { sid: 'FindEncryption', actions: ['glue:GetSecurityConfiguration'], resources: ['*'] },
      {
        sid: 'Log',
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:AssociateKmsKey'],
        resources: [logGroupsArn(this, '/aws-glue/crawlers')],
      },
    ]
    for (const grant of grants) role.addToPolicy(new iam.PolicyStatement(grant))
    accept(role, {
      rule: 'AwsSolutions-IAM5',
      finding: 'Resource::*',
      reason: 'Glue shows all security configurations or none; they hold names of keys and nothing secret',
    })
    acceptWildcards(
      role,
      ['/lake/v1/*', `table/${databases.raw}/*`, '/aws-glue/crawlers*'],
      'Files, tables and log groups come and go: it may read every file of the lake, update every table of the one database of them, and log',
    )
    return role
  }
}
