import { Duration } from 'aws-cdk-lib'
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { StageSettings } from '../stages.ts'
import type { ProgramMetrics } from './program-metrics.ts'
import { COLLECTOR_MIB } from './trace-collector.ts'
import type { AlarmPlan } from './watched-alarm.ts'

/** A committed snapshot waits for the crawler at most 30 minutes (LAKE_CRAWLER_WAIT); a prepared one commits in seconds. */
const WAITING_SECONDS = 45 * 60
const JOB_AGE_SECONDS = 15 * 60
const ERROR_PERCENT = 1
/** Fewer requests in five minutes say nothing about a share. */
const ENOUGH_REQUESTS = 100
/** Errors that count whatever the share: a stage that is hardly used can be broken, too. */
const MANY_ERRORS = 20
const SLOW_MS = 1_000
const BLOCKED_MS = 500
const MEMORY_SHARE = 0.85
const WAITING_REQUESTS = 20

/** Alarms on what the database tells of snapshots; they hold in every stage, whatever answers requests. */
export function snapshotAlarms(metrics: ProgramMetrics): AlarmPlan[] {
  return [
    {
      name: 'snapshot-too-old',
      severity: 'page',
      means:
        'The newest published snapshot is older than one and a half periods of its schedule: analysts see old data.',
      first: 'rocketgames snapshots: did the last run fail, wait, or never start?',
      metric: metrics.state('SnapshotAgeRatio'),
      threshold: 1,
      of: [2, 2],
      missing: 'as-before',
    },
    {
      name: 'snapshot-not-published',
      severity: 'page',
      means: 'A snapshot is written and has not been published for 45 minutes: recovery could not end it.',
      first: 'Look at the last lines of the care task, then at the crawler and at CatalogueDrift.',
      metric: metrics.state('SnapshotWaiting'),
      threshold: WAITING_SECONDS,
      of: [1, 1],
      missing: 'as-before',
    },
    {
      name: 'snapshot-failed',
      severity: 'ticket',
      means: 'A snapshot failed within the last hour; those that made way for a migration do not count.',
      first: 'rocketgames snapshots names its code; docs/snapshots.md has a row for each.',
      metric: metrics.state('SnapshotFailures'),
      threshold: 0,
      of: [1, 1],
    },
    {
      name: 'catalogue-drift',
      severity: 'page',
      means:
        'The Glue catalogue differs from the contract, so that the next snapshot is not published; views stay where they are.',
      first: 'rocketgames verify names each difference; find in CloudTrail who made it.',
      metric: metrics.state('CatalogueDrift'),
      threshold: 0,
      of: [2, 2],
      missing: 'as-before',
    },
  ]
}

/** Alarms on requests, jobs and the schema of the database. */
export function requestAlarms(metrics: ProgramMetrics): AlarmPlan[] {
  return [
    {
      name: 'server-errors',
      severity: 'page',
      means: `More than ${ERROR_PERCENT} % of requests, or more than ${MANY_ERRORS} in five minutes, are answered with 5xx.`,
      first:
        'Dashboard: are database, deployment or one code of problem to blame? Roll back if a deployment came before.',
      metric: new MathExpression({
        expression: `IF(errors > ${MANY_ERRORS} OR (requests > ${ENOUGH_REQUESTS} AND 100 * errors / requests > ${ERROR_PERCENT}), 1, 0)`,
        usingMetrics: { errors: metrics.count('ServerErrors'), requests: metrics.count('Requests') },
        label: 'too many 5xx',
        period: Duration.minutes(5),
      }),
      threshold: 0,
      of: [2, 3],
    },
    {
      name: 'requests-slow',
      severity: 'ticket',
      means: `One request of a hundred takes longer than ${SLOW_MS} ms for a quarter of an hour, in which there were enough to tell.`,
      first: 'Compare with the load of the database and EventLoopDelay; then the slowest traces.',
      // Of a handful the slowest is the hundredth: a single import would be an alarm where there is hardly any traffic.
      metric: new MathExpression({
        expression: `IF(timed >= ${ENOUGH_REQUESTS}, slowest, 0)`,
        usingMetrics: {
          timed: metrics.process('RequestTime', Stats.SAMPLE_COUNT),
          slowest: metrics.process('RequestTime', 'p99'),
        },
        label: 'p99 of requests, ms',
        period: Duration.minutes(5),
      }),
      threshold: SLOW_MS,
      of: [3, 3],
    },
    {
      name: 'migrations-pending',
      severity: 'page',
      means:
        'A process runs against a database that lacks migrations of its version: new processes do not become ready.',
      first: 'Was the migrate task left out, or did it fail? Its log tells; run it again.',
      metric: metrics.state('PendingMigrations'),
      threshold: 0,
      of: [3, 3],
    },
    {
      name: 'jobs-waiting',
      severity: 'ticket',
      means: 'A job has waited for a quarter of an hour: nobody takes jobs, or there are more than can be done.',
      first: 'Compare JobsWaiting over the day: rising means load, a step means that workers stopped.',
      metric: metrics.state('OldestJobAge'),
      threshold: JOB_AGE_SECONDS,
      of: [2, 2],
      missing: 'as-before',
    },
  ]
}

/** Alarms on processes that live long: those of ECS. A function has neither a memory that grows for days nor a pool. */
export function processAlarms(metrics: ProgramMetrics, { service, tracing }: StageSettings): AlarmPlan[] {
  const memoryMiB = service.memoryMiB - (tracing ? COLLECTOR_MIB : 0)
  return [
    {
      name: 'event-loop-blocked',
      severity: 'ticket',
      means: `A process did not come to its events for more than ${BLOCKED_MS} ms, in most minutes of the last quarter of an hour.`,
      first: 'Is the processor at its limit? Otherwise look for one dear request in the access log of those minutes.',
      metric: metrics.process('EventLoopDelay', 'Maximum', Duration.minutes(1)),
      threshold: BLOCKED_MS,
      of: [10, 15],
    },
    {
      name: 'memory-high',
      severity: 'ticket',
      means: `A process holds more than ${100 * MEMORY_SHARE} % of what its task has for it, and ECS ends it at all of that.`,
      first:
        'Has it risen for days, or with one request? Restart the service to win time: a new deployment of the same version.',
      metric: metrics.process('ResidentMemory', 'Maximum'),
      threshold: MEMORY_SHARE * memoryMiB * 1024 * 1024,
      of: [3, 3],
    },
    {
      name: 'pool-exhausted',
      severity: 'ticket',
      means: `More than ${WAITING_REQUESTS} requests of a process wait for a connection to the database.`,
      first: 'Is the database slow or blocked (Performance Insights: top waits)? Otherwise there are too few replicas.',
      metric: metrics.process('PoolWaiting', 'Maximum', Duration.minutes(1)),
      threshold: WAITING_REQUESTS,
      of: [5, 5],
    },
  ]
}

/**
 * All other alarms are blind where nobody writes. Tasks of ECS write each minute; beside a function, which writes while somebody calls it, a
 * task that comes every five minutes does.
 */
export function silenceAlarm(metrics: ProgramMetrics, { compute }: StageSettings): AlarmPlan {
  const minutes = compute === 'fargate' ? 5 : 15
  return {
    name: 'metrics-silent',
    severity: 'page',
    means: `No process has written metrics for ${2 * minutes} minutes: none runs, or all other alarms are blind.`,
    first: 'Do tasks run (ECS: desired and running ones, and why others stopped)? Do their log streams have new lines?',
    metric: metrics.lines(Duration.minutes(minutes)),
    threshold: 1,
    below: true,
    of: [2, 2],
    missing: 'wrong',
  }
}
