import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import type { OptionValues } from '../scripts/read-options.ts'
import { backendsCpuMsOf, cpuMsOf, rssMiBOf, usedSince } from './api/processes.ts'
import type { Downloaded } from './export/client.ts'
import { openService, type Service } from './import/service.ts'

export const summary = 'players out over HTTP, against COPY and a cursor with JSON.stringify of the same rows'

const TARGET_ROWS_PER_SECOND = 50_000
const CLIENT = path.join(import.meta.dirname, 'export/client.ts')
const NDJSON = 'application/x-ndjson'
const CSV = 'text/csv'

export const OPTIONS = {
  players: { type: 'string', default: '1000000', least: 1, help: 'players in the database' },
  node: { type: 'string', default: '', help: "options of the service's node, such as --cpu-prof" },
} as const

interface Round {
  readonly way: string
  readonly ms: number
  readonly bytes: number
  readonly serviceCpuMs?: number
  readonly databaseCpuMs: number
  readonly rss?: { readonly start: number; readonly peak: number }
}

const COLUMNS =
  'id, username, display_name, email, email_verified_at, birth_date::text, country, locale, status, closed_at, erased_at, version, created_at, updated_at'

/** Every second player has an account elsewhere. */
async function seed(url: string, players: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(
    `INSERT INTO player (id, username, username_key, display_name, email, email_key, birth_date, country, locale, created_at)
     SELECT ('0193b3f0-' || lpad(to_hex(n >> 16), 4, '0') || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       'player' || n, 'player' || n, 'Spielerin Zoë ' || n, 'player' || n || '@example.com', 'player' || n || '@example.com',
       date '1980-01-01' + n % 9000, 'DE', 'de-DE', now() - (2000000 - n) * interval '1 second'
     FROM generate_series(1, $1::int) n`,
    [players],
  )
  await client.query(
    `INSERT INTO player_identity (id, player_id, provider, namespace, subject)
     SELECT gen_random_uuid(), id, 'steam', '', '7656119' || lpad(row_number() OVER ()::text, 10, '0')
     FROM player WHERE right(username, 1)::int % 2 = 0`,
  )
  await client.query('VACUUM ANALYZE')
  await client.end()
}

async function download(
  running: Service,
  way: string,
  query: string,
  type: string,
  coding = 'identity',
): Promise<Round> {
  const { service, cluster, token } = running
  const before = [cpuMsOf(service.pid), backendsCpuMsOf(cluster.pid)] as const
  const sizes = [rssMiBOf(service.pid)]
  const sampler = setInterval(() => sizes.push(rssMiBOf(service.pid)), 100)
  const url = `http://127.0.0.1:${service.port}/v1/players${query}`
  const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, url, token, type, coding])
  clearInterval(sampler)
  const { bytes, ms } = JSON.parse(stdout) as Downloaded
  return {
    ...{ way, ms, bytes },
    serviceCpuMs: cpuMsOf(service.pid) - before[0],
    databaseCpuMs: usedSince(before[1], backendsCpuMsOf(cluster.pid)),
    rss: { start: Math.round(sizes[0] ?? 0), peak: Math.round(Math.max(...sizes)) },
  }
}

/** What the database and a bare client take; the client is this process. */
async function byHand(running: Service, way: string, work: (client: pg.Client) => Promise<number>): Promise<Round> {
  const client = new pg.Client(running.cluster.url)
  await client.connect()
  const [began, before, { user, system }] = [
    performance.now(),
    backendsCpuMsOf(running.cluster.pid),
    process.cpuUsage(),
  ]
  const bytes = await work(client)
  const ms = performance.now() - began
  const used = process.cpuUsage({ user, system })
  const databaseCpuMs = usedSince(before, backendsCpuMsOf(running.cluster.pid))
  await client.end()
  return { way, ms, bytes, serviceCpuMs: (used.user + used.system) / 1000, databaseCpuMs }
}

async function copied(client: pg.Client): Promise<number> {
  const statement = `COPY (SELECT ${COLUMNS} FROM player ORDER BY created_at DESC, id DESC) TO STDOUT (FORMAT csv, HEADER)`
  const stream = client.query(copyTo(statement))
  let bytes = 0
  stream.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  await finished(stream)
  return bytes
}

/** As one would write it: a cursor, rows as objects, JSON.stringify. */
async function stringified(client: pg.Client): Promise<number> {
  await client.query('BEGIN READ ONLY')
  await client.query(`DECLARE c CURSOR FOR SELECT ${COLUMNS} FROM player ORDER BY created_at DESC, id DESC`)
  let bytes = 0
  for (;;) {
    const { rows } = await client.query('FETCH 2000 FROM c')
    if (rows.length === 0) break
    bytes += Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')).length
  }
  await client.query('COMMIT')
  return bytes
}

function print(rounds: readonly Round[], players: number): void {
  const head = ['way', 'rows/s', 'seconds', 'MB', 'µs a row: service', 'Postgres', 'MiB: start', 'peak']
  const table = new Table({ head })
  const each = (ms: number | undefined) => (ms === undefined ? '' : ((ms * 1000) / players).toFixed(1))
  for (const { way, ms, bytes, serviceCpuMs, databaseCpuMs, rss } of rounds) {
    const cpu = [each(serviceCpuMs), each(databaseCpuMs), rss?.start ?? '', rss?.peak ?? '']
    table.push([way, Math.round((players / ms) * 1000), (ms / 1000).toFixed(1), Math.round(bytes / 1e6), ...cpu])
  }
  console.log(table.toString())
}

export async function run(values: OptionValues<typeof OPTIONS>): Promise<void> {
  const players = Number(values.players)
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bench-export-'))
  try {
    const running = await openService(dir, values.node.split(' ').filter(Boolean))
    try {
      await seed(running.cluster.url, players)
      console.log(`${players} players, ${os.availableParallelism()} cores for client, service and Postgres`)
      const rounds = [
        await byHand(running, 'COPY of the same rows as CSV, to nobody', copied),
        await byHand(running, 'cursor and JSON.stringify, to nobody', stringified),
        await download(running, 'export as NDJSON', '', NDJSON),
        await download(running, 'export as CSV', '', CSV),
        await download(running, 'export as NDJSON with identities', '?expand=identities', NDJSON),
        await download(running, 'export as NDJSON, gzip', '', NDJSON, 'gzip'),
        await download(running, 'export as NDJSON, zstd', '', NDJSON, 'zstd'),
      ]
      print(rounds, players)
      console.log(`target: ${TARGET_ROWS_PER_SECOND} rows/s, memory flat`)
    } finally {
      await running.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
