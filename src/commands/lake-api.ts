import { fileURLToPath } from 'node:url'
import { appendAudit } from '../accounts/audit/audit-store.ts'
import { UsageError } from '../errors.ts'
import type { RouteGroup } from '../http/route.ts'
import { loadSavedQueries } from '../lake/athena/saved-queries.ts'
import { lakeRoutes } from '../lake/lake-routes.ts'
import { LakeService } from '../lake/lake-service.ts'
import { ChildStarter } from '../lake/lake-starter.ts'
import type { LakeTrail } from '../lake/lake-trail.ts'
import { QueryService } from '../lake/query-service.ts'
import { LakeScheduler } from '../lake/schedule.ts'
import { listSnapshots } from '../lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../lake/snapshot/verify.ts'
import { failUnstarted } from '../lake/snapshot-launch.ts'
import type { Metrics } from '../metrics.ts'
import type { Program } from './composition.ts'

/** How long the commands of the lake may take to end when the service stops; recovery finishes what they leave. */
const CHILD_GRACE_MS = 10_000

/** What callers do to the lake stands in the trail of the records, as an event of the snapshot. */
export const lakeTrail: LakeTrail = (tx, context, { snapshotId, ...event }) =>
  appendAudit(tx, context, { ...event, entityType: 'snapshot', entityId: snapshotId })

export interface LakeApi {
  readonly groups: readonly RouteGroup[]
  readonly starter: ChildStarter
  /** Begins with the schedule and the hourly care. */
  start(): void
  stop(): Promise<void>
}

/** The lake's routes, its schedule, and the commands that it starts as processes of their own. */
export function lakeApi(program: Program, metrics: Metrics): LakeApi {
  const { database, logger, workplace } = program
  const { lake, parts, config } = program.lake()
  if (config.runner === 'ecs') {
    throw new UsageError(
      'LAKE_RUNNER=ecs is not built yet: use child, which runs snapshots as processes on this machine',
    )
  }
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))
  const starter = new ChildStarter({
    command: [process.execPath, main],
    env: workplace.env,
    logger,
    onSnapshotEnd: (id, how) => failUnstarted(database, id, `${how} before it took the snapshot; look at the log`),
  })
  const service = new LakeService({
    database,
    starter,
    verify: (id) => verifySnapshots(lake, { id }),
    trail: lakeTrail,
  })
  const queries = new QueryService(parts.runner, loadSavedQueries())
  const scheduler = new LakeScheduler({ database, starter, settings: config, logger })
  metrics.watchLastPublished(async () => {
    const [last] = await listSnapshots(database, { limit: 1, state: 'published' })
    return last?.takenAt ? new Date(last.takenAt) : undefined
  })
  let started = false
  return {
    groups: [lakeRoutes(service, queries)],
    starter,
    start() {
      started = true
      scheduler.start()
    },
    async stop() {
      if (started) await scheduler.stop()
      await starter.close(CHILD_GRACE_MS)
    },
  }
}
