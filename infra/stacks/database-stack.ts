import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as logs from 'aws-cdk-lib/aws-logs'
import * as rds from 'aws-cdk-lib/aws-rds'
import type { Construct } from 'constructs'
import { DATABASE_PARAMETERS } from '../constructs/database-parameters.ts'
import { DatabaseSecrets, NOT_IN_PASSWORDS, type Secrets } from '../constructs/database-secrets.ts'
import { accept } from '../nag.ts'
import type { StageSettings } from '../stages.ts'
import { DATABASE_PORT, type NetworkStack } from './network-stack.ts'

export interface DatabaseStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
}

export const DATABASE_NAME = 'accounts'

/** The version that the tests run on; minor versions come by themselves, in the maintenance window. */
const ENGINE = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_18 })
const LOGS = ['postgresql', 'upgrade'] as const
/** Except by a first deployment that fails: what it left behind would have the name that the next one needs. */
const KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

export class DatabaseStack extends Stack {
  readonly instance: rds.DatabaseInstance
  readonly secrets: Secrets
  /** Of the database and of the secrets. */
  readonly key: kms.Key

  constructor(scope: Construct, id: string, { settings, network, ...props }: DatabaseStackProps) {
    super(scope, id, props)
    const removalPolicy = settings.database.protected ? KEPT : RemovalPolicy.DESTROY
    this.key = new kms.Key(this, 'Key', {
      description: 'Database and secrets of RocketGames Accounts',
      enableKeyRotation: true,
      // In every stage: the last snapshot of its database could not be read without it.
      removalPolicy: KEPT,
    })
    this.instance = this.#database(settings, network)
    const { secrets } = new DatabaseSecrets(this, 'Secrets', {
      key: this.key,
      instance: this.instance,
      rotation: this.#group('RotationGroup', network.groups.rotation),
      removalPolicy,
    })
    this.secrets = secrets
  }

  /** Its rules stand in the network's stack; the framework would add its own there, which ask for this one. */
  #group(id: string, { securityGroupId }: ec2.ISecurityGroup): ec2.ISecurityGroup {
    return ec2.SecurityGroup.fromSecurityGroupId(this, id, securityGroupId, { mutable: false })
  }

  #database(settings: StageSettings, network: NetworkStack): rds.DatabaseInstance {
    const { instance: size, storageGb, maxStorageGb, multiAz, backupDays, protected: kept } = settings.database
    const instanceIdentifier = `rocketgames-accounts-${settings.name}`
    const groups = LOGS.map(
      (name) =>
        new logs.LogGroup(this, `Log-${name}`, {
          // RDS would make them itself, and keep them for ever.
          logGroupName: `/aws/rds/instance/${instanceIdentifier}/${name}`,
          retention: logs.RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
    )
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      instanceIdentifier,
      engine: ENGINE,
      instanceType: new ec2.InstanceType(size),
      vpc: network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [this.#group('DatabaseGroup', network.groups.database)],
      port: DATABASE_PORT,
      publiclyAccessible: false,
      caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
      databaseName: DATABASE_NAME,
      credentials: rds.Credentials.fromGeneratedSecret('accounts_owner', {
        encryptionKey: this.key,
        excludeCharacters: NOT_IN_PASSWORDS,
      }),
      parameterGroup: new rds.ParameterGroup(this, 'Parameters', {
        engine: ENGINE,
        description: 'RocketGames Accounts',
        parameters: { ...DATABASE_PARAMETERS },
      }),
      storageType: rds.StorageType.GP3,
      allocatedStorage: storageGb,
      maxAllocatedStorage: maxStorageGb,
      storageEncrypted: true,
      storageEncryptionKey: this.key,
      multiAz,
      backupRetention: Duration.days(backupDays),
      preferredBackupWindow: '00:00-01:00',
      preferredMaintenanceWindow: 'Sun:03:30-Sun:04:30',
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: !kept,
      deletionProtection: kept,
      removalPolicy: kept ? KEPT : RemovalPolicy.SNAPSHOT,
      autoMinorVersionUpgrade: true,
      cloudwatchLogsExports: [...LOGS],
      enablePerformanceInsights: true,
      performanceInsightRetention: rds.PerformanceInsightRetention.DEFAULT,
      performanceInsightEncryptionKey: this.key,
      monitoringInterval: Duration.seconds(60),
    })
    instance.node.addDependency(...groups)
    this.#acceptFindings(instance, settings)
    return instance
  }

  #acceptFindings(instance: rds.DatabaseInstance, { database }: StageSettings): void {
    accept(
      instance,
      {
        rule: 'AwsSolutions-RDS11',
        reason:
          'The database has no public address, stands in subnets without a route out, and takes connections of four named security groups only: another port would hide nothing.',
      },
      {
        rule: 'AwsSolutions-IAM4',
        finding: /AmazonRDSEnhancedMonitoringRole/,
        reason:
          'RDS writes the figures of its machines to the log group RDSOSMetrics, which AWS makes and names: the managed policy allows that group and nothing else, and follows when AWS moves it.',
      },
    )
    if (!database.multiAz) {
      accept(instance, {
        rule: 'AwsSolutions-RDS3',
        reason:
          'A stage for trials or for few users, which may be down while its one instance is replaced; prod has two.',
      })
    }
    if (!database.protected) {
      accept(instance, {
        rule: 'AwsSolutions-RDS10',
        reason: 'A stage for trials, which is torn down and set up again; a last snapshot is taken when it is deleted.',
      })
    }
  }
}
