import { type Duration, Stack } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as glue from 'aws-cdk-lib/aws-glue'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Asset } from 'aws-cdk-lib/aws-s3-assets'
import { Construct } from 'constructs'
import { accept } from '../nag.ts'
import { acceptWildcards } from './accepted-wildcards.ts'
import { glueArn, logGroupsArn } from './catalogue-arns.ts'
import { GlueLogs, jobLogGroups } from './glue-logs.ts'
import type { GluePackage, GlueScript } from './glue-package.ts'

/** Spark 3.5.4, Python 3.11, Java 17: what the jobs are tested with. */
const GLUE_VERSION = '5.0'

/** What all jobs share. */
export interface GlueJobPlace {
  readonly package: GluePackage
  /** One a private subnet: Glue takes the next one where a zone is away. */
  readonly connections: readonly glue.Connection[]
  readonly subnets: readonly ec2.ISubnet[]
  readonly securityGroup: ec2.ISecurityGroup
  readonly securityConfiguration: glue.ISecurityConfiguration
  /** Of logs, as the configuration has it. */
  readonly logsKey: IKey
}

export interface GlueJobProps {
  readonly place: GlueJobPlace
  readonly name: string
  readonly description: string
  readonly script: GlueScript
  /** As the job's script takes them, with their dashes. */
  readonly arguments: Readonly<Record<string, string>>
  /** `name==version`, commas between, or a file of requirements. */
  readonly modules?: string | Asset
  readonly files?: readonly Asset[]
  /** 4 cores and 16 GB each. With auto scaling these are the most, and fewer run while there is less to do. */
  readonly workers: number
  readonly retries: number
  readonly timeout: Duration
  readonly statements: readonly iam.PolicyStatementProps[]
}

/** A Spark job of AWS Glue, in the VPC, by a role of its own that may do nothing but its work. */
export class GlueJob extends Construct {
  readonly job: glue.CfnJob
  readonly name: string
  readonly role: iam.Role

  constructor(scope: Construct, id: string, props: GlueJobProps) {
    super(scope, id)
    const { place } = props
    this.name = props.name
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('glue.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: props.description,
    })
    const statements = [...props.statements, ...this.#everyJob(props)]
    for (const each of statements) this.role.addToPolicy(new iam.PolicyStatement(each))
    this.#acceptFindings()
    const { securityConfigurationName } = place.securityConfiguration
    new GlueLogs(this, 'Logs', {
      names: jobLogGroups(securityConfigurationName, this.role.roleName),
      key: place.logsKey,
    })
    this.job = new glue.CfnJob(this, 'Job', {
      name: props.name,
      description: props.description,
      role: this.role.roleArn,
      glueVersion: GLUE_VERSION,
      workerType: 'G.1X',
      numberOfWorkers: props.workers,
      maxRetries: props.retries,
      timeout: props.timeout.toMinutes(),
      executionProperty: { maxConcurrentRuns: 1 },
      connections: { connections: place.connections.map((each) => each.connectionName) },
      securityConfiguration: securityConfigurationName,
      command: {
        name: 'glueetl',
        pythonVersion: '3',
        scriptLocation: place.package.scripts[props.script].s3ObjectUrl,
      },
      defaultArguments: this.#arguments(props),
    })
    // Its first run needs them.
    this.job.node.addDependency(this.role)
  }

  #arguments({ files = [], modules, place, ...props }: GlueJobProps): Record<string, string> {
    return {
      '--extra-py-files': place.package.modules.s3ObjectUrl,
      ...(files.length === 0 ? {} : { '--extra-files': files.map((each) => each.s3ObjectUrl).join(',') }),
      ...moduleArguments(modules),
      '--enable-auto-scaling': 'true',
      '--enable-metrics': 'true',
      '--enable-observability-metrics': 'true',
      '--enable-continuous-cloudwatch-log': 'true',
      // A run decides by manifests what is new; see "No job bookmarks" in docs/curated.md.
      '--job-bookmark-option': 'job-bookmark-disable',
      ...props.arguments,
    }
  }

  /** What Glue itself does in the name of a job: fetches its code, joins the VPC, logs and counts. */
  #everyJob({ files = [], modules, place, script }: GlueJobProps): iam.PolicyStatementProps[] {
    const arn = (service: string, resource: string, resourceName: string) =>
      Stack.of(this).formatArn({ service, resource, resourceName })
    const subnets = place.subnets.map(({ subnetId }) => arn('ec2', 'subnet', subnetId))
    const requirements = typeof modules === 'object' ? [modules] : []
    const code = [place.package.scripts[script], place.package.modules, ...files, ...requirements]
    const interfaces = arn('ec2', 'network-interface', '*')
    const groups = [arn('ec2', 'security-group', place.securityGroup.securityGroupId)]
    return [
      {
        sid: 'Code',
        actions: ['s3:GetObject'],
        resources: code.map((each) => each.bucket.arnForObjects(each.s3ObjectKey)),
      },
      {
        sid: 'Connections',
        actions: ['glue:GetConnection', 'glue:GetConnections'],
        resources: [
          glueArn(this, 'catalog'),
          ...place.connections.map((each) => glueArn(this, `connection/${each.connectionName}`)),
        ],
      },
      {
        sid: 'FindNetwork',
        actions: [
          ...['ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups', 'ec2:DescribeVpcEndpoints'],
          ...['ec2:DescribeRouteTables', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeVpcAttribute'],
        ],
        resources: ['*'],
      },
      {
        sid: 'JoinNetwork',
        actions: ['ec2:CreateNetworkInterface'],
        resources: [interfaces, ...subnets, ...groups],
      },
      {
        sid: 'LeaveNetwork',
        actions: ['ec2:DeleteNetworkInterface'],
        resources: [interfaces],
        conditions: { ArnEquals: { 'ec2:Subnet': subnets } },
      },
      {
        sid: 'TagInterfaces',
        actions: ['ec2:CreateTags', 'ec2:DeleteTags'],
        resources: [interfaces],
        conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['aws-glue-service-resource'] } },
      },
      { sid: 'FindEncryption', actions: ['glue:GetSecurityConfiguration'], resources: ['*'] },
      {
        sid: 'Log',
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:AssociateKmsKey'],
        resources: [logGroupsArn(this, '/aws-glue/jobs')],
      },
      {
        sid: 'Count',
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': 'Glue' } },
      },
    ]
  }

  #acceptFindings(): void {
    accept(this.role, {
      rule: 'AwsSolutions-IAM5',
      finding: 'Resource::*',
      reason:
        'EC2 describes networks and Glue its security configurations for all resources or none, and CloudWatch takes measurements by namespace, which the condition names',
    })
    acceptWildcards(
      this.role,
      ['network-interface/*'],
      'Glue makes an interface for each worker; it is in the subnets and the security group of the jobs alone',
    )
    acceptWildcards(
      this.role,
      ['/aws-glue/jobs*'],
      'Glue names the log groups of jobs with a security configuration after that and the role',
    )
  }
}

/** AWS Glue Developer Guide, "Using Python libraries with AWS Glue": a file of requirements since Glue 5.0. */
function moduleArguments(modules: GlueJobProps['modules']): Record<string, string> {
  if (modules === undefined) return {}
  if (typeof modules === 'string') return { '--additional-python-modules': modules }
  return { '--python-modules-installer-option': '-r', '--additional-python-modules': modules.s3ObjectUrl }
}
