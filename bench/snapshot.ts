import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { OptionValues } from '../scripts/read-options.ts'
import { migrate } from '../src/database/migrate.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/local/postgres.ts'
import { childrenCpuMsOf, cpuMsOf } from './api/processes.ts'
import { type Contestant, discardingS3, localS3, readOnly, rivals, snapshot } from './snapshot/contestants.ts'
import { bar, type Measured, perRow, print, type Result, ratioTo } from './snapshot/report.ts'
import { seedPlayers } from './snapshot/seed.ts'
import { sizes } from './snapshot/size.ts'

export const summary =
  'players to S3 as a committed snapshot, against binary COPY to nowhere, DuckDB, ADBC, parquetjs-lite'

/** The local S3 shares the cores with the snapshot and writes to disk. */
const TARGETS = { ratio: 1.15, localRatio: 2, duckdbRatio: 1.1, cpuMicros: 1.2, peakRssMiB: 350, bytesRatio: 1.05 }
const DISCARD = 'snapshot, S3 discards'
const LOCAL = 'snapshot, local S3'

export const OPTIONS = {
  rows: { type: 'string', default: '2000000', least: 1, help: 'players' },
  rounds: { type: 'string', default: '5', least: 1, help: 'rounds, in each of which each contestant runs once' },
  s3: { type: 'string', default: 'discard,local', help: 'where files go: discard, local, or both with a comma' },
  readers: {
    type: 'string',
    default: '2',
    least: 0,
    help: 'threads of a second snapshot, which reads the players by ranges; 0: none',
  },
  rivals: { type: 'string', default: 'duckdb,adbc,row-api', help: 'who else runs, with commas' },
} as const

async function play1(contestant: Contestant, cluster: EmbeddedPostgres): Promise<Measured> {
  const { servant } = contestant
  const cpu = () => [childrenCpuMsOf(cluster.pid), servant === undefined ? 0 : cpuMsOf(servant)] as const
  const before = cpu()
  const round = await contestant.run()
  const after = cpu()
  console.log(`  ${contestant.name.padEnd(28)} ${round.wallMs.toFixed(0).padStart(7)} ms`)
  return { ...round, databaseCpuMs: after[0] - before[0], servantCpuMs: after[1] - before[1] }
}

/** Every round in another order: whoever comes second finds the machine as the first left it. */
async function play(contestants: readonly Contestant[], rounds: number, cluster: EmbeddedPostgres): Promise<Result[]> {
  const results = contestants.map((contestant) => ({ contestant, rounds: [] as Measured[] }))
  for (let round = 0; round < rounds; round++) {
    console.log(`round ${round + 1}`)
    const order = round % 2 === 0 ? results : [...results].reverse()
    for (const { contestant, rounds: measured } of order) {
      if (round < contestant.rounds) measured.push(await play1(contestant, cluster))
    }
  }
  return results
}

function judge(results: readonly Result[], baseline: Result, rows: number): void {
  const by = (name: string) => results.find(({ contestant }) => contestant.name.startsWith(name))
  const [discard, local, duckdb] = [by(DISCARD), by(LOCAL), by('DuckDB')]
  if (discard) {
    bar('wall over psql', ratioTo(discard, baseline, rows).median, TARGETS.ratio)
    if (duckdb) bar('wall over DuckDB', ratioTo(discard, duckdb, rows).median, TARGETS.duckdbRatio)
    bar(
      'client CPU, us a row',
      perRow(discard, rows, (round) => round.cpuMs),
      TARGETS.cpuMicros,
    )
    bar('peak RSS, MiB', Math.max(...discard.rounds.map((round) => round.peakRssMiB)), TARGETS.peakRssMiB)
  }
  if (local) bar('wall over psql, local S3', ratioTo(local, baseline, rows).median, TARGETS.localRatio)
  for (const { contestant, rounds } of results.filter(({ contestant }) => contestant.name.startsWith('snapshot'))) {
    if (rounds.some((round) => round.rows !== rows))
      throw new Error(`A ${contestant.name} holds another number of rows`)
  }
  const short = results.filter(({ rounds }) => rounds.some((round) => round.rows !== 0 && round.rows !== rows))
  for (const { contestant, rounds } of short) console.log(`${contestant.name}: of ${rounds[0]?.rows} rows, scaled`)
}

export async function run(values: OptionValues<typeof OPTIONS>): Promise<void> {
  const [rows, rounds, readers] = [Number(values.rows), Number(values.rounds), Number(values.readers)]
  const dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-bench-'))
  const settings = ['fsync=off', 'shared_buffers=512MB', 'max_wal_size=4GB', 'autovacuum=off']
  const cluster = await startEmbeddedPostgres({ dir, database: 'bench', settings })
  const discard = values.s3.includes('discard') ? await discardingS3() : undefined
  const local = values.s3.includes('local') ? await localS3(dir) : undefined
  try {
    await migrate({ url: cluster.url })
    await seedPlayers(cluster.url, rows)
    const setting = { url: cluster.url, dir }
    const baseline = readOnly(setting, rounds)
    const contestants = [
      baseline,
      ...(discard ? [snapshot(DISCARD, setting, discard, rounds)] : []),
      ...(discard && readers > 0 ? [snapshot(`snapshot, ${readers} readers`, setting, discard, rounds, readers)] : []),
      ...(local ? [snapshot(LOCAL, setting, local, rounds)] : []),
      ...(await rivals(values.rivals.split(','), setting, rounds)),
    ]
    const results = await play(contestants, rounds, cluster)
    const psql = results[0] as Result
    print(results, psql, rows)
    judge(results, psql, rows)
    if (local) {
      const { duckdb, ours } = await sizes(local, dir)
      bar(`bytes, ${ours}, over DuckDB's zstd file of the same rows, ${duckdb}`, ours / duckdb, TARGETS.bytesRatio)
    }
  } finally {
    await discard?.stop()
    await local?.stop()
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}
