import type { Database } from '../database/database.ts'
import { type LakeFigures, lakeFigures } from '../lake/lake-figures.ts'
import type { Metric, Unit } from '../telemetry/emf.ts'
import { type ServiceFigures, serviceFigures } from '../telemetry/service-figures.ts'

/** What alarms look at in the database; each replica says the same. */
export async function watchedMetrics(
  database: Database,
  ageLimitSeconds: number | undefined,
  now: () => Date = () => new Date(),
): Promise<readonly Metric[]> {
  // One after the other: a report takes one connection.
  const lake = await lakeFigures(database)
  const service = await serviceFigures(database)
  return [...ofLake(lake, service, ageLimitSeconds, now()), ...ofService(service)]
}

const metric = (name: string, unit: Unit, value: number): Metric => ({
  name,
  unit,
  value: Math.round(value * 1e4) / 1e4,
})

function ofLake(
  { drift, lastTakenAt, recentFailures, waiting }: LakeFigures,
  { installedAt }: ServiceFigures,
  limit: number | undefined,
  now: Date,
): Metric[] {
  const secondsSince = (at: Date) => Math.max(0, (now.getTime() - at.getTime()) / 1000)
  // Where there was none yet: as old as the system, so that a schedule that never worked is found as well.
  const since = lastTakenAt ?? installedAt
  const age = since === null ? undefined : secondsSince(since)
  return [
    ...(age === undefined ? [] : [metric('SnapshotAge', 'Seconds', age)]),
    ...(limit === undefined ? [] : [metric('SnapshotAgeLimit', 'Seconds', limit)]),
    ...(age === undefined || limit === undefined ? [] : [metric('SnapshotAgeRatio', 'None', age / limit)]),
    metric('SnapshotWaiting', 'Seconds', waiting === null ? 0 : secondsSince(waiting.since)),
    metric('SnapshotFailures', 'Count', recentFailures),
    metric('CatalogueDrift', 'Count', drift),
  ]
}

function ofService({ jobs, oldestJobSeconds, pendingMigrations }: ServiceFigures): Metric[] {
  return [
    metric('PendingMigrations', 'Count', pendingMigrations),
    metric('JobsWaiting', 'Count', jobs.queued),
    metric('OldestJobAge', 'Seconds', oldestJobSeconds),
  ]
}
