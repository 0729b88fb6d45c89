import type pg from 'pg'
import type { TableContract } from '../contract.ts'

/**
 * How many rows each table has as the planner believes: for progress and for planning, never for counts.
 *
 * @returns by the name of the lake's table; null before the first ANALYZE.
 */
export async function estimatedRows(
  client: pg.ClientBase,
  contracts: readonly TableContract[],
): Promise<Map<string, number | null>> {
  const { rows } = await client.query<{ name: string; rows: number }>(
    `SELECT n AS name, c.reltuples::float8 AS rows
       FROM unnest($1::text[]) n JOIN pg_class c ON c.oid = to_regclass(quote_ident(n))`,
    [contracts.map((contract) => contract.table)],
  )
  const found = new Map(rows.map((row) => [row.name, row.rows < 0 ? null : Math.round(row.rows)]))
  return new Map(contracts.map((contract) => [contract.name, found.get(contract.table) ?? null]))
}
