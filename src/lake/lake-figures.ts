import type { Database } from '../database/database.ts'
import { measurementsSchema, type Phase } from './snapshot/run-measurements.ts'
import { SNAPSHOT_STATES, type SnapshotState } from './snapshot/states.ts'

/** What is watched of the lake, from the control rows: snapshots run in processes of their own. */
export interface LakeFigures {
  /** When the database transaction of the newest published snapshot began; null before the first. */
  readonly lastTakenAt: Date | null
  readonly snapshots: Readonly<Record<SnapshotState, number>>
  /** Failed runs by code, since the first. */
  readonly failures: Readonly<Record<string, number>>
  /** Failed runs of the last hour, without those that made way for a migration. */
  readonly recentFailures: number
  /** Of the newest run that is over. */
  readonly last: LastRun | null
  /** Sums over all runs. */
  readonly sums: Readonly<Record<SummedMeasurement, number>>
  /** Since when the one snapshot waits that is not published yet, by its state. */
  readonly waiting: { readonly state: 'prepared' | 'committed'; readonly since: Date } | null
  readonly drift: number
  /** Multipart uploads that are neither completed nor aborted. */
  readonly pending: { readonly uploads: number; readonly bytes: number }
  readonly holds: number
}

export interface LastRun {
  readonly published: boolean
  readonly seconds: number
  readonly rows: number
  readonly bytes: number
  readonly rowsPerSecond: number
  readonly phases: Readonly<Partial<Record<Phase, number>>>
  readonly cpuSeconds: number
  readonly peakRssBytes: number
}

export const SUMMED = [
  'partsSent',
  'partsResent',
  'slowDowns',
  'callsRepeated',
  'unrepresentable',
] as const satisfies readonly (keyof ReturnType<typeof measurementsSchema.parse>)[]
export type SummedMeasurement = (typeof SUMMED)[number]

interface TotalsRow {
  readonly states: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly recent_failures: number
  readonly sums: Readonly<Record<SummedMeasurement, number>>
  readonly uploads: number
  readonly upload_bytes: number
  readonly holds: number
}

/** Three short statements, one after the other, so that a scrape takes one connection. */
export async function lakeFigures(database: Database): Promise<LakeFigures> {
  const { prisma } = database
  const [totals] = await prisma.$queryRaw<TotalsRow[]>`
    SELECT
      (SELECT coalesce(jsonb_object_agg(state, n), '{}')
         FROM (SELECT state, count(*) AS n FROM lake_snapshots GROUP BY state) s) AS states,
      (SELECT coalesce(jsonb_object_agg(code, n), '{}')
         FROM (SELECT coalesce(problem ->> 'code', 'internal') AS code, count(*) AS n
                 FROM lake_snapshots WHERE state = 'failed' GROUP BY 1) f) AS failures,
      (SELECT count(*)::int FROM lake_snapshots
        WHERE state = 'failed' AND ended_at > now() - interval '1 hour'
          AND problem ->> 'code' IS DISTINCT FROM 'preempted_by_migration') AS recent_failures,
      (SELECT jsonb_build_object(
          'partsSent', coalesce(sum((measurements ->> 'partsSent')::bigint), 0),
          'partsResent', coalesce(sum((measurements ->> 'partsResent')::bigint), 0),
          'slowDowns', coalesce(sum((measurements ->> 'slowDowns')::bigint), 0),
          'callsRepeated', coalesce(sum((measurements ->> 'callsRepeated')::bigint), 0),
          'unrepresentable', coalesce(sum((measurements ->> 'unrepresentable')::bigint), 0))
         FROM lake_snapshots) AS sums,
      (SELECT count(*)::int FROM lake_uploads WHERE state IN ('open', 'uploaded')) AS uploads,
      (SELECT coalesce(sum(bytes), 0)::float8 FROM lake_uploads WHERE state IN ('open', 'uploaded')) AS upload_bytes,
      (SELECT count(*)::int FROM lake_holds WHERE expires_at > now()) AS holds`
  const published = await prisma.lakeSnapshot.findFirst({
    where: { state: 'published' },
    orderBy: { sequence: 'desc' },
    select: { source: true },
  })
  const newest = await prisma.lakeSnapshot.findMany({
    where: { startedAt: { not: null } },
    orderBy: { sequence: 'desc' },
    take: 2,
    select: {
      ...{ state: true, startedAt: true, endedAt: true, publishedAt: true, preparedAt: true, committedAt: true },
      ...{ totalRows: true, totalBytes: true, measurements: true },
    },
  })
  const [current] = newest
  const over = newest.find(({ endedAt, publishedAt }) => (publishedAt ?? endedAt) !== null)
  const taken = (published?.source as { taken_at?: string } | null | undefined)?.taken_at
  return {
    lastTakenAt: taken === undefined ? null : new Date(taken),
    snapshots: Object.fromEntries(
      SNAPSHOT_STATES.map((state) => [state, Number(totals?.states[state] ?? 0)]),
    ) as LakeFigures['snapshots'],
    failures: totals?.failures ?? {},
    recentFailures: totals?.recent_failures ?? 0,
    last: over === undefined ? null : lastRun(over),
    sums: Object.fromEntries(SUMMED.map((name) => [name, Number(totals?.sums[name] ?? 0)])) as LakeFigures['sums'],
    waiting: current === undefined ? null : waitingOf(current),
    drift: current === undefined ? 0 : (measurementsSchema.safeParse(current.measurements).data?.driftFindings ?? 0),
    pending: { uploads: totals?.uploads ?? 0, bytes: totals?.upload_bytes ?? 0 },
    holds: totals?.holds ?? 0,
  }
}

interface RunRow {
  readonly state: SnapshotState
  readonly startedAt: Date | null
  readonly endedAt: Date | null
  readonly publishedAt: Date | null
  readonly preparedAt: Date | null
  readonly committedAt: Date | null
  readonly totalRows: bigint | null
  readonly totalBytes: bigint | null
  readonly measurements: unknown
}

function waitingOf({ committedAt, preparedAt, state }: RunRow): LakeFigures['waiting'] {
  if (state === 'committed' && committedAt) return { state, since: committedAt }
  if ((state === 'prepared' || state === 'committing') && preparedAt) return { state: 'prepared', since: preparedAt }
  return null
}

function lastRun(row: RunRow): LastRun {
  const measured = measurementsSchema.safeParse(row.measurements).data
  const end = row.publishedAt ?? row.endedAt
  const phases = Object.fromEntries(
    Object.entries(measured?.phasesMs ?? {}).map(([phase, ms]) => [phase, ms / 1000]),
  ) as Partial<Record<Phase, number>>
  const rows = Number(row.totalRows ?? 0)
  return {
    published: row.publishedAt !== null,
    seconds: ((end?.getTime() ?? 0) - (row.startedAt?.getTime() ?? 0)) / 1000,
    rows,
    bytes: Number(row.totalBytes ?? 0),
    rowsPerSecond: phases.uploading ? Math.round(rows / phases.uploading) : 0,
    phases,
    cpuSeconds: (measured?.cpuMs ?? 0) / 1000,
    peakRssBytes: measured?.peakRssBytes ?? 0,
  }
}
