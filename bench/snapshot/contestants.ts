import { execFile, execFileSync, spawn } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { contracts, copySelect, type TableContract } from '../../src/lake/contract.ts'

import { pythonEnvironment } from '../../test/support/python.ts'
import { startLocalS3 } from './local-s3.ts'

/** What one run of a contestant took. */
export interface Round {
  readonly rows: number
  /** 0: nothing is written. */
  readonly bytes: number
  readonly wallMs: number
  /** Of the reading process. */
  readonly cpuMs: number
  readonly peakRssMiB: number
}

/** Whoever brings all players from Postgres to somewhere. */
export interface Contestant {
  readonly name: string
  /** Rounds at most; the slow ones show themselves in one. */
  readonly rounds: number
  /** Another process that works for it: its CPU is told apart. */
  readonly servant?: number
  run(): Promise<Round>
}

export interface Setting {
  readonly url: string
  /** For files. */
  readonly dir: string
}

interface S3Endpoint {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly pid: number
  stop(): void | Promise<void>
}

export const PLAYERS = contracts.find((contract) => contract.table === 'player') as TableContract
/** The primary key follows the exported columns in a snapshot's COPY; files do not hold it. */
const WITHOUT_KEY = copySelect({ ...PLAYERS, primaryKey: [] })
const RIVALS = [
  'duckdb==1.5.5',
  'duckdb-extension-postgres-scanner==1.5.5',
  'adbc-driver-postgresql==1.13.0',
  'pyarrow==22.0.0',
]
const ROW_API_ROWS = 100_000
const here = (file: string) => path.join(import.meta.dirname, file)

async function measured(program: string, args: readonly string[]): Promise<Round> {
  const { stdout } = await promisify(execFile)(program, args)
  return JSON.parse(stdout) as Round
}

/** @param readers threads that read the players at once; without it one, as for any table below `LAKE_PARALLEL_TABLE_BYTES`. */
export function snapshot(name: string, { url }: Setting, s3: S3Endpoint, rounds: number, readers?: number): Contestant {
  const { accessKeyId, endpoint, secretAccessKey } = s3
  const settings = readers === undefined ? {} : { readers, parallelTableBytes: 100_000_000 }
  const place = JSON.stringify({ endpoint, accessKeyId, secretAccessKey, databaseUrl: url, bucket: 'lake', settings })
  return { name, rounds, servant: s3.pid, run: () => measured(process.execPath, [here('runner.ts'), place]) }
}

/** An S3 in a process of its own that throws bytes away. */
export async function discardingS3(): Promise<S3Endpoint> {
  const child = spawn(process.execPath, [here('discard-s3.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())))
  return {
    endpoint: `http://127.0.0.1:${port}`,
    ...{ accessKeyId: 'a', secretAccessKey: 'b', pid: child.pid ?? 0 },
    stop: () => void child.stdin.end(),
  }
}

export const localS3 = (dir: string): Promise<S3Endpoint> => startLocalS3(dir)

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** psql reads the same COPY into /dev/null; `times` tells its CPU. Without psql a Node socket does, which costs more. */
export function readOnly({ url }: Setting, rounds: number): Contestant {
  const sql = `COPY (${copySelect(PLAYERS)}) TO STDOUT (FORMAT binary)`
  if (!hasPsql()) {
    return {
      name: 'node socket (no psql here)',
      rounds,
      run: () => measured(process.execPath, [here('read-only.ts'), url, sql]),
    }
  }
  // In a pipe `times` would run in a shell of its own, which has no children; its second line tells those of this one.
  const script = 'psql -X -q "$1" -c "$2" > /dev/null; times'
  const run = async (): Promise<Round> => {
    const began = performance.now()
    const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', url, sql])
    const times = [...(stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
    const cpuMs = times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
    return { rows: 0, bytes: 0, wallMs: performance.now() - began, cpuMs, peakRssMiB: 0 }
  }
  return { name: 'psql, binary COPY', rounds, run }
}

/** What a user could take in our place; those that the machine cannot run are told. */
export async function rivals(names: readonly string[], { dir, url }: Setting, rounds: number): Promise<Contestant[]> {
  const found: Contestant[] = []
  if (names.includes('row-api')) {
    const args = [here('rival-row-api.ts'), url, path.join(dir, 'row-api.parquet'), WITHOUT_KEY, String(ROW_API_ROWS)]
    found.push({ name: 'parquetjs-lite, row API', rounds: 1, run: () => measured(process.execPath, args) })
  }
  if (!names.includes('duckdb') && !names.includes('adbc')) return found
  const environment = await pythonEnvironment('rivals', RIVALS)
  if ('missing' in environment) {
    console.log(`Without DuckDB and ADBC: ${environment.missing}`)
    return found
  }
  const { python } = environment
  if (names.includes('duckdb')) {
    const args = [here('rival-duckdb.py'), url, path.join(dir, 'duckdb.parquet'), '2']
    found.push({ name: 'DuckDB, 2 threads', rounds, run: () => measured(python, args) })
  }
  if (names.includes('adbc')) {
    const args = [here('rival-adbc.py'), url, path.join(dir, 'adbc.parquet'), WITHOUT_KEY]
    found.push({ name: 'ADBC + PyArrow', rounds, run: () => measured(python, args) })
  }
  return found
}
