import type { Database, RawClient } from '../database/database.ts'
import { runningAttempt } from './job-file-store.ts'
import type { Attempt } from './job-store.ts'

/** Adds lines to a job's errors, unless the attempt was overtaken. `from` is the number of the first, from 1. */
export async function insertErrors(
  client: RawClient,
  { id, number }: Pick<Attempt, 'id' | 'number'>,
  from: number,
  lines: readonly object[],
): Promise<void> {
  await client.query(
    `INSERT INTO job_error (job_id, number, attempt, line)
     SELECT $1::uuid, $3::int + l.position::int - 1, $2::int, l.line
     FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS l (line, position)
     WHERE EXISTS (${runningAttempt('$1', '$2')})
     ON CONFLICT DO NOTHING`,
    [id, number, from, JSON.stringify(lines)],
  )
}

export interface ErrorLine {
  readonly number: number
  readonly line: Readonly<Record<string, unknown>>
}

/** Up to `limit` lines after the one numbered `after`. */
export async function listErrors(
  database: Database,
  jobId: string,
  after: number,
  limit: number,
): Promise<readonly ErrorLine[]> {
  const { rows } = await database.withClient((client) =>
    client.query<ErrorLine>(
      'SELECT number, line FROM job_error WHERE job_id = $1 AND number > $2 ORDER BY number LIMIT $3',
      [jobId, after, limit],
    ),
  )
  return rows
}
