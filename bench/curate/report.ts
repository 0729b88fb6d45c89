import Table from 'cli-table3'
import { median } from '../snapshot/report.ts'
import type { LakeSize } from './lake-rows.ts'
import type { Usage } from './measured-process.ts'

export interface Round extends Usage {
  /** Of the local S3, beside the program's own. */
  readonly s3CpuMs: number
}

export interface Result {
  readonly name: string
  readonly rounds: readonly Round[]
}

export interface Setting {
  readonly size: LakeSize
  readonly setting: { readonly cores: number; readonly memory: string }
  /** Of all snapshots. */
  readonly bytes: number
}

const BASELINE = 'Spark copies the snapshots'
const range = (values: readonly number[]) =>
  values.length < 2 ? '' : ` (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`

/** Medians of the rounds; ratios are those of the same round. */
export function print(results: readonly Result[], { bytes, setting, size }: Setting): void {
  const baseline = results.find(({ name }) => name === BASELINE)
  const millions = (size.players * size.snapshots) / 1e6
  const table = new Table({
    head: ['', 'wall, s', 'x copy', 's a million rows', 'CPU, s', 'S3, s', 'RSS, MiB'],
    style: { head: [] },
  })
  for (const { name, rounds } of results) {
    const wall = median(rounds.map(({ wallMs }) => wallMs)) / 1000
    const ratios = rounds.map(({ wallMs }, i) => wallMs / (baseline?.rounds[i]?.wallMs ?? Number.NaN))
    table.push([
      name,
      wall.toFixed(1),
      baseline === undefined ? '' : `${median(ratios).toFixed(2)}${range(ratios)}`,
      (wall / millions).toFixed(2),
      (median(rounds.map(({ cpuMs }) => cpuMs)) / 1000).toFixed(1),
      (median(rounds.map(({ s3CpuMs }) => s3CpuMs)) / 1000).toFixed(1),
      Math.max(...rounds.map(({ peakRssMiB }) => peakRssMiB)).toFixed(0),
    ])
  }
  console.log(table.toString())
  console.log(
    [
      `${size.snapshots} snapshots of ${size.players} players and ${size.entries} library entries, ${(bytes / 1e6).toFixed(0)} MB; between two`,
      `1 % of the rows change and 0.1 % are new. Spark local[${setting.cores}], heap ${setting.memory}; RSS of all processes of a program.`,
      'A million rows: of the players in all snapshots.',
    ].join('\n'),
  )
}
