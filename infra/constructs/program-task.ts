import { RemovalPolicy } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as logs from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'

export interface ProgramTaskProps {
  readonly image: ecs.ContainerImage
  /** Of the task definitions: what `LAKE_ECS_SNAPSHOT_TASK` and `aws ecs run-task` name. */
  readonly family: string
  /** Words behind the program's name: `['serve']`. */
  readonly command: readonly string[]
  readonly cpu: number
  readonly memoryMiB: number
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, ecs.Secret>>
}

/** Of the container in every task, for overrides of its command. */
export const CONTAINER_NAME = 'accounts'

/** One command of the program as a task of ECS: its definition, its container and its log. */
export class ProgramTask extends Construct {
  readonly definition: ecs.FargateTaskDefinition
  readonly container: ecs.ContainerDefinition
  readonly logGroup: logs.LogGroup

  constructor(scope: Construct, id: string, props: ProgramTaskProps) {
    super(scope, id)
    this.logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.definition = new ecs.FargateTaskDefinition(this, 'Definition', {
      family: props.family,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
    })
    this.container = this.definition.addContainer(CONTAINER_NAME, {
      image: props.image,
      command: [...props.command],
      environment: { ...props.environment },
      secrets: { ...props.secrets },
      logging: ecs.LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: props.command[0] ?? 'task' }),
    })
  }
}
