import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import type { OptionValues } from '../scripts/read-options.ts'
import { compareDepths } from './api/deep-pages.ts'
import { requireSameAnswers } from './api/equality.ts'
import { type LoadOrder, type LoadResult, OPERATIONS, type Operation } from './api/load.ts'
import { KINDS } from './api/players.ts'
import { backendsCpuMsOf, cpuMsOf, rssMiBOf, type ServerProcess, usedSince } from './api/processes.ts'
import { firstUnchanged, openSetting, SERVERS, type ServerName, type Setting, startOne } from './api/setting.ts'

export const summary =
  'requests per second of the API, against the same endpoints by hand on Express and pg, and PostGraphile'

/** Of the requests per second of the endpoints by hand. */
const TARGETS: Readonly<Record<Operation, number>> = {
  get: 0.75,
  list: 0.65,
  lookup: 0.75,
  post: 0.75,
  patch: 0.75,
}
const READS: readonly Operation[] = ['get', 'list', 'lookup']

interface Round extends LoadResult {
  readonly server: ServerName
  readonly operation: Operation
  readonly serverCpuMs: number
  readonly databaseCpuMs: number
  readonly rssMiB: number
}

export const OPTIONS = {
  players: { type: 'string', default: '1000000', least: 1, help: 'players in the database' },
  rounds: { type: 'string', default: '5', least: 1, help: 'rounds of each operation' },
  seconds: { type: 'string', default: '5', least: 1, help: 'seconds of each round' },
  warmup: {
    type: 'string',
    default: '10',
    least: 0,
    help: 'seconds before the rounds of an operation, until the code of each server is compiled',
  },
  connections: { type: 'string', default: '16', least: 1, help: 'connections that ask at once' },
  operations: { type: 'string', default: OPERATIONS.join(','), among: OPERATIONS, help: 'what is asked' },
  servers: { type: 'string', default: 'ours,baseline,postgraphile', among: SERVERS, help: 'who is asked' },
  dir: { type: 'string', help: 'folder that keeps the database between runs' },
  node: { type: 'string', default: '', help: "options of the servers' node, such as --cpu-prof" },
} as const

type Options = Readonly<OptionValues<typeof OPTIONS>>

interface Bench {
  readonly setting: Setting
  readonly servers: ReadonlyMap<ServerName, ServerProcess>
  readonly options: Options
  /** Players that no round has changed begin here. */
  unchanged: number
  rounds: number
}

function orderOf(bench: Bench, server: ServerName, operation: Operation, seconds: number): LoadOrder {
  const { setting, options } = bench
  bench.rounds++
  return {
    url: `http://127.0.0.1:${bench.servers.get(server)?.port}`,
    token: setting.token,
    operation,
    graphql: isGraphql(server),
    connections: Number(options.connections),
    seconds,
    players: setting.players,
    round: `${Date.now().toString(36)}-${bench.rounds}`,
    unchanged: bench.unchanged,
  }
}

