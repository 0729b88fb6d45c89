import { Counter, Gauge, type Registry } from 'prom-client'
import { sharedReading } from '../metrics.ts'
import type { LakeFigures, LastRun } from './lake-figures.ts'
import { PROBLEM_GUIDE } from './problem-guide.ts'

export interface LakeMetricsOptions {
  readonly read: () => Promise<LakeFigures>
  /** How old the newest published snapshot may become before somebody has to know; undefined: nothing is scheduled. */
  readonly ageLimitSeconds: number | undefined
}

interface Sample {
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** One metric: what it is called, and its samples; none where there is nothing to tell. */
interface Definition {
  readonly name: string
  readonly help: string
  readonly label?: string
  readonly samples: (figures: LakeFigures, options: LakeMetricsOptions) => readonly Sample[]
}

const one = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [{ value }])
const seconds = (at: Date | null | undefined) => (at ? at.getTime() / 1000 : undefined)
const labelled = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([name, value]) => ({ value: Number(value), labels: { [label]: name } }))
const lastRun = (name: string, help: string, of: (last: LastRun) => number): Definition => ({
  name: `lake_snapshot_last_run_${name}`,
  help: `${help} of the newest run that is over`,
  samples: ({ last }) => one(last === null ? undefined : of(last)),
})

const GAUGES: readonly Definition[] = [
  {
    name: 'lake_snapshot_last_published_timestamp_seconds',
    help: 'The instant that the newest published snapshot shows, Unix time; absent before the first',
    samples: ({ lastTakenAt }) => one(seconds(lastTakenAt)),
  },
  {
    name: 'lake_snapshot_age_limit_seconds',
    help: 'One and a half times the longest time between two snapshots of LAKE_SCHEDULE; absent without a schedule',
    samples: (_, { ageLimitSeconds }) => one(ageLimitSeconds),
  },
  {
    name: 'lake_snapshot_waiting_since_timestamp_seconds',
    help: 'Since when a snapshot is prepared or committed and not published, Unix time; absent when there is none',
    label: 'state',
    samples: ({ waiting }) =>
      waiting ? [{ value: seconds(waiting.since) ?? 0, labels: { state: waiting.state } }] : [],
  },
  {
    name: 'lake_snapshots',
    help: 'Snapshots by state',
    label: 'state',
    samples: ({ snapshots }) => labelled('state', snapshots),
  },
  {
    name: 'lake_catalogue_drift_findings',
    help: 'Differences between catalogue and contract that keep the newest snapshot from being published',
    samples: ({ drift }) => one(drift),
  },
  {
    name: 'lake_uploads_pending',
    help: 'Multipart uploads that are neither completed nor aborted',
    samples: ({ pending }) => one(pending.uploads),
  },
  {
    name: 'lake_uploads_pending_bytes',
    help: 'Bytes of the uploads that are pending and whole',
    samples: ({ pending }) => one(pending.bytes),
  },
  {
    name: 'lake_holds',
    help: 'Holds that keep snapshots from being removed',
    samples: ({ holds }) => one(holds),
  },
  lastRun('success', '1 for published, 0 for failed: the end', ({ published }) => (published ? 1 : 0)),
  lastRun('duration_seconds', 'Time', (last) => last.seconds),
  lastRun('rows', 'Rows', ({ rows }) => rows),
  lastRun('bytes', 'Bytes of Parquet', ({ bytes }) => bytes),
  lastRun('rows_per_second', 'Rows per second, while they were read and uploaded,', (last) => last.rowsPerSecond),
  lastRun('cpu_seconds', 'CPU of the process', ({ cpuSeconds }) => cpuSeconds),
  lastRun('peak_memory_bytes', 'Most resident memory of the process', ({ peakRssBytes }) => peakRssBytes),
  {
    name: 'lake_snapshot_last_run_phase_seconds',
    help: 'Time of each phase of the newest run that is over; crawl and crawler_wait are the time of the crawler',
    label: 'phase',
    samples: ({ last }) => labelled('phase', last?.phases ?? {}),
  },
]

const NO_FAILURES = Object.fromEntries(Object.keys(PROBLEM_GUIDE).map((code) => [code, 0]))

const COUNTERS: readonly Definition[] = [
  {
    name: 'lake_snapshot_failures_total',
    help: 'Runs that failed, by code; preempted_by_migration counts those that made way',
    label: 'code',
    // Every code from the start: increase() does not see the first failure of a series that begins with it.
    samples: ({ failures }) => labelled('code', { ...NO_FAILURES, ...failures }),
  },
  {
    name: 'lake_snapshot_parts_sent_total',
    help: 'Parts of uploads that S3 acknowledged',
    samples: ({ sums }) => one(sums.partsSent),
  },
  {
    name: 'lake_snapshot_parts_resent_total',
    help: 'Parts of uploads that were sent again',
    samples: ({ sums }) => one(sums.partsResent),
  },
  {
    name: 'lake_snapshot_slow_downs_total',
    help: 'Times that S3 asked to slow down (503)',
    samples: ({ sums }) => one(sums.slowDowns),
  },
  {
    name: 'lake_snapshot_calls_repeated_total',
    help: 'Calls to S3 that were repeated, those of parts included',
    samples: ({ sums }) => one(sums.callsRepeated),
  },
  {
    name: 'lake_snapshot_unrepresentable_values_total',
    help: 'Values that Parquet cannot hold and that became NULL, where the contract allows it',
    samples: ({ sums }) => one(sums.unrepresentable),
  },
]

/** Metrics of the lake, read when they are scraped. While they cannot be read they are absent, and `lake_metrics_up` is 0. */
export function registerLakeMetrics(registry: Registry, options: LakeMetricsOptions): void {
  const read = sharedReading(options.read)
  const registers = [registry]
  for (const { help, label, name, samples } of GAUGES) {
    new Gauge({
      ...{ name, help, labelNames: label === undefined ? [] : [label], registers },
      async collect() {
        const figures = await read()
        this.reset()
        if (label === undefined) this.remove()
        for (const { labels = {}, value } of figures ? samples(figures, options) : []) this.set(labels, value)
      },
    })
  }
  for (const { help, label, name, samples } of COUNTERS) {
    new Counter({
      ...{ name, help, labelNames: label === undefined ? [] : [label], registers },
      async collect() {
        const figures = await read()
        this.reset()
        if (label === undefined) this.remove()
        for (const { labels = {}, value } of figures ? samples(figures, options) : []) this.inc(labels, value)
      },
    })
  }
  new Gauge({
    ...{ name: 'lake_metrics_up', help: '1 when the metrics of the lake could be read, 0 when not', registers },
    async collect() {
      this.set((await read()) === undefined ? 0 : 1)
    },
  })
}
