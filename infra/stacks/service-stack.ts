import { Stack, type StackProps } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Construct } from 'constructs'
import { ProgramTask } from '../constructs/program-task.ts'
import type { StageSettings } from '../stages.ts'
import type { ClusterStack } from './cluster-stack.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'
import type { TaskStack } from './task-stack.ts'

export interface ServiceStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly cluster: ClusterStack
  readonly tasks: TaskStack
}

/** The API as tasks of ECS behind a load balancer. */
export class ServiceStack extends Stack {
  readonly task: ProgramTask
  readonly service: ecs.FargateService
  readonly loadBalancer: elb.ApplicationLoadBalancer
  readonly targetGroup: elb.ApplicationTargetGroup

  constructor(
    scope: Construct,
    id: string,
    { settings, network, cluster, database: _d, lake: _l, tasks: _t, ...props }: ServiceStackProps,
  ) {
    super(scope, id, props)
    this.task = new ProgramTask(this, 'Serve', {
      image: cluster.image,
      family: `rocketgames-accounts-${settings.name}-serve`,
      command: ['serve'],
      cpu: settings.service.cpu,
      memoryMiB: settings.service.memoryMiB,
      environment: {},
      secrets: {},
    })
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: cluster.cluster,
      taskDefinition: this.task.definition,
      securityGroups: [network.groups.service],
    })
    this.loadBalancer = new elb.ApplicationLoadBalancer(this, 'Balancer', { vpc: network.vpc })
    this.targetGroup = new elb.ApplicationTargetGroup(this, 'Targets', {
      vpc: network.vpc,
      port: 3000,
      protocol: elb.ApplicationProtocol.HTTP,
    })
  }
}
