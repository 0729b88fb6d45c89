import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** A request whose answer is over. */
export interface EndedRequest {
  readonly method: string
  /** The pattern. */
  readonly route: string
  readonly status: number
  readonly seconds: number
  /** Asked by machines every few seconds: health, readiness, metrics. */
  readonly isProbe: boolean
  /** An import or export, which takes as long as it is. */
  readonly isStream: boolean
}

/**
 * Node.js aborts the process when it lists its handles while the object of one has been collected, which no scrape is worth. What they
 * tell is in `nodejs_active_resources`, by a function that is made for it.
 */
const ENDS_PROCESS = [
  ...['nodejs_active_handles', 'nodejs_active_handles_total'],
  ...['nodejs_active_requests', 'nodejs_active_requests_total'],
]

/** The process's metrics, in Prometheus' text form at `/metrics`. Labels are route patterns and codes, never values. */
export class Metrics {
  readonly registry = new Registry()
  /** Told of each request. */
  readonly ended = new Set<(request: EndedRequest) => void>()
  readonly httpRequests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer, by method, route pattern and status',
    labelNames: ['method', 'route', 'status'] as const,
    // A look-up takes 2 to 5 ms, a list 10 to 50 ms; the last ones are for streams.
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [this.registry],
  })
  readonly httpInFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being answered now',
    registers: [this.registry],
  })
  readonly rateLimited = new Counter({
    name: 'http_rate_limited_total',
    help: 'Requests that were refused with 429, by the policy that they exceeded',
    labelNames: ['policy'] as const,
    registers: [this.registry],
  })
  readonly idempotencyReplays = new Counter({
    name: 'http_idempotency_replays_total',
    help: 'Answers that were given once more for an Idempotency-Key that had one',
    registers: [this.registry],
  })
  readonly importLines = new Counter({
    name: 'import_lines_total',
    help: 'Input lines of imports by resource and verdict',
    labelNames: ['resource', 'status'] as const,
    registers: [this.registry],
  })
  readonly jobAttempts = new Histogram({
    name: 'job_attempt_duration_seconds',
    help: 'Time of each attempt at a job, by kind and how it ended',
    labelNames: ['kind', 'outcome'] as const,
    buckets: [0.1, 1, 10, 60, 300, 1800, 7200],
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    for (const name of ENDS_PROCESS) this.registry.removeSingleMetric(name)
    // From the start, or increase() does not see the first.
    for (const policy of ['default', 'bulk', 'streams', 'jobs']) this.rateLimited.inc({ policy }, 0)
  }

  end(request: EndedRequest): void {
    const { method, route, seconds, status } = request
    this.httpRequests.observe({ method, route, status: String(status) }, seconds)
    for (const tell of this.ended) tell(request)
  }
}

/** Scrapes within this time share one reading. */
const FRESH_MS = 5_000
/** A scrape never waits longer for the database. */
const PATIENCE_MS = 2_000

/** What metrics show that are read when they are scraped. Undefined when reading failed or took too long; a later scrape tries again. */
export function sharedReading<Figures>(read: () => Promise<Figures>): () => Promise<Figures | undefined> {
  let last: { readonly at: number; readonly figures: Promise<Figures | undefined> } | undefined
  return () => {
    const now = performance.now()
    if (last === undefined || now - last.at > FRESH_MS) {
      const patience = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS, undefined).unref())
      last = { at: now, figures: Promise.race([read(), patience]).catch(() => undefined) }
    }
    return last.figures
  }
}
