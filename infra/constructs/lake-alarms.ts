import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { AlarmPlan } from './watched-alarm.ts'

const TERABYTE = 1e12
/**
 * A queue that nobody touched for hours and a work group without a query have no values at all, and `+` has one only where both sides
 * do: it would hide what the others tell, and `FILL` has nothing to begin with in a series that is empty.
 */
const SUM_OF_THOSE_THERE_ARE = 'SUM(METRICS())'

export interface LakeAlarmsInput {
  /** Starts that were given up: of tasks by their schedules, of the curate run after a snapshot. */
  readonly deadLetters: readonly IQueue[]
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
  return new MathExpression({
    expression: SUM_OF_THOSE_THERE_ARE,
    usingMetrics: Object.fromEntries(metrics),
    label: 'bytes scanned',
    period,
  })
}

/** Messages in all of the queues. */
function waiting(queues: readonly IQueue[]): MathExpression {
  const period = Duration.minutes(5)
  const metrics = queues.map((queue, i) => [
    `q${i}`,
    queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period }),
  ])
  return new MathExpression({
    expression: SUM_OF_THOSE_THERE_ARE,
    usingMetrics: Object.fromEntries(metrics),
    label: 'given up',
    period,
  })
}

/** Alarms on what AWS itself knows of the lake: starts of tasks that never came, and what queries cost. */
export function lakeAlarms({ deadLetters, workgroups }: LakeAlarmsInput): AlarmPlan[] {
  return [
    {
      name: 'schedule-dead-letter',
      severity: 'page',
      means: 'A start was given up, of a task by its schedule or of the curate run after a snapshot: it did not run.',
      first:
        'Read the message in the queue: its attributes have the error of ECS. Start the task by hand, then purge the queue.',
      metric: waiting(deadLetters),
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
