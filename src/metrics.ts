import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The process's metrics, in Prometheus' text form at `/metrics`. Labels are route patterns and codes, never values. */
export class Metrics {
  readonly registry = new Registry()
  readonly httpRequests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer, by method, route pattern and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  })
  readonly httpInFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being answered now',
    registers: [this.registry],
  })
  readonly importLines = new Counter({
    name: 'import_lines_total',
    help: 'Input lines of imports by resource and verdict',
    labelNames: ['resource', 'status'] as const,
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }
}
