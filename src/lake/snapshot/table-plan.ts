import type pg from 'pg'
import { type ExportColumn, type TableContract, versionName } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import { partKey } from '../object-keys.ts'
import type { SnapshotSettings } from './lake.ts'
import { readerCount } from './parallel-readers.ts'
import { tableSizes } from './table-ranges.ts'

/** What a snapshot would write of one table. Rows and bytes are estimates: nothing is counted. */
export interface TablePlan {
  /** Lake table, with its version. */
  readonly name: string
  /** Postgres table. */
  readonly table: string
  /** The first one of each reader; the others count up from it. */
  readonly firstKeys: readonly string[]
  readonly files: number
  /** Connections that share the table. */
  readonly readers: number
  readonly rows: number
  /** `statistics`: density as of the last ANALYZE, times the pages of now. `size`: no ANALYZE yet, pages by the columns' widths. */
  readonly rowsFrom: 'statistics' | 'size'
  readonly bytes: number
  /** `snapshot`: bytes a row of the last one. `widths`: there is none, what such columns take in a file. */
  readonly bytesFrom: 'snapshot' | 'widths'
  /** Of the last published snapshot; null where it has no such table. */
  readonly lastRows: number | null
  readonly lastBytes: number | null
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

/** Types of no fixed length count as the planner counts them before there are statistics. */
const STORAGE = `
  SELECT n AS "table", sum(pg_relation_size(l.oid) / s.page)::float8 AS pages, sum(l.relpages)::float8 AS "analysedPages",
         CASE WHEN bool_and(l.reltuples >= 0) THEN sum(l.reltuples) ELSE -1 END::float8 AS "analysedRows",
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

/** Of a page and of a row in it (PostgreSQL documentation, "Database Page Layout"). */
const PAGE_HEADER = 24
const ROW_HEADER = 28

function rowsOf({
  pages,
  analysedPages,
  analysedRows,
  pageBytes,
  rowBytes,
}: Storage): Pick<TablePlan, 'rows' | 'rowsFrom'> {
  const known = analysedRows >= 0 && analysedPages > 0
  const perPage = known
    ? analysedRows / analysedPages
    : Math.max(1, (pageBytes - PAGE_HEADER) / (rowBytes + ROW_HEADER))
  const analysed = known || (analysedRows >= 0 && pages === 0)
  return { rows: Math.round(pages * perPage), rowsFrom: analysed ? 'statistics' : 'size' }
}

/** What a value takes in a file, compressed: ids do not compress, labels and flags are in a dictionary. */
const FILE_BYTES: Readonly<Record<string, number>> = {
  ...{ uuid: 18, enum: 0.5, boolean: 0.2, date: 2, 'timestamptz(3)': 4, smallint: 1, integer: 2, bigint: 3, jsonb: 8 },
}
const TEXT_BYTES = 8

function fileBytes({ pgType, source }: ExportColumn, widths: Readonly<Record<string, number>>): number {
  // Half of what a text takes in the table, where ANALYZE has seen it.
  if (pgType === 'text') return widths[source] === undefined ? TEXT_BYTES : widths[source] / 2
  return FILE_BYTES[pgType] ?? TEXT_BYTES
}

function bytesOf(
  contract: TableContract,
  storage: Storage | undefined,
  rows: number,
  live: readonly Manifest[],
): Pick<TablePlan, 'bytes' | 'bytesFrom'> {
  const before = live.at(-1)?.tables ?? []
  // A version that was never written takes about what the one before it does.
  const earlier = (contract.entry.earlier ?? []).map(({ version }) => versionName(contract.lakeTable, version))
  const last = [contract.name, ...earlier].flatMap((name) => before.find((table) => table.name === name) ?? [])[0]
  if (last !== undefined && last.rows > 0) {
    return { bytes: Math.round((last.bytes / last.rows) * rows), bytesFrom: 'snapshot' }
  }
  const perRow = contract.columns.reduce((sum, column) => sum + fileBytes(column, storage?.widths ?? {}), 0)
  return { bytes: Math.round(perRow * rows), bytesFrom: 'widths' }
}

/** Reads the catalogue of Postgres only. Tables that are not there have no rows. */
export async function tablePlans(
  client: pg.Client,
  contracts: readonly TableContract[],
  { live, settings, snapshotId }: { live: readonly Manifest[]; settings: SnapshotSettings; snapshotId: string },
): Promise<TablePlan[]> {
  const tables = [...new Set(contracts.map((contract) => contract.table))]
  const { rows: storages } = await client.query<Storage>(STORAGE, [tables])
  const sizes = new Map((await tableSizes(client, contracts)).map(({ table, bytes }) => [table, bytes]))
  return contracts.map((contract): TablePlan => {
    const { name, table } = contract
    const storage = storages.find((each) => each.table === table)
    const estimate = storage === undefined ? { rows: 0, rowsFrom: 'size' as const } : rowsOf(storage)
    const bytes = bytesOf(contract, storage, estimate.rows, live)
    const readers = (sizes.get(table) ?? 0) > settings.parallelTableBytes ? readerCount(settings) : 1
    const last = live.at(-1)?.tables.find((each) => each.name === name)
    return {
      ...{ name, table, readers, ...estimate, ...bytes },
      firstKeys: Array.from({ length: readers }, (_, reader) => partKey(name, snapshotId, reader, 0)),
      files: Math.max(readers, Math.ceil(bytes.bytes / settings.fileTargetBytes)),
      lastRows: last?.rows ?? null,
      lastBytes: last?.bytes ?? null,
    }
  })
}
