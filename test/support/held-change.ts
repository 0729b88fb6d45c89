import pg from 'pg'
import type { TestApi } from './api.ts'

/**
 * Makes a change in a transaction that is still open, starts the request, waits until that waits for the change, and only then
 * commits. Answers with what the request answered.
 */
export async function duringChange<T>(
  api: TestApi,
  change: { readonly sql: string; readonly values: readonly unknown[] },
  request: () => PromiseLike<T>,
): Promise<T> {
  const client = new pg.Client(api.databaseUrl)
  await client.connect()
  try {
    const { processID } = client as unknown as { processID: number }
    await client.query('BEGIN')
    await client.query(change.sql, [...change.values])
    // `then` sends it: a request of supertest is lazy.
    const answer = request().then((response) => response)
    // Not pg_stat_activity: inside a transaction that shows what it showed first.
    const waiting = 'SELECT 1 FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))'
    while ((await client.query(waiting, [processID])).rowCount === 0);
    await client.query('COMMIT')
    return await answer
  } finally {
    await client.end()
  }
}
