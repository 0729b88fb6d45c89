import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { OptionValues } from '../scripts/read-options.ts'
import { sparkEnvironment } from '../src/local/spark/spark-environment.ts'
import { cpuMsOf } from './api/processes.ts'
import type { HistoryOrder } from './curate/duckdb-history.ts'
import { type BenchLake, startBenchLake } from './curate/lake.ts'
import { type LakeSize, takenAt } from './curate/lake-rows.ts'
import { measured, type Usage } from './curate/measured-process.ts'
import { commitSnapshot, makeSnapshot, type RawSnapshot, uploadSnapshot } from './curate/raw-snapshots.ts'
import { print, type Result } from './curate/report.ts'
import { copySnapshots, curate, type SparkSetting } from './curate/spark-programs.ts'

export const summary =
  'the curated tables of several snapshots on real Spark: rebuilt, one snapshot more, against a copy and DuckDB'

export const OPTIONS = {
  players: { type: 'string', default: '1000000', least: 1, help: 'players of each snapshot' },
  entries: { type: 'string', least: 1, help: 'library entries (default four for each tenth player)' },
  snapshots: { type: 'string', default: '3', least: 1, help: 'snapshots' },
  rounds: { type: 'string', default: '1', least: 1, help: 'rounds of each program' },
  memory: { type: 'string', default: '2g', help: "Java's heap, and what DuckDB may use" },
  cores: { type: 'string', default: '2', least: 1, help: 'cores of each program' },
  baselines: {
    type: 'boolean',
    default: true,
    help: 'without the copy by Spark and the history by DuckDB, a third of the time',
  },
  'limit-minutes': { type: 'string', default: '60', above: 0, help: 'minutes that each program may take' },
  dir: { type: 'string', default: os.tmpdir(), help: 'folder on a disk with room: 2 KB a player' },
} as const
const BYTES_A_PLAYER = 2_000
const FULL = 'curate, full'
const MORE = 'curate, one snapshot more'

interface Bench {
  readonly lake: BenchLake
  readonly setting: SparkSetting
  readonly snapshots: readonly RawSnapshot[]
}

async function requireRoom(dir: string, players: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir)
  const needed = 2e9 + players * BYTES_A_PLAYER
  if (bavail * bsize < needed)
    throw new Error(
      `${dir} has ${((bavail * bsize) / 1e9).toFixed(0)} GB free, this needs ${(needed / 1e9).toFixed(0)}: use --dir or fewer --players`,
    )
}

async function makeSnapshots(size: LakeSize, dir: string, { s3, place }: BenchLake): Promise<RawSnapshot[]> {
  const made: RawSnapshot[] = []
  for (let at = 0; at < size.snapshots; at++) {
    const began = performance.now()
    const snapshot = await makeSnapshot(size, at, dir)
    await uploadSnapshot(s3, place.bucket, snapshot)
    made.push(snapshot)
    const { bytes, rows } = snapshot.manifest.totals
    console.log(
      `snapshot ${at + 1}: ${rows} rows, ${(bytes / 1e6).toFixed(0)} MB, ${((performance.now() - began) / 1000).toFixed(0)} s`,
    )
  }
  return made
}

/** The same history of players and entries, by DuckDB out of the files on disk. */
async function duckdb({
  setting,
  snapshots,
}: Bench): Promise<{ usage: Usage; rows: Readonly<Record<string, number>> }> {
  const dir = path.join(setting.dir, 'duckdb')
  await mkdir(dir, { recursive: true })
  const order: HistoryOrder = {
    snapshots: snapshots.map(({ files }, at) => ({ takenAt: takenAt(at), files })),
    ...{ memory: `${Number.parseInt(setting.memory, 10)}GiB`, threads: setting.cores, dir },
  }
  const rows: Record<string, number> = {}
  const usage = await measured({
    ...{
      program: process.execPath,
      args: [path.join(import.meta.dirname, 'curate/duckdb-history.ts'), JSON.stringify(order)],
    },
    ...{ env: process.env, cwd: dir, limitMs: setting.limitMs },
    onLine(line) {
      if (!line.startsWith('{')) return
      const told = JSON.parse(line) as { table: string; rows: number }
      rows[told.table] = told.rows
    },
  })
  await rm(dir, { recursive: true, force: true })
  return { usage, rows }
}

