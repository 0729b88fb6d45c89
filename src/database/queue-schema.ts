import { createRequire } from 'node:module'
import type pg from 'pg'

/** Where pg-boss keeps its queue, beside our tables. */
export const QUEUE_SCHEMA = 'pgboss'

/** What the installed pg-boss expects to find. Its package file is read, for loading the library takes 0.1 s of CPU. */
function neededVersion(): number {
  const { pgboss } = createRequire(import.meta.url)('pg-boss/package.json') as { pgboss: { schema: number } }
  return pgboss.schema
}

async function presentVersion(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    `${QUEUE_SCHEMA}.version`,
  ])
  if (!rows[0]?.found) return undefined
  const { rows: versions } = await client.query<{ version: number }>(`SELECT version FROM ${QUEUE_SCHEMA}.version`)
  return versions[0]?.version
}

/**
 * Makes the queue's schema, or brings it to what the installed library expects: by the library's own statements, one
 * transaction. A newer schema is left alone, as an older release that still runs beside the next one would find it. The caller
 * holds the migration lock, so of several processes one does it, and the service itself needs no right to create anything.
 */
export async function migrateQueueSchema(client: pg.Client): Promise<void> {
  const [needed, present] = [neededVersion(), await presentVersion(client)]
  if (present !== undefined && present >= needed) return
  const { getConstructionPlans, getMigrationPlans } = await import('pg-boss')
  await client.query(
    present === undefined ? getConstructionPlans(QUEUE_SCHEMA) : getMigrationPlans(QUEUE_SCHEMA, present),
  )
}
