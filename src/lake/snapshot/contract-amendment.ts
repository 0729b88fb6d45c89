import { type ExportColumn, quoteIdentifier, type TableContract } from '../contract.ts'
import type { Column, Dataset, LakeColumn, PgType } from '../datasets.ts'
import { athenaTypeOf, type DatabaseColumn, pgTypeOf } from './database-columns.ts'
import { formerType } from './former-type.ts'

/** What `datasets.ts` must say instead, as a change of one entry. Amendments of one entry are applied one after the other. */
export type Amendment = (entry: Dataset) => Dataset

type Columns = Readonly<Record<string, Column>>

const UUID = "'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"

/** A column that nobody has classified: personal and withheld, until somebody says otherwise. */
export function unknownColumn({ column, notNull }: DatabaseColumn): Amendment {
  const added: Column = { class: 'personal', lake: 'drop', ...(notNull ? {} : { nullable: true }) }
  return (entry) => ({ ...entry, columns: { ...entry.columns, [column]: added } })
}

/** The same column as an exported one, for whoever decides so. */
export function asExported({ type, notNull }: DatabaseColumn): Column | undefined {
  const pgType = pgTypeOf(type)
  if (pgType === undefined) return undefined
  const nullable = notNull ? {} : { nullable: true as const }
  return { class: 'internal', lake: 'include', pgType, athenaType: athenaTypeOf(pgType), ...nullable }
}

/** A column that has left the database: withheld ones leave the entry, exported ones stay as typed NULLs. */
export function goneColumn(source: string): Amendment {
  return (entry) =>
    inEveryVersion(entry, (columns, version) => {
      const { [source]: column, ...others } = columns
      if (column === undefined) return columns
      if (column.lake === 'drop') return others
      return { ...columns, [source]: asNull(column, version) }
    })
}

function asNull(column: Column, version: number): Column {
  const facts = { nullable: true as const, api: false as const, deprecatedIn: column.deprecatedIn ?? version }
  if (Array.isArray(column.lake)) return { ...column, ...facts, lake: column.lake.map(nullColumn) }
  return { ...column, ...facts, ...nullOf(column.pgType ?? 'text') }
}

const nullColumn = (lake: LakeColumn): LakeColumn => ({ ...lake, ...nullOf(lake.pgType), nullable: true })

/** No enum is named here: its labels are text in the files all the same. */
function nullOf(pgType: PgType): { sql: string; pgType: PgType } {
  const type = pgType === 'enum' ? 'text' : pgType
  return { sql: `NULL::${type}`, pgType: type }
}

/** An expression that has another type than the contract, or cannot run: kept at the contract's type. */
export function keptType(contractVersion: number, column: ExportColumn, actual: string | undefined): Amendment {
  return (entry) =>
    inEveryVersion(entry, (columns, version) => {
      const before = columns[column.source]
      if (before === undefined || version !== contractVersion) return columns
      return { ...columns, [column.source]: keptColumn(before, column, actual) }
    })
}

function keptColumn(before: Column, column: ExportColumn, actual: string | undefined): Column {
  const kept = keptExpression(before, column, actual)
  if (!Array.isArray(before.lake)) return { ...before, ...kept, nullable: true }
  const lake = before.lake.map((each) => (each.as === column.name ? { ...each, ...kept, nullable: true } : each))
  return { ...before, lake }
}

function keptExpression(before: Column, column: ExportColumn, actual: string | undefined) {
  const { source, sql, pgType, action } = column
  const asItIs = before.sql === undefined && !Array.isArray(before.lake)
  const from = asItIs ? quoteIdentifier(source) : `(${sql})`
  // A generalisation that does not fit its column any more is somebody's decision, and until then nothing leaves.
  if (actual === undefined || (asItIs && action === 'generalise')) return nullOf(pgType)
  if (action !== 'pseudonymise') return formerType(from, actual, pgType)
  return { sql: `CASE WHEN ${from}::text ~ ${UUID} THEN ${from}::text::uuid END`, pgType }
}