function mustEqual(what: string, one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): void {
  const differing = Object.keys(one).filter((table) => one[table] !== other[table])
  if (differing.length > 0)
    throw new Error(`${what}: ${differing.map((each) => `${each} ${one[each]} and ${other[each]}`).join(', ')}`)
}

/** One program: what it used, and what the local S3 did for it meanwhile. */
async function play(
  results: Map<string, Result>,
  lake: BenchLake,
  name: string,
  program: () => Promise<Usage>,
): Promise<void> {
  const before = cpuMsOf(lake.aws.pid)
  const usage = await program()
  const s3CpuMs = cpuMsOf(lake.aws.pid) - before
  const result = results.get(name) ?? { name, rounds: [] }
  results.set(name, { ...result, rounds: [...result.rounds, { ...usage, s3CpuMs }] })
  console.log(
    `  ${name.padEnd(28)} ${(usage.wallMs / 1000).toFixed(1).padStart(8)} s ${usage.peakRssMiB.toFixed(0).padStart(6)} MiB`,
  )
}

/** Everything once, from a lake without curated tables on. */
async function round(bench: Bench, results: Map<string, Result>, baselines: boolean): Promise<void> {
  const { lake, setting, snapshots } = bench
  const { bucket } = lake.place
  const last = snapshots.at(-1) as RawSnapshot
  for (const prefix of ['curated/', 'curated-meta/', 'lake-meta/v1/manifests/']) await lake.empty(prefix)
  for (const each of snapshots.slice(0, -1)) await commitSnapshot(lake.s3, bucket, each)
  await play(results, lake, `curate, first ${snapshots.length - 1} snapshots`, () => curate(setting, lake))
  await commitSnapshot(lake.s3, bucket, last)
  await play(results, lake, MORE, () => curate(setting, lake))
  const more = await lake.curatedRows()
  await play(results, lake, FULL, () => curate(setting, lake, ['--full-rebuild']))
  const full = await lake.curatedRows()
  mustEqual('One snapshot more and a full rebuild show other rows', more, full)
  await play(results, lake, 'nothing to do', () => curate(setting, lake))
  if (!baselines) return
  await play(results, lake, 'Spark copies the snapshots', () => copySnapshots(setting, lake))
  await lake.empty('copy/')
  let told: Readonly<Record<string, number>> = {}
  await play(results, lake, 'DuckDB, two of the tables', async () => {
    const { rows, usage } = await duckdb(bench)
    told = rows
    return usage
  })
  mustEqual('DuckDB and Spark show other rows', told, full)
}

export async function run(values: OptionValues<typeof OPTIONS>): Promise<void> {
  const players = Number(values.players)
  const size = {
    players,
    entries: Number(values.entries ?? Math.ceil(players * 0.4)),
    snapshots: Number(values.snapshots),
  }
  const spark = await sparkEnvironment(console.log)
  if ('missing' in spark) throw new Error(spark.missing)
  await requireRoom(values.dir, players)
  const dir = await mkdtemp(path.join(values.dir, 'rocketgames-bench-'))
  const forget = () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  process.on('exit', forget)
  // Programs end with this one, which must come to its exit for that.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  let lake: BenchLake | undefined
  try {
    lake = await startBenchLake(dir)
    const snapshots = await makeSnapshots(size, dir, lake)
    const limits = {
      cores: Number(values.cores),
      memory: values.memory,
      limitMs: Number(values['limit-minutes']) * 60_000,
    }
    const setting = { spark, dir, ...limits }
    const results = new Map<string, Result>()
    for (let number = 1; number <= Number(values.rounds); number++) {
      console.log(`round ${number}`)
      await round({ lake, setting, snapshots }, results, values.baselines)
    }
    print([...results.values()], {
      size,
      setting,
      bytes: snapshots.reduce((sum, each) => sum + each.manifest.totals.bytes, 0),
    })
    console.log(
      `Curated: ${JSON.stringify(await lake.curatedRows())} rows, ${((await lake.curatedBytes()) / 1e6).toFixed(0)} MB`,
    )
  } finally {
    await lake?.stop()
    forget()
    process.off('exit', forget)
  }
}
