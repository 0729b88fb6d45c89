import { Gauge, type Registry } from 'prom-client'
import { sharedReading } from '../metrics.ts'
import type { ServiceFigures } from './service-figures.ts'

export interface ServiceMetricsOptions {
  readonly read: () => Promise<ServiceFigures>
  readonly pool: () => { readonly total: number; readonly idle: number; readonly waiting: number }
  readonly version: string
  readonly stage: string
}

/** Metrics of the service that are read when they are scraped; those of the database are absent while it is away. */
export function registerServiceMetrics(registry: Registry, options: ServiceMetricsOptions): void {
  const registers = [registry]
  const { pool, stage, version } = options
  const read = sharedReading(options.read)
  new Gauge({
    name: 'accounts_build_info',
    help: 'Always 1; its labels say what runs here',
    ...{ labelNames: ['version', 'stage'] as const, registers },
    collect() {
      this.set({ version, stage }, 1)
    },
  })
  new Gauge({
    name: 'db_pool_connections',
    help: 'Connections to the database, by what they do now',
    ...{ labelNames: ['state'] as const, registers },
    collect() {
      const { idle, total } = pool()
      this.set({ state: 'idle' }, idle)
      this.set({ state: 'used' }, total - idle)
    },
  })
  new Gauge({
    name: 'db_pool_waiting',
    help: 'Callers who wait for a connection: more than a moment above 0 means that the pool is too small or the database slow',
    registers,
    collect() {
      this.set(pool().waiting)
    },
  })
  const shared = (
    name: string,
    help: string,
    set: (gauge: Gauge<string>, figures: ServiceFigures) => void,
    label?: string,
  ) =>
    new Gauge({
      ...{ name, help, labelNames: label === undefined ? [] : [label], registers },
      async collect() {
        const figures = await read()
        this.reset()
        if (label === undefined) this.remove()
        if (figures !== undefined) set(this, figures)
      },
    })
  shared('db_migrations_pending', 'Migrations of this program that the database does not have', (gauge, figures) =>
    gauge.set(figures.pendingMigrations),
  )
  shared(
    'jobs',
    'Imports and exports that run in the background, by state',
    (gauge, { jobs }) => {
      for (const [state, count] of Object.entries(jobs)) gauge.set({ state }, count)
    },
    'state',
  )
  shared(
    'jobs_oldest_waiting_seconds',
    'How long the job that waits longest has waited; 0 when none waits',
    (gauge, figures) => gauge.set(figures.oldestJobSeconds),
  )
}
