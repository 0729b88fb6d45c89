import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import type { OptionValues } from '../scripts/read-options.ts'
import { seedPlayers } from './api/players.ts'
import type { SegmentOrder, SegmentResult } from './soak/load.ts'
import { type Sample, Sampler } from './soak/sampler.ts'
import { type SoakService, startSoakService } from './soak/service.ts'
import { median } from './soak/statistics.ts'
import {
  type Finding,
  judgeErrors,
  judgeFiles,
  judgeLoad,
  judgeMemory,
  judgeSamples,
  judgeSnapshots,
  judgeTimes,
} from './soak/verdict.ts'

export const summary =
  'the service at half of its capacity for 20 minutes with snapshots: is its memory flat, are there errors'

export const OPTIONS = {
  minutes: { type: 'string', default: '20', above: 0, help: 'minutes of load' },
  players: { type: 'string', default: '200000', least: 1, help: 'players in the database' },
  connections: { type: 'string', default: '16', least: 1, help: 'connections that ask at once' },
  share: { type: 'string', default: '0.5', above: 0, help: 'share of the capacity that is asked for' },
  every: { type: 'string', default: '2', least: 1, help: 'minutes between snapshots' },
  dir: { type: 'string', help: 'folder that keeps logs and data' },
} as const

const WARM_UP_SECONDS = 15
const CAPACITY_SECONDS = 20
/** Of the time: the table has that many lines at least, so that quarters mean something. */
const LEAST_SEGMENTS = 8
const SNAPSHOT_PATIENCE_MS = 120_000
/** For the start of the process that makes the load, and the answers that it waits for at its end. */
const LOAD_PATIENCE_MS = 60_000

interface Segment extends SegmentResult {
  readonly samples: readonly Sample[]
}

class Soak {
  readonly #service: SoakService
  readonly #players: number
  readonly #connections: number
  #rounds = 0
  #unchanged = 1

  constructor(service: SoakService, players: number, connections: number) {
    this.#service = service
    this.#players = players
    this.#connections = connections
  }

  async load(seconds: number, rate?: number): Promise<SegmentResult> {
    const order: SegmentOrder = {
      url: this.#service.url,
      token: this.#service.token,
      connections: this.#connections,
      seconds,
      players: this.#players,
      round: `${Date.now().toString(36)}-${this.#rounds++}`,
      unchanged: this.#unchanged,
      ...(rate === undefined ? {} : { rate }),
    }
    const script = path.join(import.meta.dirname, 'soak/load.ts')
    const timeout = seconds * 1000 + LOAD_PATIENCE_MS
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(order)], { timeout })
    const result = JSON.parse(stdout) as SegmentResult
    this.#unchanged += result.changed
    if (this.#unchanged > this.#players) throw new Error('every player has been changed: give --players more')
    return result
  }

  /** Of the snapshots that were requested since; those that still run are waited for. */
  async snapshotStates(since: Date): Promise<string[]> {
    for (const deadline = Date.now() + SNAPSHOT_PATIENCE_MS; ; await sleep(1_000)) {
      const answer = await fetch(`${this.#service.url}/v1/lake/snapshots?limit=100`, {
        headers: { authorization: `Bearer ${this.#service.token}` },
      })
      const { data } = (await answer.json()) as { data: { state: string; requestedAt: string }[] }
      const states = data.filter(({ requestedAt }) => new Date(requestedAt) >= since).map(({ state }) => state)
      const over = states.every((state) => state === 'published' || state === 'failed')
      if (over || Date.now() > deadline) return states
    }
  }
}

function print(segments: readonly Segment[], seconds: number): void {
  const head = [
    'from s',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'errors',
    'RSS MiB',
    'heap MiB',
    'loop p99 ms',
    'files',
    'waiting',
  ]
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map(() => 'right') })
  for (const [i, { samples, ...segment }] of segments.entries()) {
    const of = (value: (sample: Sample) => number) => median(samples.map(value))
    table.push([
      i * seconds,
      (segment.requests / segment.seconds).toFixed(0),
      segment.p50Ms.toFixed(0),
      segment.p99Ms.toFixed(0),
      segment.failures,
      of(({ rssMiB }) => rssMiB).toFixed(0),
      of(({ heapMiB }) => heapMiB).toFixed(0),
      of(({ loopDelayMs }) => loopDelayMs).toFixed(0),
      of(({ openFiles }) => openFiles).toFixed(0),
      Math.max(...samples.map(({ poolWaiting }) => poolWaiting)),
    ])
  }
  console.log(table.toString())
}

