import { TimeZone } from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as scheduler from 'aws-cdk-lib/aws-scheduler'
import * as targets from 'aws-cdk-lib/aws-scheduler-targets'
import type * as sqs from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { schedulerRole } from './task-schedule.ts'

/** No task runs for longer: less than the ROTATION_DAYS for which the password that it was started with is valid after a rotation. */
export const RESTART_DAYS = 7

/**
 * Replaces all tasks of a service once a week, by the same rolling update as a release: so each has a password of the database that
 * stays valid, whenever the rotation comes. By the calendar and not by the event of a rotation: that reaches EventBridge only in
 * accounts with a trail of CloudTrail, and a restart that is missed is made up for a week later.
 */
export class WeeklyRestart extends Construct {
  constructor(scope: Construct, id: string, service: ecs.FargateService, deadLetters: sqs.IQueue) {
    super(scope, id)
    new scheduler.Schedule(this, 'Schedule', {
      description: 'New tasks with the present passwords',
      schedule: scheduler.ScheduleExpression.cron({
        weekDay: 'TUE',
        hour: '9',
        minute: '0',
        timeZone: TimeZone.ETC_UTC,
      }),
      timeWindow: scheduler.TimeWindow.off(),
      target: new targets.Universal({
        service: 'ecs',
        action: 'updateService',
        input: scheduler.ScheduleTargetInput.fromObject({
          Cluster: service.cluster.clusterName,
          Service: service.serviceName,
          ForceNewDeployment: true,
        }),
        role: schedulerRole(this),
        deadLetterQueue: deadLetters,
        policyStatements: [
          new iam.PolicyStatement({
            sid: 'RestartTheService',
            actions: ['ecs:UpdateService'],
            resources: [service.serviceArn],
          }),
        ],
      }),
    })
  }
}
