import { apiKeyRoutes } from '../accounts/api-keys/api-key-routes.ts'
import { RequestCountStore } from '../accounts/api-keys/request-count-store.ts'
import { databaseError } from '../database/constraint-errors.ts'
import { snapshotReader } from '../database/snapshot-reader.ts'
import { UsageError } from '../errors.ts'
import { apiPage } from '../http/api-page/api-page.ts'
import { type App, createApp } from '../http/app.ts'
import type { JobWorker } from '../jobs/job-worker.ts'
import type { Logger } from '../logger.ts'
import { Metrics } from '../metrics.ts'
import { serviceFigures } from '../telemetry/service-figures.ts'
import { registerServiceMetrics } from '../telemetry/service-metrics.ts'
import { accountsApi } from './accounts.ts'
import { apiInfo } from './api-info.ts'
import { type Program, software } from './composition.ts'
import { type LakeApi, lakeApi } from './lake-api.ts'
import { MigrationsCheck } from './migrations-check.ts'

/** The HTTP application and what works beside it. Nothing of it has been started. */
export interface Application {
  readonly app: App
  readonly lake: LakeApi
  /** Does jobs, from its start to its stop. */
  readonly worker: JobWorker
  readonly metrics: Metrics
  readonly migrations: MigrationsCheck
  readonly version: string
}

/** The one place that composes the HTTP application: whatever way requests come in, they meet the same one. */
export function makeApplication(opened: Program, logger: Logger): Application {
  const { config, database } = opened
  const { apiKeyPepper, cursorKey } = config
  if (apiKeyPepper === undefined || cursorKey === undefined) {
    throw new UsageError('API_KEY_PEPPER and CURSOR_KEY must be set; see "Settings" in README.md')
  }
  const metrics = new Metrics()
  const accounts = accountsApi(database, { logger, metrics })
  const lake = lakeApi(opened, metrics)
  const { version } = software()
  const migrations = new MigrationsCheck(database)
  registerServiceMetrics(metrics.registry, {
    read: () => serviceFigures(database),
    pool: () => database.poolState(),
    ...{ version, stage: config.stage },
  })
  const app = createApp({
    info: apiInfo(version),
    groups: [...accounts.groups, apiKeyRoutes(opened.keys), ...lake.groups],
    enums: accounts.enums,
    authenticator: opened.keys,
    cursorKey,
    idempotency: opened.idempotency,
    snapshots: snapshotReader(database),
    checks: [
      { name: 'database', check: () => database.ping() },
      { name: 'migrations', check: () => migrations.check() },
    ],
    limits: config.limits,
    sharedCounts: new RequestCountStore(database),
    logger,
    metrics,
    translateError: databaseError,
    pages: [apiPage()],
  })
  return { app, lake, worker: accounts.worker, metrics, migrations, version }
}
