import { CfnDeletionPolicy, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as logs from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { accept } from '../nag.ts'
import type { StageSettings } from '../stages.ts'
import { fixedCommand } from './fixed-command.ts'
import { addTraceCollector, traceSettings } from './trace-collector.ts'

export interface ProgramTaskProps {
  readonly settings: StageSettings
  readonly image: ecs.ContainerImage
  /** Words behind the program's name: `['serve']`. The first one names the family, unless `name` does. */
  readonly command: readonly string[]
  readonly name?: string
  readonly cpu: number
  readonly memoryMiB: number
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, ecs.Secret>>
  /** How long its log is kept; default 30 days. */
  readonly logDays?: logs.RetentionDays
  /** Default: as the stage says. */
  readonly tracing?: boolean
  readonly healthCheck?: ecs.HealthCheck
  /**
   * Whoever starts it gives arguments alone: the command's word and the settings stay what they are. It has the roles of this other
   * task, which does the same.
   */
  readonly fixedLike?: ProgramTask
}

/** Of the container in every task, for overrides of its command. */
export const CONTAINER_NAME = 'accounts'

/** From SIGTERM to SIGKILL. Longer than SHUTDOWN_GRACE and what the program does behind it; Fargate allows 120. */
export const STOP_SECONDS = 75

/** One command of the program as a task of ECS: its definition, its container and its log. */
export class ProgramTask extends Construct {
  readonly definition: ecs.FargateTaskDefinition
  readonly container: ecs.ContainerDefinition
  readonly logGroup: logs.LogGroup
  /** What `LAKE_ECS_SNAPSHOT_TASK` and `aws ecs run-task` name. */
  readonly family: string

  constructor(scope: Construct, id: string, props: ProgramTaskProps) {
    super(scope, id)
    const { settings, command } = props
    const name = props.name ?? command[0] ?? id.toLowerCase()
    this.family = `rocketgames-accounts-${settings.name}-${name}`
    this.logGroup = new logs.LogGroup(this, 'Log', {
      logGroupName: `/rocketgames-accounts/${settings.name}/${name}`,
      retention: props.logDays ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.definition = new ecs.FargateTaskDefinition(this, 'Definition', {
      family: this.family,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
      ...(props.fixedLike === undefined ? {} : rolesOf(props.fixedLike)),
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.X86_64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
    })
    // Earlier revisions stay usable: the way back is to the one before.
    const resource = this.definition.node.defaultChild as ecs.CfnTaskDefinition
    resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN
    resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE
    this.container = this.#program(props, name)
    const tracing = props.tracing ?? settings.tracing
    if (tracing) addTraceCollector(this.definition, this.container, this.logGroup)
    accept(this.definition, {
      rule: 'AwsSolutions-ECS2',
      reason:
        'What is in the environment tells where things are and how long they may take; everything secret is injected from Secrets Manager, and a test goes through every name.',
    })
    if (!tracing) {
      accept(this.definition, {
        rule: 'AwsSolutions-IAM5',
        finding: 'Resource::*',
        reason:
          'Registry login (ecr:GetAuthorizationToken) knows no resources: IAM takes nothing but * for it. What it may pull is named.',
      })
    }
  }

  #program(props: ProgramTaskProps, name: string): ecs.ContainerDefinition {
    const { settings, image, command, secrets, healthCheck, fixedLike } = props
    const environment = {
      ...{ STAGE: settings.name, AWS_REGION: Stack.of(this).region, LOG_LEVEL: 'info', ...props.environment },
      ...((props.tracing ?? settings.tracing) ? traceSettings(command) : {}),
    }
    const [word = name, ...words] = command
    return this.definition.addContainer(CONTAINER_NAME, {
      image,
      ...(fixedLike === undefined
        ? { command: [...command] }
        : { entryPoint: fixedCommand(word, environment), command: words }),
      // The program writes nothing to disk, so it has none to write to.
      readonlyRootFilesystem: true,
      linuxParameters: this.#withoutCapabilities(),
      stopTimeout: Duration.seconds(STOP_SECONDS),
      environment,
      secrets: { ...secrets },
      ...(healthCheck === undefined ? {} : { healthCheck }),
      // A log that is slow to take lines must not hold up answers.
      logging: ecs.LogDrivers.awsLogs({
        logGroup: this.logGroup,
        streamPrefix: name,
        mode: ecs.AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(4),
      }),
    })
  }

  #withoutCapabilities(): ecs.LinuxParameters {
    const parameters = new ecs.LinuxParameters(this, 'Linux')
    parameters.dropCapabilities(ecs.Capability.ALL)
    return parameters
  }
}

const rolesOf = ({ definition }: ProgramTask) => ({
  taskRole: definition.taskRole,
  executionRole: definition.obtainExecutionRole(),
})
