import type { Database } from '../database/database.ts'
import { pendingMigrations } from '../database/pending-migrations.ts'

/** What is watched of the database beside the lake; the same for every replica. */
export interface ServiceFigures {
  readonly pendingMigrations: number
  readonly jobs: { readonly queued: number; readonly running: number }
  /** When the database got its first table: a system without any snapshot is as old as that. */
  readonly installedAt: Date | null
  /** Of the job that has waited longest; 0 when none waits. */
  readonly oldestJobSeconds: number
}

interface Row {
  readonly installed_at: Date | null
  readonly queued: number
  readonly running: number
  readonly oldest: number
}

export async function serviceFigures(database: Database): Promise<ServiceFigures> {
  const pending = await pendingMigrations(database)
  const [row] = await database.query<Row>({
    text: `SELECT (SELECT min(finished_at) FROM _prisma_migrations) AS installed_at,
                  count(*) FILTER (WHERE state = 'queued')::int AS queued,
                  count(*) FILTER (WHERE state = 'running')::int AS running,
                  coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'queued')), 0)::float8 AS oldest
             FROM job WHERE state IN ('queued', 'running')`,
  })
  const { installed_at: installedAt = null, oldest = 0, queued = 0, running = 0 } = row ?? {}
  return { pendingMigrations: pending.length, installedAt, jobs: { queued, running }, oldestJobSeconds: oldest }
}
