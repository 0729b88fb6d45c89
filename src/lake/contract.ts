import { createHash } from 'node:crypto'
import type {
  AthenaType,
  Column,
  DataClass,
  Dataset,
  EarlierVersion,
  Generalisation,
  LakeColumn,
  PgType,
} from './datasets.ts'
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
  /** What the catalogue says about it, in words. */
  readonly about?: ColumnWords
}

/** The members of an entry in `datasets.ts` that are words for people. */
export type ColumnWords = Pick<Column, 'description' | 'reason' | 'unit' | 'values' | 'renamedFrom' | 'deprecatedIn'>

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
  /** Written beside a later version of the same lake table, which the views show. */
  readonly earlier: boolean
  /** Not written any more; the views show what live snapshots hold of it. */
  readonly retired: boolean
  /** The entry of `datasets.ts` that it comes from. */
  readonly entry: Dataset
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
    about: { ...words(column), ...(lake.description === undefined ? {} : { description: lake.description }) },
  }
}

function words({ description, reason, unit, values, renamedFrom, deprecatedIn }: Column): ColumnWords {
  const all = { description, reason, unit, values, renamedFrom, deprecatedIn }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
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
            sql: column.sql ?? GENERALISATIONS[action.generalise](quoteIdentifier(source)),
            action: 'generalise' as const,
          }
  // A boolean made from "is it there" is never NULL; the other actions keep NULL as NULL.
  const total =
    action !== 'include' && 'generalise' in action && action.generalise === 'toBoolean' && column.sql === undefined
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
      about: words(column),
    },
  ]
}

/** Glue table and S3 folder of a version: `players`, `players_v2`. */
export function versionName(lakeTable: string, version: number): string {
  return version > 1 ? `${lakeTable}_v${version}` : lakeTable
}

function resolve(
  table: string,
  entry: Dataset & { readonly lakeTable: string },
  { version, columns: given }: EarlierVersion,
): TableContract {
  const columns = Object.entries(given).flatMap(([source, column]) => exportColumns(source, column))
  const canonical = columns.map(({ action, athenaType, class: dataClass, name }) => ({
    action,
    athenaType,
    class: dataClass,
    name,
  }))
  return {
    table,
    lakeTable: entry.lakeTable,
    name: versionName(entry.lakeTable, version),
    description: entry.description,
    version,
    primaryKey: entry.primaryKey,
    columns,
    fingerprint: createHash('sha256').update(JSON.stringify(canonical)).digest('hex'),
    earlier: version !== entry.version,
    retired: entry.retired === true,
    entry,
  }
}

/** The contracts of the given entries in their order; of an entry with earlier versions these come first. */
export function contractsOf(entries: Readonly<Record<string, Dataset>>): TableContract[] {
  return Object.entries(entries).flatMap(([table, entry]) => {
    const { lakeTable } = entry
    if (lakeTable === null) return []
    const versions = [...(entry.earlier ?? []), { version: entry.version, columns: entry.columns }]
    return versions.map((version) => resolve(table, { ...entry, lakeTable }, version))
  })
}

/** Contracts of all lake tables, in the order of `datasets.ts`, which is the order in which a snapshot reads them. */
export const contracts: readonly TableContract[] = contractsOf(datasets)

/** Those that the views show: of each lake table its current version. */
export function currentContracts(all: readonly TableContract[]): readonly TableContract[] {
  return all.filter((contract) => !contract.earlier)
}

/** SHA-256 (hex) over the fingerprints of all given tables: changes when any contract does. */
export function setFingerprint(all: readonly TableContract[]): string {
  const lines = all.map((contract) => `${contract.name}:${contract.fingerprint}`)
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

export const contractSetFingerprint: string = setFingerprint(contracts)

/** A column of the primary key, and the field of a COPY row that holds it. */
export interface KeyField {
  readonly name: string
  readonly field: number
}

/** The primary key in a COPY row, for error texts: in the exported column that is the same, a pseudonym's too, else after the exported ones. */
export function keyFields({ columns, primaryKey }: Pick<TableContract, 'columns' | 'primaryKey'>): readonly KeyField[] {
  let next = columns.length
  return primaryKey.map((name) => {
    const exported = columns.findIndex((column) => column.sql === quoteIdentifier(name))
    return { name, field: exported < 0 ? next++ : exported }
  })
}

/** The SELECT that COPY runs: exported columns in contract order, then what these lack of the primary key. */
export function copySelect(contract: TableContract): string {
  const exported = contract.columns.map((c) => `${c.sql} AS ${quoteIdentifier(c.name)}`)
  const lacking = keyFields(contract).filter(({ field }) => field >= exported.length)
  const key = lacking.map(({ name }, i) => `${quoteIdentifier(name)} AS ${quoteIdentifier(`_key_${i}`)}`)
  return `SELECT ${[...exported, ...key].join(', ')} FROM ${quoteIdentifier(contract.table)}`
}
