import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import Table from 'cli-table3'
import pg from 'pg'
import type { OptionValues } from '../scripts/read-options.ts'
import { migrate } from '../src/database/migrate.ts'
import { copyRows, makeBare } from './import/copies.ts'
import { KINDS, type Kind, writePlayers } from './import/players.ts'
import { databaseRound, importRound, type Round } from './import/round.ts'
import { openService, type Service } from './import/service.ts'

export const summary = 'players in over HTTP, by a client of its own, against COPY of the rows that it makes'

const TARGET = { rowsPerSecond: 20_000, rssMiB: 400 }

export const OPTIONS = {
  players: { type: 'string', default: '1000000', least: 1, help: 'players that are brought in' },
  kinds: { type: 'string', default: KINDS.join(','), among: KINDS, help: 'what they are; the target is about plain' },
  node: { type: 'string', default: '', help: "options of the service's node, such as --cpu-prof" },
} as const

const NAMES: Readonly<Record<Kind, string>> = { plain: 'players', identity: 'players with an account elsewhere' }

async function measure(kind: Kind, players: number, nodeOptions: readonly string[]): Promise<Round[]> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bench-import-'))
  const file = path.join(dir, 'players.ndjson')
  try {
    await writePlayers(file, kind, players)
    const running = await openService(dir, nodeOptions)
    try {
      return await rounds(running, kind, players, file)
    } finally {
      await running.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function rounds(running: Service, kind: Kind, players: number, file: string): Promise<Round[]> {
  const { service, cluster, token } = running
  const common = { file, token, players, service, databasePid: cluster.pid }
  const name = NAMES[kind]
  const created = await importRound({ ...common, way: `import of ${name}, all new`, expected: 'created' })
  const again = await importRound({ ...common, way: 'the same again, all unchanged', expected: 'unchanged' })
  const copied = await emptyCopy(cluster.url)
  const copy = (schema: 'public' | 'bare', what: string) =>
    databaseRound(what, cluster.pid, () => copyRows(cluster.url, copied, schema))
  const bare = await copy('bare', 'COPY of the same rows into bare tables')
  const whole = await copy('public', 'COPY of the same rows into the same tables')
  return [created, again, whole, bare]
}

async function emptyCopy(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('CREATE DATABASE copied')
  await client.end()
  const copied = new URL(url)
  copied.pathname = '/copied'
  await migrate({ url: copied.href })
  await makeBare(copied.href)
  return copied.href
}

function print(rounds: readonly Round[], players: number): void {
  const head = [
    'way',
    'players/s',
    'seconds',
    'µs: client',
    'service',
    'Postgres',
    'MiB: start',
    'middle',
    'end',
    'peak',
  ]
  const table = new Table({ head })
  const each = (ms: number | undefined) => (ms === undefined ? '' : ((ms * 1000) / players).toFixed(1))
  for (const { way, ms, clientCpuMs, serviceCpuMs, databaseCpuMs, memory } of rounds) {
    const cpu = [each(clientCpuMs), each(serviceCpuMs), each(databaseCpuMs)]
    const { start = '', middle = '', end = '', peak = '' } = memory ?? {}
    table.push([way, Math.round((players / ms) * 1000), (ms / 1000).toFixed(1), ...cpu, start, middle, end, peak])
  }
  console.log(table.toString())
}

export async function run(values: OptionValues<typeof OPTIONS>): Promise<void> {
  const players = Number(values.players)
  const kinds = values.kinds.split(',').filter((kind): kind is Kind => KINDS.includes(kind as Kind))
  const nodeOptions = values.node.split(' ').filter(Boolean)
  console.log(
    `${players} players, ${os.availableParallelism()} cores for client, service and Postgres; CPU in µs a player`,
  )
  for (const kind of kinds) print(await measure(kind, players, nodeOptions), players)
  console.log(`target, of plain players: ${TARGET.rowsPerSecond} players/s, the service below ${TARGET.rssMiB} MiB`)
}
