import { Stack, type StackProps } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import { ProgramTask } from '../constructs/program-task.ts'
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
  readonly image: ecs.ContainerImage
  readonly migrateTask: ProgramTask
  /** Makes the first key of the API. */
  readonly keysTask: ProgramTask

  constructor(scope: Construct, id: string, { settings, network, database: _database, ...props }: ClusterStackProps) {
    super(scope, id, props)
    this.cluster = new ecs.Cluster(this, 'Cluster', { vpc: network.vpc })
    this.image = ecs.ContainerImage.fromRegistry('scratch')
    const task = (name: string, command: readonly string[]) =>
      new ProgramTask(this, name, {
        image: this.image,
        family: `rocketgames-accounts-${settings.name}-${command[0]}`,
        command,
        cpu: 256,
        memoryMiB: 512,
        environment: {},
        secrets: {},
      })
    this.migrateTask = task('Migrate', ['migrate'])
    this.keysTask = task('Keys', ['keys', 'create', '--name', 'first'])
  }
}
