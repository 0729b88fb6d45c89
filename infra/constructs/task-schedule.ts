import { type Duration, Stack, TimeZone } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as scheduler from 'aws-cdk-lib/aws-scheduler'
import * as targets from 'aws-cdk-lib/aws-scheduler-targets'
import type * as sqs from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { CONTAINER_NAME, type ProgramTask } from './program-task.ts'
import { schedulerCron } from './scheduler-cron.ts'

export interface TaskScheduleProps {
  readonly description: string
  /** Five fields, as in LAKE_SCHEDULE. */
  readonly cron: string
  /** Of the IANA database. */
  readonly zone: string
  readonly cluster: ecs.ICluster
  readonly task: ProgramTask
  readonly command: readonly string[]
  readonly securityGroup: ec2.ISecurityGroup
  /** Where a start goes that was given up. */
  readonly deadLetters: sqs.IQueue
  /** After so long the next one is near, or the reason is none that passes. */
  readonly maxAge: Duration
}

/** A role for one schedule, which no schedule of another account can be made to use. */
export function schedulerRole(scope: Construct): iam.Role {
  const ours = { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } }
  return new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', { conditions: ours }),
  })
}

/** Starts a task when its time comes; tries again while ECS refuses, then leaves what it gave up in a queue with an alarm. */
export class TaskSchedule extends Construct {
  readonly schedule: scheduler.Schedule

  constructor(scope: Construct, id: string, props: TaskScheduleProps) {
    super(scope, id)
    const { cluster, task, command } = props
    const target = new targets.EcsRunFargateTask(cluster, {
      taskDefinition: task.definition,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [props.securityGroup],
      assignPublicIp: false,
      input: scheduler.ScheduleTargetInput.fromObject({
        containerOverrides: [{ name: CONTAINER_NAME, command }],
      }),
      retryAttempts: 20,
      maxEventAge: props.maxAge,
      deadLetterQueue: props.deadLetters,
      role: schedulerRole(this),
    })
    this.schedule = new scheduler.Schedule(this, 'Schedule', {
      description: props.description,
      schedule: scheduler.ScheduleExpression.expression(schedulerCron(props.cron), TimeZone.of(props.zone)),
      target,
      timeWindow: scheduler.TimeWindow.off(),
    })
  }
}

/** Word of a command that EventBridge replaces by the instant for which the start was due, `2026-11-23T02:00:00Z`. */
export const DUE_INSTANT: string = scheduler.ContextAttribute.scheduledTime
