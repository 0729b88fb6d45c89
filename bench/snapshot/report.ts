import Table from 'cli-table3'
import type { Contestant, Round } from './contestants.ts'

/** A round beside what other processes used meanwhile. */
export interface Measured extends Round {
  readonly databaseCpuMs: number
  readonly servantCpuMs: number
}

export interface Result {
  readonly contestant: Contestant
  /** By round; a contestant of fewer rounds leaves the rest out. */
  readonly rounds: readonly Measured[]
}

export const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const range = (values: readonly number[]) =>
  values.length < 2 ? '' : ` (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`

/** Microseconds a row, median of the rounds. */
export function perRow({ rounds }: Result, rows: number, of: (round: Measured) => number): number {
  return median(rounds.map((round) => (of(round) * 1000) / (round.rows || rows)))
}

/** Wall over that of `baseline` in the same round, scaled to the same rows; median, then the ratios. */
export function ratioTo(result: Result, baseline: Result, rows: number): { median: number; all: readonly number[] } {
  const all = result.rounds.map((round, i) => {
    const scale = rows / (round.rows || rows)
    return (round.wallMs * scale) / (baseline.rounds[i]?.wallMs ?? Number.NaN)
  })
  return { median: median(all), all }
}

export function print(results: readonly Result[], baseline: Result, rows: number): void {
  const table = new Table({
    head: ['', 'wall, s', `x ${baseline.contestant.name}`, 'rows/s', 'client', 'Postgres', 'S3', 'RSS, MiB', 'MB'],
    style: { head: [] },
  })
  for (const result of results) {
    const { contestant, rounds } = result
    const ratio = ratioTo(result, baseline, rows)
    const wall = median(rounds.map((round) => (round.wallMs * rows) / (round.rows || rows)))
    const bytes = median(rounds.map((round) => (round.bytes * rows) / (round.rows || rows)))
    table.push([
      contestant.name,
      (wall / 1000).toFixed(2),
      `${ratio.median.toFixed(2)}${range(ratio.all)}`,
      Math.round((rows / wall) * 1000),
      perRow(result, rows, (round) => round.cpuMs).toFixed(2),
      perRow(result, rows, (round) => round.databaseCpuMs).toFixed(2),
      contestant.servant === undefined ? '' : perRow(result, rows, (round) => round.servantCpuMs).toFixed(2),
      Math.max(...rounds.map((round) => round.peakRssMiB)).toFixed(0),
      bytes === 0 ? '' : (bytes / 1e6).toFixed(1),
    ])
  }
  console.log(
    `${table.toString()}\nclient, Postgres, S3: CPU in us a row; medians, then smallest and largest of the rounds`,
  )
}

/** Says whether a figure keeps its target; one that does not is the bench's exit code as well. */
export function bar(what: string, value: number, limit: number): void {
  const kept = value <= limit
  console.log(`${kept ? 'within' : 'OVER  '}  ${what}: ${value.toFixed(2)}, target ${limit}`)
  if (!kept) process.exitCode = 1
}
