import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { systemContext } from '../src/caller.ts'
import { openDatabase } from '../src/database/database.ts'
import { migrate } from '../src/database/migrate.ts'
import { type ImportTotals, isEnd } from '../src/imports/import-answer.ts'
import { ImportService } from '../src/imports/import-service.ts'
import { startEmbeddedPostgres } from '../src/local/postgres.ts'
import { samplePeriod } from '../src/local/sample/period.ts'
import { playerLine } from '../src/local/sample/players.ts'

export const summary = 'players in through the import, against COPY of the rows it makes into empty tables'

/** Everything that the import of a player writes, parents first. */
const TABLES = ['player', 'player_identity', 'audit_event']
const TARGET = { rowsPerSecond: 20_000, rssMiB: 400 }
const PERIOD = samplePeriod(Date.UTC(2026, 9, 1))
/** The sample's players beyond its first load register day by day, far into the future. */
const LATER = new Date(Date.UTC(9000, 0, 1))

interface Round {
  readonly way: string
  readonly ms: number
  readonly cpuMs: number
  readonly rssMiB: number
}

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2)

/** Work with its time, the CPU of this process and the most memory it held meanwhile. */
async function measured(way: string, work: () => Promise<void>): Promise<Round> {
  let rss = process.memoryUsage.rss()
  const sampler = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss())
  }, 50)
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  try {
    await work()
    const { user, system } = process.cpuUsage(cpu)
    return { way, ms: performance.now() - began, cpuMs: (user + system) / 1000, rssMiB: mebibytes(rss) }
  } finally {
    clearInterval(sampler)
  }
}

/** Bytes of NDJSON, made as they are read: they cost CPU, but no memory. */
function* ndjson(players: number): Generator<Buffer> {
  let lines: string[] = []
  for (let i = 0; i < players; i++) {
    lines.push(`${JSON.stringify(playerLine(PERIOD, i))}\n`)
    if (lines.length < 256) continue
    yield Buffer.from(lines.join(''))
    lines = []
  }
  yield Buffer.from(lines.join(''))
}

async function makeLines(players: number): Promise<void> {
  for (const chunk of ndjson(players)) if (chunk.length === 0) return
}

async function importPlayers(url: string, players: number): Promise<ImportTotals> {
  const database = openDatabase({ url, poolSize: 2 })
  try {
    const input = { format: 'ndjson', chunks: Readable.from(ndjson(players), { objectMode: true }) } as const
    const run = new ImportService(database).run(
      'players',
      input,
      { now: LATER },
      systemContext('bench', 'bench-import'),
    )
    for await (const answers of run) for (const answer of answers) if (isEnd(answer)) return answer._end
    throw new Error('the import has no end')
  } finally {
    await database.close()
  }
}

/** The same rows from one database into the other, table by table, each through a pipe: nothing is held. */
async function copyRows(fromUrl: string, toUrl: string): Promise<void> {
  const [source, sink] = [new pg.Client(fromUrl), new pg.Client(toUrl)]
  await Promise.all([source.connect(), sink.connect()])
  try {
    for (const table of TABLES) {
      const reader = source.query(copyTo(`COPY ${table} TO STDOUT (FORMAT binary)`))
      await pipeline(reader, sink.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT binary)`)))
    }
  } finally {
    await Promise.all([source.end(), sink.end()])
  }
}

function print(rounds: readonly Round[], players: number): void {
  const [first] = rounds
  const table = new Table({ head: ['way', 'players/s', 'seconds', 'of COPY', 'CPU µs/player', 'peak RSS MiB'] })
  for (const { way, ms, cpuMs, rssMiB } of rounds) {
    const ratio = first === undefined ? '' : `${(ms / first.ms).toFixed(2)} x`
    const rate = Math.round((players / ms) * 1000)
    table.push([way, rate, (ms / 1000).toFixed(1), ratio, ((cpuMs * 1000) / players).toFixed(1), rssMiB])
  }
  console.log(table.toString())
  console.log(`target: ${TARGET.rowsPerSecond} players/s below ${TARGET.rssMiB} MiB`)
}

async function expectTotals(work: Promise<ImportTotals>, wanted: Partial<ImportTotals>): Promise<void> {
  const totals = await work
  for (const [name, count] of Object.entries(wanted)) {
    if (totals[name as keyof ImportTotals] !== count) throw new Error(`not ${count} ${name}: ${JSON.stringify(totals)}`)
  }
}

export async function run(options: readonly string[]): Promise<void> {
  const { positionals } = parseArgs({ args: [...options], allowPositionals: true })
  const players = Number(positionals[0] ?? 200_000)
  if (!Number.isSafeInteger(players) || players < 1) throw new Error('usage: import [number of players]')
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bench-import-'))
  const cluster = await startEmbeddedPostgres({ dir, database: 'imported' })
  try {
    const copied = new URL(cluster.url)
    copied.pathname = '/copied'
    const admin = new pg.Client(cluster.url)
    await admin.connect()
    await admin.query('CREATE DATABASE copied')
    await admin.end()
    await migrate({ url: cluster.url })
    await migrate({ url: copied.href })
    console.log(`${players} players of the sample with their identities, on ${os.availableParallelism()} cores`)
    const create = () => expectTotals(importPlayers(cluster.url, players), { created: players })
    const again = () => expectTotals(importPlayers(cluster.url, players), { unchanged: players })
    const imported = await measured('import, all new', create)
    const repeated = await measured('import, all unchanged', again)
    const making = await measured('making the lines alone', () => makeLines(players))
    const copy = await measured('COPY of the same rows', () => copyRows(cluster.url, copied.href))
    print([copy, imported, repeated, making], players)
  } finally {
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}
