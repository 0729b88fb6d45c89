import { Duration } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'

/** Where the program's metrics are; it writes them with METRICS=emf, once a minute, from every process. */
export const METRICS_NAMESPACE = 'RocketGames/Accounts'

/**
 * Read from the database, by every process the same: take the maximum. Seconds, or counts. Without any snapshot, SnapshotAge is that
 * of the system.
 */
export const STATE_METRICS = [
  'SnapshotAge',
  'SnapshotAgeLimit',
  'SnapshotAgeRatio',
  'SnapshotWaiting',
  'SnapshotFailures',
  'CatalogueDrift',
  'PendingMigrations',
  'JobsWaiting',
  'OldestJobAge',
] as const
/** Counts of a process since its last line: take the sum. */
export const COUNT_METRICS = ['Requests', 'ServerErrors', 'RateLimited'] as const
/** Of a process: milliseconds, milliseconds, bytes, requests that wait for a connection. */
export const PROCESS_METRICS = ['RequestTime', 'EventLoopDelay', 'ResidentMemory', 'PoolWaiting'] as const

type StateMetric = (typeof STATE_METRICS)[number]
type CountMetric = (typeof COUNT_METRICS)[number]
type ProcessMetric = (typeof PROCESS_METRICS)[number]

/** The metrics of one stage, each with the only statistic that tells something. */
export class ProgramMetrics {
  readonly #stage: string

  constructor(stage: string) {
    this.#stage = stage
  }

  state(name: StateMetric, period = Duration.minutes(5)): Metric {
    return this.#metric(name, Stats.MAXIMUM, period)
  }

  count(name: CountMetric, period = Duration.minutes(5)): Metric {
    return this.#metric(name, Stats.SUM, period)
  }

  /** @param statistic `Maximum`, `p99`. */
  process(name: ProcessMetric, statistic: string, period = Duration.minutes(5)): Metric {
    return this.#metric(name, statistic, period)
  }

  /** How many lines came from processes: none when nobody writes any more. */
  lines(period: Duration): Metric {
    return this.#metric('Requests', Stats.SAMPLE_COUNT, period)
  }

  #metric(metricName: string, statistic: string, period: Duration): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { Stage: this.#stage },
      statistic,
      period,
    })
  }
}
