import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { AlarmTopics, Severity } from './alarm-topics.ts'

/** An alarm, as data: what is wrong when it comes, and what somebody who never saw it does first. */
export interface AlarmPlan {
  /** Kebab-case; also the heading of its section in docs/operations.md. */
  readonly name: string
  readonly severity: Severity
  /** What is so, and whom it harms. */
  readonly means: string
  /** The first thing to do. */
  readonly first: string
  readonly metric: IMetric
  /** The alarm is for values above it, or below it where `below` is set. */
  readonly threshold: number
  readonly below?: boolean
  /** So many of the last so many periods of the metric. */
  readonly of: readonly [breaching: number, periods: number]
  /** What missing values mean: nothing is wrong, that is wrong, or as before. Default `fine`. */
  readonly missing?: 'fine' | 'wrong' | 'as-before'
}

const MISSING = {
  fine: TreatMissingData.NOT_BREACHING,
  wrong: TreatMissingData.BREACHING,
  'as-before': TreatMissingData.IGNORE,
} as const

/** Longest text that CloudWatch takes. */
const DESCRIPTION_CHARACTERS = 1024

export function runbook(name: string): string {
  return `docs/operations.md#${name}`
}

/** Makes the alarm; it tells the topic of its severity when it comes and when it goes. */
export function watch(topics: AlarmTopics, prefix: string, plan: AlarmPlan): Alarm {
  const { name, severity, means, first, metric, threshold, below = false, missing = 'fine' } = plan
  const description = `[${severity}] ${means} First: ${first} Then: ${runbook(name)}`
  if (description.length > DESCRIPTION_CHARACTERS)
    throw new RangeError(`The alarm ${name} says more than CloudWatch keeps`)
  const alarm = new Alarm(topics, name, {
    alarmName: `${prefix}-${name}`,
    alarmDescription: description,
    metric,
    threshold,
    comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
    datapointsToAlarm: plan.of[0],
    evaluationPeriods: plan.of[1],
    treatMissingData: MISSING[missing],
  })
  alarm.addAlarmAction(topics.action(severity))
  alarm.addOkAction(topics.action(severity))
  return alarm
}
