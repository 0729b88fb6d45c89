import { CfnOutput, Duration, Stack } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Construct } from 'constructs'
import { FrontDoor, PROBE_SECONDS } from '../constructs/front-door.ts'
import { databaseSettings } from '../constructs/program-settings.ts'
import { ProgramTask } from '../constructs/program-task.ts'
import { WeeklyRestart } from '../constructs/weekly-restart.ts'
import type { StageSettings } from '../stages.ts'
import type { ApiStackProps } from './api-stack-props.ts'
import type { ClusterStack } from './cluster-stack.ts'
import { type NetworkStack, SERVICE_PORT } from './network-stack.ts'

/** Within it requests finish after SIGTERM; see STOP_SECONDS. */
const SHUTDOWN_GRACE_SECONDS = 30

/** Requests a minute of one task with 1 vCPU, at about half of what it can do. */
const REQUESTS_A_MINUTE_OF_A_VCPU = 15_000

/** Is the process alive, and nothing else: a database that is away is no reason to end it. */
const ALIVE = `fetch('http://127.0.0.1:${SERVICE_PORT}/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`

/** The API as tasks of ECS behind a load balancer. */
export class ServiceStack extends Stack {
  readonly task: ProgramTask
  readonly service: ecs.FargateService
  readonly loadBalancer: elb.ApplicationLoadBalancer
  readonly targetGroup: elb.ApplicationTargetGroup
  readonly firewall: FrontDoor['firewall']
  /** Rolls a release back while it is going out. */
  readonly deploymentAlarm: cloudwatch.Alarm

  constructor(scope: Construct, id: string, { settings, ...rest }: ApiStackProps) {
    const { network, cluster, database, lake, tasks, ...props } = rest
    super(scope, id, props)
    const door = new FrontDoor(this, 'FrontDoor', { settings, network })
    this.loadBalancer = door.loadBalancer
    this.targetGroup = door.targetGroup
    this.firewall = door.firewall
    this.task = this.#program(settings, { cluster, database, lake, tasks })
    lake.grantQuery(this.task.definition.taskRole)
    tasks.grantStart(this.task.definition.taskRole)
    this.deploymentAlarm = this.#failing(settings)
    this.service = this.#service(cluster, network)
    this.service.attachToApplicationTargetGroup(this.targetGroup)
    // A task that starts before it may read a new secret fails, and three of those are taken for a release that does.
    this.service.node.addDependency(this.task.definition.obtainExecutionRole())
    this.#scale(settings)
    new WeeklyRestart(this, 'WeeklyRestart', this.service, tasks.deadLetters)
    new CfnOutput(this, 'BalancerName', { value: this.loadBalancer.loadBalancerDnsName })
    new CfnOutput(this, 'ServiceName', { value: this.service.serviceName })
  }

  /**
   * A metric of the target group for other stacks. The framework cuts the balancer's name out of an ARN, by Fn::Split, and in that
   * CloudFormation is not known to take the output of another stack.
   */
  ofTargets(metric: cloudwatch.Metric): cloudwatch.Metric {
    const { loadBalancerFullName: LoadBalancer } = this.loadBalancer
    return metric.with({ dimensionsMap: { LoadBalancer, TargetGroup: this.targetGroup.targetGroupFullName } })
  }

  #program(
    settings: StageSettings,
    { cluster, database, lake, tasks }: Pick<ApiStackProps, 'cluster' | 'database' | 'lake' | 'tasks'>,
  ): ProgramTask {
    const { service, apiKeyPepper, cursorKey } = database.secrets
    const { environment, secrets } = databaseSettings(database, service)
    const { cpu, memoryMiB } = settings.service
    const task = new ProgramTask(this, 'Serve', {
      ...{ settings, image: cluster.image, command: ['serve'], cpu, memoryMiB },
      environment: {
        ...environment,
        ...lake.settings,
        ...tasks.settings,
        HOST: '0.0.0.0',
        PORT: String(SERVICE_PORT),
        METRICS: 'emf',
        MIGRATE_AT_START: 'off',
        // A task that is stopped by hand is still sent requests for a moment; in a release the balancer has let go of it before.
        SHUTDOWN_DELAY: '5s',
        SHUTDOWN_GRACE: `${SHUTDOWN_GRACE_SECONDS}s`,
      },
      secrets: {
        ...secrets,
        API_KEY_PEPPER: ecs.Secret.fromSecretsManager(apiKeyPepper),
        CURSOR_KEY: ecs.Secret.fromSecretsManager(cursorKey),
      },
      healthCheck: {
        command: ['CMD', 'node', '-e', ALIVE],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(60),
      },
    })
    task.container.addPortMappings({ containerPort: SERVICE_PORT, name: 'http' })
    return task
  }

  #service({ cluster }: ClusterStack, { groups }: NetworkStack): ecs.FargateService {
    const group = ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', groups.service.securityGroupId, {
      mutable: false,
    })
    return new ecs.FargateService(this, 'Service', {
      serviceName: 'api',
      cluster,
      taskDefinition: this.task.definition,
      securityGroups: [group],
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      assignPublicIp: false,
      // New tasks beside the old ones; an old one goes when a new one is ready. How many there are, autoscaling says.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      healthCheckGracePeriod: Duration.seconds(4 * PROBE_SECONDS),
      circuitBreaker: { enable: true, rollback: true },
      deploymentAlarms: {
        alarmNames: [this.deploymentAlarm.alarmName],
        behavior: ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
      },
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
      enableExecuteCommand: false,
    })
  }

  #scale({ service }: StageSettings): void {
    const scaling = this.service.autoScaleTaskCount({ minCapacity: service.min, maxCapacity: service.max })
    const cooldown = { scaleOutCooldown: Duration.seconds(60), scaleInCooldown: Duration.minutes(5) }
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60, ...cooldown })
    scaling.scaleOnRequestCount('Requests', {
      requestsPerTarget: Math.round((REQUESTS_A_MINUTE_OF_A_VCPU * service.cpu) / 1024),
      targetGroup: this.targetGroup,
      ...cooldown,
    })
  }

  /**
   * More than 5 of 100 requests fail, three minutes of five; of a handful of requests nobody can tell. A task that ends or hangs answers
   * nothing: for it the load balancer says 502 or 504, and 503 where it has nobody to ask.
   */
  #failing({ name }: StageSettings): cloudwatch.Alarm {
    const options = { period: Duration.minutes(1), statistic: 'Sum' }
    return new cloudwatch.Alarm(this, 'DeploymentAlarm', {
      alarmName: `rocketgames-accounts-${name}-requests-fail`,
      alarmDescription: 'More than 5 % of all requests end with 5xx; a release that is going out is rolled back',
      metric: new cloudwatch.MathExpression({
        // A count that was zero is missing.
        expression:
          'IF(FILL(requests, 0) + FILL(unanswered, 0) > 50, 100 * (FILL(failed, 0) + FILL(unanswered, 0)) / (FILL(requests, 0) + FILL(unanswered, 0)), 0)',
        label: 'requests that failed, %',
        period: Duration.minutes(1),
        usingMetrics: {
          requests: this.targetGroup.metrics.requestCount(options),
          failed: this.targetGroup.metrics.httpCodeTarget(elb.HttpCodeTarget.TARGET_5XX_COUNT, options),
          unanswered: this.loadBalancer.metrics.httpCodeElb(elb.HttpCodeElb.ELB_5XX_COUNT, options),
        },
      }),
      threshold: 5,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    })
  }
}
