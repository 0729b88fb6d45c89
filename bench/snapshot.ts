import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { contracts, copySelect } from '../src/lake/contract.ts'
import { startEmbeddedPostgres } from '../src/local/postgres.ts'
import { startLocalS3 } from './snapshot/local-s3.ts'
import { seedPlayers } from './snapshot/seed.ts'

export const summary = 'players to S3 as a committed snapshot, against binary COPY of the same columns to nowhere'

interface Round {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakRssMiB: number
  readonly rows: number
  readonly bytes: number
}

/** The local S3 shares the cores with the snapshot and writes to disk. */
const TARGET = { ratio: { discard: 1.5, local: 2 }, peakRssMiB: 350 }

/** A child's standard output when it ends well. */
function output(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))))
  })
}

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** psql reads the same COPY into /dev/null; `time` tells its CPU. Without psql a Node socket does, which costs more. */
async function readOnly(url: string): Promise<Pick<Round, 'wallMs' | 'cpuMs'>> {
  const contract = contracts.find((each) => each.table === 'player')!
  const sql = `COPY (${copySelect(contract)}) TO STDOUT (FORMAT binary)`
  const began = performance.now()
  if (!hasPsql()) {
    const cpu = await output(
      process.execPath,
      [path.join(import.meta.dirname, 'snapshot/read-only.ts'), url, sql],
      process.env,
    )
    return { wallMs: performance.now() - began, cpuMs: Number(cpu) }
  }
  // In a pipe `times` would run in a shell of its own, which has no children; its second line tells those of this one.
  const script = 'psql -X -q "$1" -c "$2" > /dev/null; times'
  const times = await output('bash', ['-c', script, 'bash', url, sql], process.env)
  const cpuMs = [...(times.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + (Number(m) * 60 + Number(s)) * 1000,
    0,
  )
  return { wallMs: performance.now() - began, cpuMs }
}

async function startDiscardingS3(): Promise<{ endpoint: string; stop(): void | Promise<void> }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'snapshot/discard-s3.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())))
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => void child.stdin.end() }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const range = (values: readonly number[]) => `${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)}`

function print(
  name: string,
  limit: number,
  snapshots: readonly Round[],
  psql: readonly Pick<Round, 'wallMs' | 'cpuMs'>[],
): void {
  const rows = snapshots[0]?.rows ?? 0
  const ratios = snapshots.map((round, i) => round.wallMs / (psql[i]?.wallMs ?? Number.NaN))
  const table = new Table({ head: [name, 'snapshot', hasPsql() ? 'psql' : 'node socket (no psql here)'] })
  const perRow = (ms: number) => ((ms * 1000) / rows).toFixed(2)
  table.push(
    [
      'wall, s (median)',
      (median(snapshots.map((r) => r.wallMs)) / 1000).toFixed(2),
      (median(psql.map((r) => r.wallMs)) / 1000).toFixed(2),
    ],
    [
      'rows/s',
      Math.round(rows / (median(snapshots.map((r) => r.wallMs)) / 1000)),
      Math.round(rows / (median(psql.map((r) => r.wallMs)) / 1000)),
    ],
    ['CPU, µs per row', perRow(median(snapshots.map((r) => r.cpuMs))), perRow(median(psql.map((r) => r.cpuMs)))],
    ['peak RSS, MiB', Math.max(...snapshots.map((r) => r.peakRssMiB)).toFixed(0), ''],
    ['bytes', snapshots[0]?.bytes ?? 0, ''],
    ['wall ratio, median of pairs', `${median(ratios).toFixed(2)} (${range(ratios)})`, '1'],
  )
  console.log(table.toString())
  const ok = median(ratios) <= limit && snapshots.every((r) => r.peakRssMiB <= TARGET.peakRssMiB)
  console.log(`${ok ? 'within' : 'OVER'} the target of ${limit} x and ${TARGET.peakRssMiB} MiB\n`)
}

export async function run(options: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      rows: { type: 'string', default: '2000000' },
      pairs: { type: 'string', default: '5' },
      s3: { type: 'string', default: 'discard' },
    },
  })
  const dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-bench-'))
  const settings = ['fsync=off', 'shared_buffers=512MB', 'max_wal_size=4GB', 'autovacuum=off']
  const cluster = await startEmbeddedPostgres({ dir, database: 'bench', settings })
  const s3 =
    values.s3 === 'local'
      ? await startLocalS3(dir)
      : { ...(await startDiscardingS3()), accessKeyId: 'a', secretAccessKey: 'b' }
  try {
    await migrate({ url: cluster.url })
    await seedPlayers(cluster.url, Number(values.rows))
    const argument = JSON.stringify({ ...s3, databaseUrl: cluster.url, bucket: 'lake' })
    const snapshots: Round[] = []
    const psql: Pick<Round, 'wallMs' | 'cpuMs'>[] = []
    const snapshot = async () => {
      const line = await output(
        process.execPath,
        [path.join(import.meta.dirname, 'snapshot/runner.ts'), argument],
        process.env,
      )
      snapshots.push(JSON.parse(line) as Round)
    }
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      // Alternating order: whichever comes second finds the machine as the other left it.
      if (pair % 2 === 0) await snapshot()
      psql.push(await readOnly(cluster.url))
      if (pair % 2 === 1) await snapshot()
      console.log(
        `pair ${pair + 1}: snapshot ${snapshots.at(-1)?.wallMs.toFixed(0)} ms, psql ${psql.at(-1)?.wallMs.toFixed(0)} ms`,
      )
    }
    const client = new pg.Client(cluster.url)
    await client.connect()
    const { rows } = await client.query('SELECT count(*)::int AS n FROM player')
    await client.end()
    if (snapshots.some((round) => round.rows !== rows[0].n)) throw new Error('A snapshot holds another number of rows')
    const limit = values.s3 === 'local' ? TARGET.ratio.local : TARGET.ratio.discard
    print(`${values.rows} players, S3 ${values.s3}`, limit, snapshots, psql)
  } finally {
    await s3.stop()
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}