function sumOf(segments: readonly SegmentResult[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const { failed } of segments)
    for (const [what, count] of Object.entries(failed)) sum[what] = (sum[what] ?? 0) + count
  return sum
}

async function soak(service: SoakService, options: Options): Promise<readonly Finding[]> {
  const minutes = Number(options.minutes)
  const [players, connections] = [Number(options.players), Number(options.connections)]
  await seedPlayers(service.databaseUrl, players)
  const run = new Soak(service, players, connections)
  await run.load(WARM_UP_SECONDS)
  const most = await run.load(CAPACITY_SECONDS)
  const capacity = most.requests / most.seconds
  const rate = Math.max(1, Math.floor(capacity * Number(options.share)))
  console.log(
    `${os.availableParallelism()} cores, load ${os.loadavg()[0]?.toFixed(1)}: capacity ${capacity.toFixed(0)} requests/s (p99 ${most.p99Ms} ms, ${most.failures} failed); ${minutes} minutes at ${rate}`,
  )
  const seconds = Math.min(60, Math.floor((minutes * 60) / LEAST_SEGMENTS))
  const sampler = new Sampler(service)
  const begun = new Date()
  const heapsBefore = service.heaps().length
  sampler.start()
  const segments: Segment[] = []
  for (let n = 0; n < Math.round((minutes * 60) / seconds); n++) {
    const before = sampler.samples.length
    const result = await run.load(seconds, rate)
    segments.push({ ...result, samples: sampler.samples.slice(before) })
    if (result.failures > 0) console.log(`segment ${n}: ${JSON.stringify(result.failed)}`)
  }
  await sampler.stop()
  const states = await run.snapshotStates(begun)
  print(segments, seconds)
  const heaps = service.heaps().slice(heapsBefore)
  const peaks = sampler.snapshots.map(({ peakRssMiB }) => peakRssMiB)
  const [imports, exports] = [
    segments.reduce((sum, each) => sum + each.imports, 0),
    segments.reduce((sum, each) => sum + each.exports, 0),
  ]
  console.log(`beside them ${imports} imports, ${exports} exports; ${heaps.length} full collections of the heap`)
  console.log(
    `snapshots: ${peaks.length} processes, at their highest ${peaks.map((mib) => mib.toFixed(0)).join(', ')} MiB`,
  )
  const taken = (Date.now() - begun.getTime()) / 60_000
  return [
    judgeErrors(sumOf([most, ...segments]), service.errors()),
    judgeSnapshots(states, Math.floor(taken / Number(options.every))),
    judgeLoad(
      segments.map((each) => each.requests / each.seconds),
      rate,
    ),
    judgeSamples(sampler.samples.length, sampler.missed),
    judgeMemory(
      'resident memory',
      'resident',
      sampler.samples.map(({ seconds: at, rssMiB }) => [at, rssMiB]),
    ),
    judgeMemory(
      'heap after a full collection',
      'live',
      heaps.map((heap) => [heap.seconds, heap.mib]),
    ),
    judgeFiles(sampler.samples),
    judgeTimes(
      segments.map(({ p99Ms }) => p99Ms),
      minutes / 4 >= 2 * Number(options.every),
    ),
  ]
}

type Options = Readonly<OptionValues<typeof OPTIONS>>

export async function run(options: Options): Promise<void> {
  const dir = options.dir ?? (await mkdtemp(path.join(os.tmpdir(), 'bench-soak-')))
  await mkdir(dir, { recursive: true })
  const service = await startSoakService({ dir, schedule: `*/${Number(options.every)} * * * *` })
  let findings: readonly Finding[] = []
  let code: number | null = null
  try {
    findings = await soak(service, options)
  } finally {
    code = await service.stop()
  }
  findings = [...findings, { ok: code === 0, text: `the service ended with ${code}` }]
  for (const { ok, text } of findings) console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`)
  if (findings.every(({ ok }) => ok)) {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    return
  }
  process.exitCode = 1
  console.log(`the logs and the data are in ${dir}`)
}
