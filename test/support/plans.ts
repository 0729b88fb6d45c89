import type pg from 'pg'

/** A statement as the driver was given it. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** A node of EXPLAIN (ANALYZE, FORMAT JSON). */
export interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Plan[]
}

/** Runs a statement and tells how. */
export async function explain(client: pg.Client, { text, values }: Statement): Promise<Plan> {
  const { rows } = await client.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, [...values])
  return rows[0]['QUERY PLAN'][0].Plan
}

const SCANS = new Set(['Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan'])

/** How many rows of these tables a statement looked at, kept or not. */
export function rowsRead(plan: Plan, tables: readonly string[]): number {
  const own =
    SCANS.has(plan['Node Type']) && tables.includes(plan['Relation Name'] ?? '')
      ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)) *
        plan['Actual Loops']
      : 0
  return own + (plan.Plans ?? []).reduce((sum, child) => sum + rowsRead(child, tables), 0)
}
