import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { IdempotencyPurge } from '../accounts/idempotency/idempotency-purge-service.ts'
import type { Config } from '../config.ts'
import { migrate } from '../database/migrate.ts'
import { describe, UsageError } from '../errors.ts'
import type { Limits } from '../http/limits.ts'
import { type RunningServer, startServer } from '../http/server.ts'
import type { JobWorker } from '../jobs/job-worker.ts'
import { createLogger, exitWhenWritten, type Logger, openOutput } from '../logger.ts'
import type { MetricReporter } from '../telemetry/metric-reporter.ts'
import { makeApplication } from './application.ts'
import { endOnSignal, openProgram, operator, type Program } from './composition.ts'
import { firstSteps } from './first-steps.ts'
import type { LakeApi } from './lake-api.ts'
import { reportMetrics } from './report-metrics.ts'
import { say } from './terminal.ts'

/** `rocketgames serve`: the service, and on a laptop everything below it. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'run the service; without DATABASE_URL and LAKE_BUCKET it brings its own Postgres, S3, Glue and Athena',
    )
    .action(serve)
}

interface Listening {
  readonly server: RunningServer
  readonly limits: Limits
  readonly lake: LakeApi
  readonly purge: IdempotencyPurge
  readonly worker: JobWorker
  readonly reporter: MetricReporter | undefined
}

async function serve(): Promise<void> {
  const level = process.env.LOG_LEVEL || (process.stderr.isTTY ? 'warn' : 'info')
  const log = openOutput({ fd: 2, inBackground: true })
  const logger = createLogger({ level, destination: log })
  const opening = openProgram({ log: logger, when: 'own' })
  const giveBack = endOnSignal(opening)
  const opened = await opening
  let running: Listening | undefined
  try {
    // Nobody else could: the embedded database is known to others only when this process has announced itself.
    const isEmbedded = opened.workplace.embedded?.values.DATABASE_URL !== undefined
    if (opened.config.migrateAtStart || isEmbedded) {
      const { applied } = await migrate({ url: opened.databaseUrl, patienceMs: opened.config.databaseWaitMs })
      if (applied.length > 0) logger.info({ applied }, 'migrations applied')
    }
    giveBack()
    const leave = leaving(opened, logger, () => exitWhenWritten(log, 130))
    running = await listen(opened, logger, leave.signal)
    const announced = await announce(opened, running.server)
    await firstSteps(opened, running.lake, `http://${running.server.host}:${running.server.port}`, leave.signal)
    announced?.ready()
    const reason = await leave.reason
    if (reason.failure) {
      logger.error(reason.failure)
      process.exitCode = 1
    }
  } finally {
    if (running) {
      const { shutdownDelayMs, shutdownGraceMs } = opened.config
      await Promise.all([running.server.drain(shutdownGraceMs, shutdownDelayMs), running.worker.stop()])
      await running.lake.stop()
      await running.purge.stop()
      await running.limits.stop()
      await running.worker.close()
      await running.reporter?.stop()
    }
    await forget(opened)
    await opened.close()
  }
}

/** Settles once: by SIGINT or SIGTERM, or when an embedded part dies. A second signal ends the process at once. */
function leaving(opened: Program, logger: Logger, exit: () => void) {
  const { promise, resolve } = Promise.withResolvers<{ failure?: string }>()
  const abort = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    if (abort.signal.aborted) return exit()
    if (process.stderr.isTTY) say('\nStopping; once more ends it at once.')
    logger.info({ signal }, 'stopping')
    abort.abort()
    resolve({})
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  void opened.workplace.embedded?.failed.then((failure) => {
    abort.abort()
    resolve({ failure })
  })
  return { reason: promise, signal: abort.signal }
}

const noAddress = ({ host }: Config) =>
  `HOST ${host} is no address of this machine: 127.0.0.1 is itself, 0.0.0.0 all it has`
const CANNOT_LISTEN: Readonly<Record<string, (config: Config) => string>> = {
  EADDRINUSE: ({ port }) =>
    `Port ${port} is taken: stop what listens there, or set PORT to another one (0: any free one)`,
  EACCES: ({ port }) => `This user may not listen on port ${port}: set PORT to one above 1023`,
  EADDRNOTAVAIL: noAddress,
  ENOTFOUND: noAddress,
}

/** Listens at once; work of its own begins when the database has what this version needs. */
async function listen(opened: Program, logger: Logger, leave: AbortSignal): Promise<Listening> {
  const { config, database } = opened
  const { app, lake, metrics, migrations, version, worker } = makeApplication(opened, logger)
  let server: RunningServer | undefined
  try {
    server = await startServer(app, {
      host: config.host,
      port: config.port,
      maxConnections: config.maxConnections,
      logger,
    })
    logger.info({ host: server.host, port: server.port, version }, 'listening')
    const purge = new IdempotencyPurge(database, logger)
    const reporter = reportMetrics(opened, metrics, logger)
    await migrations.untilDone(logger, leave)
    if (!leave.aborted) {
      await worker.start(leave)
      purge.start()
    }
    return { server, limits: app.limits, lake, purge, worker, reporter }
  } catch (error) {
    await server?.drain(0)
    await worker.close()
    await lake.stop()
    const code = server === undefined ? (error as NodeJS.ErrnoException).code : undefined
    const remedy = CANNOT_LISTEN[code ?? '']?.(config)
    throw remedy === undefined ? error : new UsageError(remedy, { cause: error })
  }
}

/**
 * On a laptop: the admin key of the first start, and where everything is, for `rocketgames env` and for other commands.
 *
 * @returns tells them that the first steps are done
 */
async function announce(opened: Program, server: RunningServer): Promise<{ ready(): void } | undefined> {
  const { localDir, env } = opened.workplace
  if (localDir === undefined) return undefined
  const [{ announceRunning }, { identify }, { bootstrapKeyFile, readPrivateFile }] = await Promise.all([
    import('../local/running.ts'),
    import('../local/process-identity.ts'),
    import('../local/secrets.ts'),
  ])
  const file = bootstrapKeyFile(localDir)
  let key = readPrivateFile(file)?.trim()
  if (key === undefined || (await opened.keys.authenticate(key)) === undefined) {
    key = (await opened.keys.createAdmin('bootstrap', operator())).token
    writeFileSync(file, `${key}\n`, { mode: 0o600 })
  }
  const { PRINTED } = await import('./environment.ts')
  const known: Record<string, string | undefined> = {
    ...env,
    // Of its parts, too.
    DATABASE_URL: opened.databaseUrl,
    API_URL: `http://${server.host}:${server.port}`,
    API_KEY: key,
  }
  const values = Object.fromEntries(PRINTED.flatMap((name) => (known[name] ? [[name, known[name]]] : [])))
  const running = { process: identify(), ready: false, values: { ...values, ROCKETGAMES_LOCAL: localDir } }
  announceRunning(localDir, running)
  return { ready: () => announceRunning(localDir, { ...running, ready: true }) }
}

async function forget(opened: Program): Promise<void> {
  const { localDir } = opened.workplace
  if (localDir === undefined) return
  const { forgetRunning } = await import('../local/running.ts')
  try {
    forgetRunning(localDir)
  } catch (error) {
    opened.logger.warn(describe(error))
  }
}
