import { createHash } from 'node:crypto'
import type { AthenaType, Column, DataClass, Dataset, Generalisation, LakeColumn, PgType } from './datasets.ts'
import { datasets } from './datasets.ts'

/** One column of a lake table: what COPY sends, what the file holds, what Glue shows. */
export interface ExportColumn {
  /** Name in the file, in Glue and in the views. */
  readonly name: string
  /** The database column that it comes from. */
  readonly source: string
  /** The expression that COPY selects. Total: it never fails on any row. */
  readonly sql: string
  readonly pgType: PgType
  readonly athenaType: AthenaType
  /** May the value be NULL? A NULL in a column that says no fails the snapshot. */
  readonly nullable: boolean
  readonly class: DataClass
  readonly action: 'include' | 'pseudonymise' | 'generalise'
  readonly onUnrepresentable: 'fail' | 'null'
  readonly stats: boolean
}

/** A lake table as `datasets.ts` describes it, resolved: the one thing that readers, writers and catalogue agree on. */
export interface TableContract {
  /** Postgres table. */
  readonly table: string
  /** Lake table without version suffix: `players`. */
  readonly lakeTable: string
  /** Glue table and S3 folder: `players`, from version 2 on `players_v2`. */
  readonly name: string
  readonly description: string
  readonly version: number
  /** Database columns of the primary key: selected after the exported columns, for error texts only. */
  readonly primaryKey: readonly string[]
  readonly columns: readonly ExportColumn[]
  /** SHA-256 (hex) of the canonical JSON of the exported columns. */
  readonly fingerprint: string
}

const GENERALISATIONS: Record<Generalisation, (column: string) => string> = {
  toBoolean: (c) => `(${c} IS NOT NULL)`,
  // Below 18 only the band is told; the session's time zone is UTC. Infinity counts as under 18, so no cast can fail. The day of the
  // eighteenth birthday is a subquery of its own, which Postgres computes once and not for each row.
  toBirthYear: (c) =>
    `CASE WHEN ${c} > (SELECT (current_date - interval '18 years')::date) THEN 'under_18' WHEN isfinite(${c}) THEN extract(year FROM ${c})::text END`,
  // A match without a group: one that returns its group costs Postgres three times as much as all the rest of a row.
  toLanguage: (c) =>
    `CASE WHEN ${c} COLLATE "C" ~ '^[A-Za-z]{2,3}([-_]|$)' THEN lower(rtrim(left(${c}, 3), '-_') COLLATE "C") END`,
}

/** Quotes an identifier for SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function fromLakeColumn(source: string, column: Column, lake: LakeColumn): ExportColumn {
  return {
    name: lake.as,
    source,
    sql: lake.sql,
    pgType: lake.pgType,
    athenaType: lake.athenaType,
    nullable: lake.nullable,
    class: column.class,
    action: lake.action,
    onUnrepresentable: column.onUnrepresentable ?? 'fail',
    stats: column.stats !== false && lake.action !== 'pseudonymise',
  }
}

function exportColumns(source: string, column: Column): ExportColumn[] {
  const { lake } = column
  if (lake === 'drop') return []
  if (Array.isArray(lake)) return lake.map((each: LakeColumn) => fromLakeColumn(source, column, each))
  const action = lake as Exclude<typeof lake, 'drop' | readonly LakeColumn[]>
  if (column.pgType === undefined || column.athenaType === undefined) {
    throw new Error(`${source} is exported but has no pgType or athenaType in datasets.ts`)
  }
  const plain = column.sql ?? quoteIdentifier(source)
  const shape =
    action === 'include'
      ? { name: source, sql: plain, action: 'include' as const }
      : 'pseudonymise' in action
        ? { name: action.pseudonymise, sql: plain, action: 'pseudonymise' as const }
        : {
            name: action.as,
            sql: GENERALISATIONS[action.generalise](quoteIdentifier(source)),
            action: 'generalise' as const,
          }
  // A boolean made from "is it there" is never NULL; the other actions keep NULL as NULL.
  const total = action !== 'include' && 'generalise' in action && action.generalise === 'toBoolean'
  return [
    {
      ...shape,
      source,
      pgType: column.pgType,
      athenaType: column.athenaType,
      nullable: column.nullable === true && !total,
      class: column.class,
      onUnrepresentable: column.onUnrepresentable ?? 'fail',
      stats: column.stats !== false && shape.action !== 'pseudonymise',
    },
  ]
}

function resolve(table: string, dataset: Dataset): TableContract | undefined {
  if (dataset.lakeTable === null) return undefined
  const columns = Object.entries(dataset.columns).flatMap(([source, column]) => exportColumns(source, column))
  const canonical = columns.map(({ action, athenaType, class: dataClass, name }) => ({
    action,
    athenaType,
    class: dataClass,
    name,
  }))
  return {
    table,
    lakeTable: dataset.lakeTable,
    name: dataset.version > 1 ? `${dataset.lakeTable}_v${dataset.version}` : dataset.lakeTable,
    description: dataset.description,
    version: dataset.version,
    primaryKey: dataset.primaryKey,
    columns,
    fingerprint: createHash('sha256').update(JSON.stringify(canonical)).digest('hex'),
  }
}

/** Contracts of all lake tables, in the order of `datasets.ts`, which is the order in which a snapshot reads them. */
export const contracts: readonly TableContract[] = Object.entries(datasets).flatMap(([table, dataset]) => {
  const contract = resolve(table, dataset as Dataset)
  return contract ? [contract] : []
})

/** SHA-256 (hex) over the fingerprints of all tables: changes when any contract does. */
export const contractSetFingerprint: string = createHash('sha256')
  .update(contracts.map((c) => `${c.name}:${c.fingerprint}`).join('\n'))
  .digest('hex')

/** The SELECT that COPY runs: exported columns in contract order, then the primary key for error texts. */
export function copySelect(contract: TableContract): string {
  const exported = contract.columns.map((c) => `${c.sql} AS ${quoteIdentifier(c.name)}`)
  const key = contract.primaryKey.map((c, i) => `${quoteIdentifier(c)} AS ${quoteIdentifier(`_key_${i}`)}`)
  return `SELECT ${[...exported, ...key].join(', ')} FROM ${quoteIdentifier(contract.table)}`
}
