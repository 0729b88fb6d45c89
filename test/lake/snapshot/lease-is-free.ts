import type { Database } from '../../../src/database/database.ts'

/** Has the lease been given back, or run out? Whether its holder lives does not matter. */
export async function leaseIsFree(database: Database): Promise<boolean> {
  const [row] = await database.query<{ free: boolean }>({
    text: 'SELECT expires_at < now() AS free FROM lake_lease WHERE id = 1',
  })
  return row?.free ?? true
}
