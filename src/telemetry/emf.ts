/**
 * CloudWatch's embedded metric format: a log line of JSON whose root members are taken as metrics, as `_aws` says (specification
 * "Embedded metric format" in CloudWatch's user guide).
 */

export const NAMESPACE = 'RocketGames/Accounts'

export type Unit = 'Count' | 'Milliseconds' | 'Seconds' | 'Bytes' | 'None'

export interface Metric {
  readonly name: string
  readonly unit: Unit
  /** Several: each is counted, so that percentiles are those of all of them. */
  readonly value: number | readonly number[]
}

/** "Target members": an array holds at most so many values; a directive names at most so many metrics. */
const MOST_VALUES = 100
const MOST_METRICS = 100

export interface EmfOptions {
  readonly stage: string
  readonly at: Date
}

/** As many lines as the values need, each without a line feed. Metrics without values are left out. */
export function emfLines(metrics: readonly Metric[], options: EmfOptions): string[] {
  const single = metrics.filter(({ value }) => typeof value === 'number')
  const lines: string[] = []
  for (let from = 0; from < single.length; from += MOST_METRICS) {
    lines.push(emfLine(single.slice(from, from + MOST_METRICS), options))
  }
  for (const { name, unit, value } of metrics) {
    if (typeof value === 'number') continue
    for (let from = 0; from < value.length; from += MOST_VALUES) {
      lines.push(emfLine([{ name, unit, value: value.slice(from, from + MOST_VALUES) }], options))
    }
  }
  return lines
}

function emfLine(metrics: readonly Metric[], { stage, at }: EmfOptions): string {
  const directive = {
    Namespace: NAMESPACE,
    Dimensions: [['Stage']],
    Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
  }
  return JSON.stringify({
    _aws: { Timestamp: at.getTime(), CloudWatchMetrics: [directive] },
    Stage: stage,
    ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
  })
}
