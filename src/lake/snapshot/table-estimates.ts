import type pg from 'pg'
import type { TableContract } from '../contract.ts'

/** What the catalogue of Postgres says of a table's size: for progress and for planning, never for counts. */
export interface TableEstimate {
  readonly rows: number
  /** `statistics`: density as of the last ANALYZE, times the pages of now. `size`: no ANALYZE yet, pages by the columns' widths. */
  readonly rowsFrom: 'statistics' | 'size'
  /** Bytes that a value of each column takes in the table, NULLs included; empty before the first ANALYZE. */
  readonly widths: Readonly<Record<string, number>>
}

interface Storage {
  readonly table: string
  readonly pages: number
  readonly analysedPages: number
  /** As of the last ANALYZE; negative before the first. */
  readonly analysedRows: number
  readonly pageBytes: number
  /** Of a row as its types say, without headers. */
  readonly rowBytes: number
  readonly widths: Readonly<Record<string, number>>
}

/**
 * Types of no fixed length count as the planner counts them before there are statistics. Partitions without statistics, as the newest one
 * often is, count by their pages with the density of the others.
 */
const STORAGE = `
  SELECT n AS "table", sum(pg_relation_size(l.oid) / s.page)::float8 AS pages, coalesce(sum(l.relpages) FILTER (WHERE l.reltuples >= 0), 0)::float8 AS "analysedPages",
         coalesce(sum(l.reltuples) FILTER (WHERE l.reltuples >= 0), -1)::float8 AS "analysedRows",
         max(s.page)::float8 AS "pageBytes",
         (SELECT sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END) FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::float8 AS "rowBytes",
         (SELECT coalesce(json_object_agg(x.attname, x.avg_width * (1 - x.null_frac)), '{}') FROM (
            SELECT DISTINCT ON (p.attname) p.attname, p.avg_width, p.null_frac FROM pg_stats p
             WHERE p.schemaname = c.relnamespace::regnamespace::text AND p.tablename = c.relname
             ORDER BY p.attname, p.inherited DESC) x) AS widths
    FROM unnest($1::text[]) n
    JOIN pg_class c ON c.oid = to_regclass(quote_ident(n))
    CROSS JOIN LATERAL (SELECT current_setting('block_size')::int AS page) s
    JOIN LATERAL (SELECT t.* FROM pg_class t WHERE t.oid = c.oid AND c.relkind <> 'p'
                  UNION ALL SELECT t.* FROM pg_partition_tree(c.oid) p JOIN pg_class t ON t.oid = p.relid
                   WHERE p.isleaf AND c.relkind = 'p') l ON true
   GROUP BY n, c.oid, c.relnamespace, c.relname`

/** Of a page, of a row in it, and what a row's end is rounded up to (PostgreSQL documentation, "Database Page Layout"). */
const PAGE_HEADER = 24
const ROW_HEADER = 28
const ALIGNMENT = 8

function rowsOf({
  pages,
  analysedPages,
  analysedRows,
  pageBytes,
  rowBytes,
}: Storage): Pick<TableEstimate, 'rows' | 'rowsFrom'> {
  const known = analysedRows >= 0 && analysedPages > 0
  const perPage = known
    ? analysedRows / analysedPages
    : Math.max(1, (pageBytes - PAGE_HEADER) / (Math.ceil(rowBytes / ALIGNMENT) * ALIGNMENT + ROW_HEADER))
  const analysed = known || (analysedRows >= 0 && pages === 0)
  return { rows: Math.round(pages * perPage), rowsFrom: analysed ? 'statistics' : 'size' }
}

/** By table of Postgres. Reads no row; tables that are not there have no estimate. */
export async function tableEstimates(
  client: pg.ClientBase,
  contracts: readonly TableContract[],
): Promise<Map<string, TableEstimate>> {
  const tables = [...new Set(contracts.map((contract) => contract.table))]
  const { rows } = await client.query<Storage>(STORAGE, [tables])
  return new Map(rows.map((storage) => [storage.table, { ...rowsOf(storage), widths: storage.widths }]))
}

/** Rows that each table of the lake will have, by its name; null before the first ANALYZE: a bar that goes wrong is worse than none. */
export async function estimatedRows(
  client: pg.ClientBase,
  contracts: readonly TableContract[],
): Promise<Map<string, number | null>> {
  const estimates = await tableEstimates(client, contracts)
  return new Map(
    contracts.map(({ name, table }) => {
      const estimate = estimates.get(table)
      return [name, estimate?.rowsFrom === 'statistics' ? estimate.rows : null]
    }),
  )
}
