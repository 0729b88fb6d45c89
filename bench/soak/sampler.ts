import { readdirSync, readFileSync } from 'node:fs'
import { describe } from '../../src/errors.ts'
import { rssMiBOf } from '../api/processes.ts'
import type { SoakService } from './service.ts'

const EVERY_MS = 5_000

export interface Sample {
  /** Since the first one. */
  readonly seconds: number
  readonly rssMiB: number
  readonly heapMiB: number
  readonly loopDelayMs: number
  readonly openFiles: number
  readonly poolConnections: number
  readonly poolWaiting: number
}

/** A process that took a snapshot. */
export interface SnapshotProcess {
  readonly pid: number
  readonly peakRssMiB: number
}

/** Looks at the service and the snapshots that it runs, every 5 s. */
export class Sampler {
  readonly samples: Sample[] = []
  readonly #snapshots = new Map<number, number>()
  readonly #service: SoakService
  readonly #started = performance.now()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  /** Why a look failed, each time. */
  readonly missed: string[] = []

  constructor(service: SoakService) {
    this.#service = service
  }

  start(): void {
    const look = () => {
      this.#looking = this.#look().catch((error: unknown) => {
        this.missed.push(describe(error))
      })
    }
    look()
    this.#timer = setInterval(look, EVERY_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  get snapshots(): readonly SnapshotProcess[] {
    return [...this.#snapshots].map(([pid, peakRssMiB]) => ({ pid, peakRssMiB }))
  }

  async #look(): Promise<void> {
    const { pid, url } = this.#service
    for (const child of snapshotsOf(pid)) {
      this.#snapshots.set(child, Math.max(this.#snapshots.get(child) ?? 0, rssOf(child)))
    }
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(EVERY_MS) })
    const text = await answer.text()
    this.samples.push({
      seconds: (performance.now() - this.#started) / 1000,
      rssMiB: rssMiBOf(pid),
      heapMiB: metricOf(text, 'nodejs_heap_size_used_bytes') / 1024 / 1024,
      loopDelayMs: metricOf(text, 'nodejs_eventloop_lag_p99_seconds') * 1000,
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
      poolConnections: metricOf(text, 'db_pool_connections'),
      poolWaiting: metricOf(text, 'db_pool_waiting'),
    })
  }
}

/** The sum of a metric's series. @throws Error when there is none. */
function metricOf(text: string, name: string): number {
  const series = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
  if (series.length === 0) throw new Error(`/metrics has no ${name}`)
  return series.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Children of the service that take a snapshot now. */
function snapshotsOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const ppid = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
      if (ppid !== parent) return []
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      return words.includes('snapshot') ? [Number(entry)] : []
    } catch {
      // It has ended while it was looked at.
      return []
    }
  })
}

function rssOf(pid: number): number {
  try {
    return rssMiBOf(pid)
  } catch {
    return 0
  }
}