async function measure(bench: Bench, server: ServerName, operation: Operation, seconds: number): Promise<Round> {
  const pid = bench.servers.get(server)?.pid ?? 0
  const order = orderOf(bench, server, operation, seconds)
  const [own, database] = [cpuMsOf(pid), backendsCpuMsOf(bench.setting.cluster.pid)]
  const script = path.join(import.meta.dirname, 'api/load.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(order)])
  const result = JSON.parse(stdout) as LoadResult
  if (operation === 'patch') bench.unchanged += result.requests + result.failures + order.connections
  return {
    ...result,
    server,
    operation,
    serverCpuMs: cpuMsOf(pid) - own,
    databaseCpuMs: usedSince(database, backendsCpuMsOf(bench.setting.cluster.pid)),
    rssMiB: rssMiBOf(pid),
  }
}

const isGraphql = (name: ServerName) => name.startsWith('postgraphile')
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const rate = ({ requests, seconds }: Round) => requests / seconds

function print(rounds: readonly Round[], operations: readonly Operation[]): void {
  const table = new Table({
    head: [
      'operation',
      'server',
      'requests/s',
      'of baseline',
      'CPU µs/request',
      'database µs',
      'p50 ms',
      'p99 ms',
      'RSS MiB',
    ],
  })
  for (const operation of operations) {
    const asked = rounds.filter((round) => round.operation === operation)
    const names = [...new Set(asked.map(({ server }) => server))]
    const of = (server: ServerName, value: (round: Round) => number) =>
      median(asked.filter((round) => round.server === server).map(value))
    for (const server of names) {
      const perRequest = (ms: keyof Round) => of(server, (round) => (Number(round[ms]) * 1000) / round.requests)
      table.push([
        operation,
        server,
        Math.round(of(server, rate)),
        `${Math.round((of(server, rate) / of('baseline', rate)) * 100)} %`,
        Math.round(perRequest('serverCpuMs')),
        Math.round(perRequest('databaseCpuMs')),
        of(server, ({ p50Ms }) => p50Ms).toFixed(1),
        of(server, ({ p99Ms }) => p99Ms).toFixed(1),
        Math.round(of(server, ({ rssMiB }) => rssMiB)),
      ])
    }
  }
  console.log(table.toString())
  judge(rounds, operations)
}

function judge(rounds: readonly Round[], operations: readonly Operation[]): void {
  for (const operation of operations) {
    const of = (server: ServerName) =>
      median(rounds.filter((round) => round.operation === operation && round.server === server).map(rate))
    const ratio = of('ours') / of('baseline')
    if (!Number.isNaN(ratio)) {
      const verdict = ratio >= TARGETS[operation] ? 'within' : 'BELOW'
      console.log(`${operation}: ${verdict} the target of ${TARGETS[operation] * 100} % of the baseline`)
    }
    for (const other of ['postgraphile', 'postgraphile-open'] as const) {
      if (of('ours') < of(other)) console.log(`${operation}: BELOW ${other}`)
    }
  }
}

async function measureAll(bench: Bench, operations: readonly Operation[]): Promise<void> {
  const rounds: Round[] = []
  const names = [...bench.servers.keys()]
  const asks = (name: ServerName, operation: Operation) => !isGraphql(name) || READS.includes(operation)
  for (const operation of operations) {
    const able = names.filter((name) => asks(name, operation))
    for (const name of able) await measure(bench, name, operation, Number(bench.options.warmup))
    for (let round = 0; round < Number(bench.options.rounds); round++) {
      // Alternating order: whoever comes later finds the machine as the others left it.
      for (const name of round % 2 === 0 ? able : able.toReversed()) {
        rounds.push(await measure(bench, name, operation, Number(bench.options.seconds)))
      }
    }
  }
  print(rounds, operations)
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0)
  if (failures > 0) throw new Error(`${failures} requests failed: the numbers mean nothing`)
}

export async function run(options: Options): Promise<void> {
  const dir = options.dir ?? (await mkdtemp(path.join(os.tmpdir(), 'bench-api-')))
  const operations = OPERATIONS.filter((operation) => options.operations.split(',').includes(operation))
  const names = options.servers.split(',') as ServerName[]
  const setting = await openSetting(dir, Number(options.players))
  const servers = new Map<ServerName, ServerProcess>()
  try {
    for (const name of names) servers.set(name, await startOne(name, setting, options.node.split(' ').filter(Boolean)))
    const bench: Bench = { setting, servers, options, unchanged: await firstUnchanged(setting), rounds: 0 }
    console.log(`${setting.players} players, ${options.connections} connections, ${os.availableParallelism()} cores`)
    if (servers.has('ours') && servers.has('baseline')) {
      const [ours, baseline] = [orderOf(bench, 'ours', 'get', 0), orderOf(bench, 'baseline', 'get', 0)]
      await requireSameAnswers(ours, { ...baseline, unchanged: baseline.unchanged + KINDS }, setting.cluster.url)
      bench.unchanged += 2 * KINDS
      console.log('ours and the baseline answer the same')
    }
    await measureAll(bench, operations)
    if (servers.has('ours')) await compareDepths(setting, orderOf(bench, 'ours', 'list', 0))
  } finally {
    for (const server of servers.values()) await server.stop()
    await setting.cluster.stop()
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
  }
}
