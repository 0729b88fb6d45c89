import { fileURLToPath } from 'node:url'
import { UsageError } from '../errors.ts'
import type { RouteGroup } from '../http/route.ts'
import { loadSavedQueries } from '../lake/athena/saved-queries.ts'
import type { ClosingStarter } from '../lake/closing-starter.ts'
import { createEcsClient } from '../lake/ecs/ecs-client.ts'
import { EcsStarter } from '../lake/ecs/ecs-starter.ts'
import { lakeFigures } from '../lake/lake-figures.ts'
import { registerLakeMetrics } from '../lake/lake-metrics.ts'
import { lakeRoutes } from '../lake/lake-routes.ts'
import { LakeService } from '../lake/lake-service.ts'
import { ChildStarter, type LakeStarter } from '../lake/lake-starter.ts'
import { QueryService } from '../lake/query-service.ts'
import { ageLimitSeconds, LakeScheduler } from '../lake/schedule.ts'
import { failNotStarted, NOT_STARTED_MS, runningSnapshot } from '../lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../lake/snapshot/verify.ts'
import { failUnstarted } from '../lake/snapshot-launch.ts'
import type { Metrics } from '../metrics.ts'
import { unknownSettings } from '../settings.ts'
import { warnOfBuckets } from './bucket-warnings.ts'
import type { Program } from './composition.ts'
import { lakeTrail } from './lake-audit.ts'
import { scheduleTrail } from './scheduled-snapshot.ts'

/** How long the commands of the lake may take to end when the service stops; recovery finishes what they leave. */
const CHILD_GRACE_MS = 10_000
/** The row of a snapshot is older than its task, but by another clock. */
const WATCH_MARGIN_MS = 10_000

export interface LakeApi {
  readonly groups: readonly RouteGroup[]
  readonly starter: LakeStarter
  /** Begins with the schedule and the hourly care, unless somebody else starts them. */
  start(): void
  stop(): Promise<void>
}

/** The lake's routes, its schedule, and the commands that it starts as processes of their own. */
export function lakeApi(program: Program, metrics: Metrics): LakeApi {
  const { database, logger } = program
  const { lake, parts, config } = program.lake()
  let leaving = false
  const starter = starterOf(program, async (id, how) => {
    await failUnstarted(database, id, `${how} before it took the snapshot; look at the log`)
    const running = await runningSnapshot(database)
    // What a killed process leaves is not kept for the care in an hour.
    if (running?.id === id && running.abandoned && !leaving) await starter.recover()
  })
  const service = new LakeService({
    database,
    starter,
    verify: (id, signal) => verifySnapshots(lake, { id, ...(signal === undefined ? {} : { signal }) }),
    trail: lakeTrail,
  })
  const queries = new QueryService(parts.runner, loadSavedQueries())
  const scheduler = new LakeScheduler({
    ...{ database, starter, settings: config, logger },
    trail: scheduleTrail,
  })
  registerLakeMetrics(metrics.registry, {
    read: () => lakeFigures(database),
    ageLimitSeconds: ageLimitSeconds(config),
  })
  let started = false
  return {
    groups: [lakeRoutes(service, queries)],
    starter,
    start() {
      // A local lake is looked at, and set right, when it is brought up.
      if (config.endpoint === undefined) void warnOfBuckets(program.lake(), logger)
      if (config.scheduler === 'none') return
      started = true
      scheduler.start()
    },
    async stop() {
      leaving = true
      if (started) await scheduler.stop()
      await starter.close(CHILD_GRACE_MS)
    },
  }
}

/** Where the commands of the lake run: beside this process, or as tasks of Amazon ECS. */
function starterOf(program: Program, onSnapshotEnd: (id: string, how: string) => Promise<void>): ClosingStarter {
  const { logger, workplace } = program
  const { config } = program.lake()
  if (config.ecs === undefined) {
    if (config.pseudonymKey === undefined) {
      throw new UsageError(
        'LAKE_PSEUDONYM_KEY must be set where snapshots are processes of this machine; see "Settings" in README.md',
      )
    }
    const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))
    // What this process has warned of need not be told by each of its children.
    const told = [...unknownSettings(workplace.env).keys()].map((name) => [name, undefined])
    const env = { ...workplace.env, ...Object.fromEntries(told) }
    return new ChildStarter({ command: [process.execPath, main], env, logger, onSnapshotEnd })
  }
  const client = createEcsClient(config)
  const onWatchOver = () => failNotStarted(program.database)
  return new EcsStarter({
    client,
    place: config.ecs,
    logger,
    onSnapshotEnd,
    onWatchOver,
    watchMs: NOT_STARTED_MS + WATCH_MARGIN_MS,
  })
}