/** Another type in the database that is the same type in the files. */
export function sameFileType(column: ExportColumn, pgType: PgType): Amendment {
  return (entry) =>
    inEveryVersion(entry, (columns) => {
      const before = columns[column.source]
      return before === undefined ? columns : { ...columns, [column.source]: { ...before, pgType } }
    })
}

/** A column of another type in the files: the current version becomes an earlier one, which keeps the former type. */
export function newType(column: ExportColumn, actual: string, pgType: PgType): Amendment {
  return (entry) => {
    const bumped = withNewVersion(entry)
    const version = bumped.version - 1
    const kept = keptType(version, column, actual)(bumped)
    const before = kept.columns[column.source]
    if (before === undefined) return kept
    const retyped = { ...before, pgType, athenaType: athenaTypeOf(pgType) }
    return marked({ ...kept, columns: { ...kept.columns, [column.source]: retyped } })
  }
}

/**
 * A column whose values mean something else from now on: the current version becomes an earlier one, in which the column is a typed NULL of
 * its former policy. Its former values are not made again: where the policy became stricter, they must not leave any more.
 */
export function newMeaning(
  { earlier, version }: Pick<TableContract, 'earlier' | 'version'>,
  column: ExportColumn,
  former: Pick<ExportColumn, 'class' | 'action'>,
): Amendment {
  return (entry) => {
    const changed = earlier ? entry : withNewVersion(entry)
    const versions = changed.earlier?.map((each) => {
      const before = each.columns[column.source]
      if (each.version !== version || before === undefined) return each
      return { ...each, columns: { ...each.columns, [column.source]: withoutValues(before, column, former) } }
    })
    const amended = { ...changed, ...(versions ? { earlier: versions } : {}) }
    return BUMPED.has(changed) ? marked(amended) : amended
  }
}

function withoutValues(
  before: Column,
  { name, pgType, athenaType }: ExportColumn,
  former: Pick<ExportColumn, 'class' | 'action'>,
): Column {
  const { action } = former
  const empty: LakeColumn = { as: name, ...nullOf(pgType), athenaType, action, nullable: true }
  const lake = Array.isArray(before.lake) ? before.lake.map((each) => (each.as === name ? empty : each)) : [empty]
  const { description, reason = former.class === 'personal' ? 'always NULL' : undefined } = before
  return {
    ...{ class: former.class, lake, nullable: true, api: false },
    ...(description === undefined ? {} : { description }),
    ...(reason === undefined ? {} : { reason }),
  }
}

const BUMPED = new WeakSet<Dataset>()

/** Once for all amendments of an entry. */
function withNewVersion(entry: Dataset): Dataset {
  if (BUMPED.has(entry)) return entry
  const exported = Object.entries(entry.columns).filter(([, column]) => column.lake !== 'drop')
  const earlier = [...(entry.earlier ?? []), { version: entry.version, columns: Object.fromEntries(exported) }]
  return marked({ ...entry, version: entry.version + 1, earlier })
}

function marked(entry: Dataset): Dataset {
  BUMPED.add(entry)
  return entry
}

/** Adds a version that live snapshots hold and `datasets.ts` has forgotten; its columns as far as they are still known. */
export function forgottenVersion(version: number, columns: Columns): Amendment {
  return (entry) => {
    const others = entry.earlier?.filter((each) => each.version !== version) ?? []
    const earlier = [...others, { version, columns }].sort((a, b) => a.version - b.version)
    const current = Math.max(entry.version, version + 1)
    return { ...entry, version: current, earlier }
  }
}

export const retiredTable: Amendment = (entry) => ({ ...entry, retired: true })

/** Changes the columns of the current and of every earlier version. */
function inEveryVersion(entry: Dataset, change: (columns: Columns, version: number) => Columns): Dataset {
  const earlier = entry.earlier?.map((each) => ({ ...each, columns: change(each.columns, each.version) }))
  const changed = { ...entry, columns: change(entry.columns, entry.version), ...(earlier ? { earlier } : {}) }
  return BUMPED.has(entry) ? marked(changed) : changed
}
