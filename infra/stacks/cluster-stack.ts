import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { databaseSettings, userSecrets } from '../constructs/program-settings.ts'
import { ProgramTask, type ProgramTaskProps } from '../constructs/program-task.ts'
import { ROOT } from '../root.ts'
import type { StageSettings } from '../stages.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { NetworkStack } from './network-stack.ts'

export interface ClusterStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
}

/**
 * Where tasks run, the image that they run, and the tasks that come before everything else: migrations, the first key. A stack of
 * its own, so that a release brings its migrations before anything of it answers or writes.
 */
export class ClusterStack extends Stack {
  readonly cluster: ecs.Cluster
  /** One image for every command. */
  readonly image: ecs.ContainerImage
  readonly migrateTask: ProgramTask
  /** Makes the first key of the API. */
  readonly keysTask: ProgramTask

  constructor(scope: Construct, id: string, { settings, network, database, ...props }: ClusterStackProps) {
    super(scope, id, props)
    this.cluster = new ecs.Cluster(this, 'Cluster', {
      clusterName: `rocketgames-accounts-${settings.name}`,
      vpc: network.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    })
    this.image = this.#image()
    const { owner, service, exporter, apiKeyPepper } = database.secrets
    this.migrateTask = this.#task('Migrate', settings, {
      command: ['migrate'],
      environment: databaseSettings(database, owner).environment,
      secrets: {
        ...databaseSettings(database, owner).secrets,
        ...userSecrets('DATABASE_SERVICE', service),
        ...userSecrets('DATABASE_EXPORTER', exporter),
      },
    })
    this.keysTask = this.#task('Keys', settings, {
      command: ['keys', 'list'],
      environment: databaseSettings(database, service).environment,
      secrets: {
        ...databaseSettings(database, service).secrets,
        API_KEY_PEPPER: ecs.Secret.fromSecretsManager(apiKeyPepper),
      },
      // A key that is made by this task stands in its log: it lives for a day, and is replaced by one that the API makes.
      logDays: logs.RetentionDays.ONE_DAY,
    })
    this.#tellHowToRun(network)
  }

  #image(): ecs.ContainerImage {
    const gitSha: unknown = this.node.tryGetContext('gitSha')
    const asset = new DockerImageAsset(this, 'Image', {
      directory: ROOT,
      target: 'production',
      platform: Platform.LINUX_AMD64,
      ...(typeof gitSha === 'string' ? { buildArgs: { GIT_SHA: gitSha } } : {}),
    })
    return ecs.ContainerImage.fromDockerImageAsset(asset)
  }

  #task(
    id: string,
    settings: StageSettings,
    props: Pick<ProgramTaskProps, 'command' | 'environment' | 'secrets' | 'logDays'>,
  ): ProgramTask {
    return new ProgramTask(this, id, {
      ...props,
      settings,
      image: this.image,
      cpu: 256,
      memoryMiB: 512,
      tracing: false,
    })
  }

  /** For `aws ecs run-task`, as docs/deploy.md shows it. */
  #tellHowToRun({ vpc, groups }: NetworkStack): void {
    const subnets = vpc.privateSubnets.map(({ subnetId }) => subnetId).join(',')
    const output = (name: string, value: string) => new CfnOutput(this, name, { value })
    output('ClusterName', this.cluster.clusterName)
    output('MigrateTask', this.migrateTask.family)
    output('KeysTask', this.keysTask.family)
    output(
      'TaskNetwork',
      `awsvpcConfiguration={subnets=[${subnets}],securityGroups=[${groups.tasks.securityGroupId}],assignPublicIp=DISABLED}`,
    )
  }
}
