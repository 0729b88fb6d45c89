import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { emfLines, type Metric } from './emf.ts'
import { RequestWindow } from './request-window.ts'

const INTERVAL_MS = 60_000
/** For the database: its metrics are left out of a minute rather than late. */
const PATIENCE_MS = 10_000
const RESOLUTION_MS = 20

export interface MetricReporterOptions {
  readonly metrics: Metrics
  readonly stage: string
  /** Writes a line to standard output; may not block. */
  readonly write: (line: string) => void
  /** What is the same for all replicas. */
  readonly shared: () => Promise<readonly Metric[]>
  readonly poolWaiting: () => number
  readonly logger: Logger
  /** Default true; of a process that is frozen it would tell for how long. */
  readonly eventLoopDelay?: boolean
  /** Default: a minute, the resolution of CloudWatch. */
  readonly intervalMs?: number
}

/** Writes the metrics of this process and of the database each minute, until it is stopped; what cannot be read is left out. */
export class MetricReporter {
  readonly #options: MetricReporterOptions
  readonly #window = new RequestWindow()
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #add = this.#window.add.bind(this.#window)
  #timer: NodeJS.Timeout | undefined
  #reporting: Promise<void> = Promise.resolve()
  #failed = false

  constructor(options: MetricReporterOptions) {
    this.#options = options
  }

  start(): void {
    const { metrics, intervalMs = INTERVAL_MS } = this.#options
    metrics.ended.add(this.#add)
    if (this.#options.eventLoopDelay !== false) this.#delay.enable()
    this.#timer = setInterval(() => {
      this.#reporting = this.#reporting.then(() => this.report())
    }, intervalMs).unref()
  }

  /** With the last, shorter interval. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reporting
    this.#write(this.#ofProcess())
    this.#options.metrics.ended.delete(this.#add)
    this.#delay.disable()
  }

  /** Never rejects. */
  async report(): Promise<void> {
    const own = this.#ofProcess()
    this.#write([...own, ...(await this.#ofAll())])
  }

  #write(metrics: readonly Metric[]): void {
    const { stage, write } = this.#options
    for (const line of emfLines(metrics, { stage, at: new Date() })) write(line)
  }

  #ofProcess(): readonly Metric[] {
    const { rateLimited, requests, serverErrors, times } = this.#window.take()
    const { eventLoopDelay = true, poolWaiting } = this.#options
    // The histogram is of the intervals of a timer: what is beyond its resolution is delay.
    const delay = Math.max(0, this.#delay.max / 1e6 - RESOLUTION_MS)
    this.#delay.reset()
    return [
      { name: 'Requests', unit: 'Count', value: requests },
      { name: 'ServerErrors', unit: 'Count', value: serverErrors },
      { name: 'RateLimited', unit: 'Count', value: rateLimited },
      { name: 'RequestTime', unit: 'Milliseconds', value: times },
      ...(eventLoopDelay
        ? [{ name: 'EventLoopDelay', unit: 'Milliseconds', value: Math.round(delay * 10) / 10 } as const]
        : []),
      { name: 'ResidentMemory', unit: 'Bytes', value: process.memoryUsage.rss() },
      { name: 'PoolWaiting', unit: 'Count', value: poolWaiting() },
    ]
  }

  async #ofAll(): Promise<readonly Metric[]> {
    const { logger, shared } = this.#options
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('the database did not answer')), PATIENCE_MS)
    try {
      const metrics = await Promise.race([shared(), late])
      this.#failed = false
      return metrics
    } catch (error) {
      if (!this.#failed) logger.warn({ reason: describe(error) }, 'metrics of the database are not written')
      this.#failed = true
      return []
    } finally {
      clearTimeout(timer)
    }
  }
}
