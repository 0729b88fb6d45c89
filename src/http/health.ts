import { AppError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { checksSchema, statusSchema } from './about-schema.ts'
import { ok, text } from './answer.ts'
import { type RouteGroup, route } from './route.ts'

/** Something the service cannot work without. `check` rejects when it is missing; it is called by every probe. */
export interface ReadinessCheck {
  readonly name: string
  readonly check: () => Promise<unknown>
}

export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
}

/** Longer than a busy database needs, shorter than the patience of a load balancer. */
const CHECK_TIMEOUT_MS = 2000

/** Whether requests should come here now. */
export class Readiness {
  readonly #checks: readonly ReadinessCheck[]
  #draining = false
  #running: Promise<CheckResult[]> | undefined

  constructor(checks: readonly ReadinessCheck[]) {
    this.#checks = checks
  }

  /** From now on not ready: load balancers send new requests elsewhere while old ones are finished. */
  drain(): void {
    this.#draining = true
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Runs the checks; probes that come together share one run. Never rejects. */
  results(): Promise<CheckResult[]> {
    this.#running ??= Promise.all(this.#checks.map(resultOf)).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }
}

async function resultOf({ name, check }: ReadinessCheck): Promise<CheckResult> {
  const started = performance.now()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${name} did not answer`)), CHECK_TIMEOUT_MS)
  const passed = await Promise.race([check(), late]).then(
    () => true,
    () => false,
  )
  clearTimeout(timer)
  return { name, ok: passed, ms: Math.round(performance.now() - started) }
}

const MEASUREMENT = '# TYPE process_open_fds gauge\nprocess_open_fds 31\n'

export function healthRoutes(readiness: Readiness, metrics: Metrics): RouteGroup {
  const common = { method: 'get', tag: 'service', access: 'open', cacheControl: 'no-store' } as const
  return {
    routes: [
      route({
        ...common,
        operation: 'getHealth',
        path: '/healthz',
        summary: 'Is the process alive',
        answers: { 200: { description: 'Alive', schema: statusSchema } },
        handle: () => ok({ status: 'alive' }),
      }),
      route({
        ...common,
        operation: 'getReadiness',
        path: '/readyz',
        summary: 'Should requests come here',
        answers: { 200: { description: 'Ready', schema: checksSchema } },
        problems: ['unavailable'],
        async handle() {
          const checks = await readiness.results()
          if (!readiness.draining && checks.every((check) => check.ok)) return ok({ status: 'ready', checks })
          const failed = checks.filter((check) => !check.ok).map((check) => check.name)
          const reason = readiness.draining ? 'The service is shutting down' : `A check failed: ${failed.join(', ')}`
          throw new AppError('unavailable', reason, { extra: { checks } })
        },
      }),
      route({
        ...common,
        operation: 'getMetrics',
        path: '/metrics',
        summary: "Measurements in Prometheus' text form",
        produces: ['text/plain', 'application/openmetrics-text'],
        answers: {
          200: {
            description: 'Measurements',
            type: 'text/plain',
            example: MEASUREMENT,
          },
        },
        handle: async () => text(metrics.registry.contentType, await metrics.registry.metrics()),
      }),
    ],
  }
}
