import pg from 'pg'
import { quoteIdentifier, type TableContract } from '../contract.ts'

/** Of one table, as the catalogue tells. */
export interface TableSize {
  readonly table: string
  /** With all partitions and TOAST; 0 for a view. */
  readonly bytes: number
}

/** Sizes of the exported tables, for the decision which of them several readers share. */
export async function tableSizes(
  client: pg.Client,
  contracts: readonly TableContract[],
): Promise<readonly TableSize[]> {
  const { rows } = await client.query<TableSize>(
    `SELECT n AS "table",
            CASE c.relkind WHEN 'p' THEN (SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(c.oid))
                 ELSE pg_table_size(c.oid) END::float8 AS bytes
       FROM unnest($1::text[]) n JOIN pg_class c ON c.oid = to_regclass(quote_ident(n))`,
    [contracts.map((contract) => contract.table)],
  )
  return rows
}

/**
 * Splits a table into conditions of which each row fulfils exactly one, whatever is written meanwhile: by physical place, or by the
 * first column of the primary key where rows have no such place (partitioned tables, views). Fewer than `readers` where there is
 * nothing to split by.
 *
 * Holds within one snapshot and as long as the table is locked: VACUUM FULL and CLUSTER give every row a new place.
 */
export async function tableRanges(client: pg.Client, contract: TableContract, readers: number): Promise<string[]> {
  const { rows } = await client.query<{ heap: boolean; blocks: number }>(
    `SELECT c.relkind IN ('r', 'm') AND a.amname = 'heap' AS heap,
            (pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS blocks
       FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = to_regclass(quote_ident($1))`,
    [contract.table],
  )
  const { blocks = 0, heap = false } = rows[0] ?? {}
  return heap ? placeRanges(blocks, readers) : keyRanges(client, contract, readers)
}

/** Of `(block, item)` places; the last one is open, for rows on pages that were added since. */
export function placeRanges(blocks: number, readers: number): string[] {
  const count = Math.max(1, Math.min(readers, blocks))
  const bound = (i: number) => `'(${Math.floor((i * blocks) / count)},0)'::tid`
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 ? `ctid >= ${bound(i)}` : `ctid >= ${bound(i)} AND ctid < ${bound(i + 1)}`,
  )
}

async function keyRanges(client: pg.Client, contract: TableContract, readers: number): Promise<string[]> {
  const [column = ''] = contract.primaryKey
  const { rows } = await client.query<{ type: string; bounds: string[] }>(
    `SELECT format_type(a.atttypid, a.atttypmod) AS type, s.histogram_bounds::text::text[] AS bounds
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
      WHERE c.oid = to_regclass(quote_ident($1)) AND a.attname = $2 AND s.histogram_bounds IS NOT NULL
      ORDER BY s.inherited DESC LIMIT 1`,
    [contract.table, column],
  )
  const { bounds = [], type = '' } = rows[0] ?? {}
  const key = quoteIdentifier(column)
  if (bounds.length === 0) return boundedRanges(key, type, bounds, readers)
  // In the order that the comparisons of the ranges have: that of ANALYZE is older than a library's new collation, and bounds out of order
  // would leave rows out and read others twice.
  const { rows: sorted } = await client.query<{ bound: string }>(
    `SELECT k::text AS bound FROM (SELECT ${key} AS k FROM ${quoteIdentifier(contract.table)} WHERE false
       UNION ALL SELECT b::${type} FROM unnest($1::text[]) b) bounds ORDER BY k`,
    [bounds],
  )
  return boundedRanges(
    key,
    type,
    sorted.map(({ bound }) => bound),
    readers,
  )
}

/** Neighbours share their bound exactly; the first range takes NULL and all below, the last one all above. */
export function boundedRanges(column: string, type: string, histogram: readonly string[], readers: number): string[] {
  const between = histogram.slice(1, -1)
  const count = Math.min(readers, between.length + 1)
  const bounds: string[] = []
  for (let i = 1; i < count; i++) {
    const value = `${pg.escapeLiteral(between[Math.floor((i * between.length) / count)] ?? '')}::${type}`
    if (value !== bounds.at(-1)) bounds.push(value)
  }
  if (bounds.length === 0) return ['true']
  return [
    `(${column} < ${bounds[0]} OR ${column} IS NULL)`,
    ...bounds.slice(1).map((bound, i) => `${column} >= ${bounds[i]} AND ${column} < ${bound}`),
    `${column} >= ${bounds.at(-1)}`,
  ]
}
