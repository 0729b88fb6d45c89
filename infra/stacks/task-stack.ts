import { Stack, type StackProps } from 'aws-cdk-lib'
import type * as scheduler from 'aws-cdk-lib/aws-scheduler'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { ProgramTask } from '../constructs/program-task.ts'
import type { StageSettings } from '../stages.ts'
import type { ClusterStack } from './cluster-stack.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'

export interface TaskStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly cluster: ClusterStack
}

/** The tasks that write the lake, and when they run. The same in every stage, whatever answers requests. */
export class TaskStack extends Stack {
  readonly snapshotTask: ProgramTask
  readonly careTask: ProgramTask
  readonly schedules: { readonly snapshot?: scheduler.Schedule; readonly care?: scheduler.Schedule }
  /** Starts of tasks that the schedules gave up. */
  readonly deadLetters: sqs.Queue

  constructor(
    scope: Construct,
    id: string,
    { settings, cluster, network: _n, database: _d, lake: _l, ...props }: TaskStackProps,
  ) {
    super(scope, id, props)
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', { enforceSSL: true })
    const task = (name: string, command: readonly string[]) =>
      new ProgramTask(this, name, {
        image: cluster.image,
        family: `rocketgames-accounts-${settings.name}-${command[0]}`,
        command,
        cpu: settings.snapshot.cpu,
        memoryMiB: settings.snapshot.memoryMiB,
        environment: {},
        secrets: {},
      })
    this.snapshotTask = task('Snapshot', ['snapshot'])
    this.careTask = task('Care', ['care'])
    this.schedules = {}
  }
}
