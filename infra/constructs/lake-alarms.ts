import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { AlarmPlan } from './watched-alarm.ts'

const TERABYTE = 1e12

export interface LakeAlarmsInput {
  /** Starts of tasks that the schedules gave up. */
  readonly deadLetters: IQueue
  readonly workgroups: readonly string[]
}

/** Bytes that the queries of all work groups scanned: what Athena bills. */
export function scannedBytes(workgroups: readonly string[], period: Duration): MathExpression {
  const metrics = workgroups.map((WorkGroup, i) => [
    `w${i}`,
    new Metric({
      namespace: 'AWS/Athena',
      metricName: 'ProcessedBytes',
      dimensionsMap: { WorkGroup },
      statistic: Stats.SUM,
      period,
      label: WorkGroup,
    }),
  ])
  const names = workgroups.map((_, i) => `FILL(w${i}, 0)`)
  return new MathExpression({
    expression: names.join(' + '),
    usingMetrics: Object.fromEntries(metrics),
    label: 'bytes scanned',
    period,
  })
}

/** Alarms on what AWS itself knows of the lake: starts of tasks that never came, and what queries cost. */
export function lakeAlarms({ deadLetters, workgroups }: LakeAlarmsInput): AlarmPlan[] {
  return [
    {
      name: 'schedule-dead-letter',
      severity: 'page',
      means: 'A schedule gave up the start of a task (snapshot, care, or work): it did not run.',
      first:
        'Read the message in the queue: its attributes have the error of ECS. Start the task by hand, then purge the queue.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: 0,
      of: [1, 1],
      missing: 'as-before',
    },
    {
      name: 'queries-dear',
      severity: 'ticket',
      means: 'Queries of Athena scanned more than a terabyte within a day: about five dollars.',
      first:
        'Which work group, and which query? Its history shows bytes for each; a filter on snapshot_id is missing most often.',
      metric: scannedBytes(workgroups, Duration.days(1)),
      threshold: TERABYTE,
      of: [1, 1],
    },
  ]
}
