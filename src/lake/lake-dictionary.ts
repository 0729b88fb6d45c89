import { AppError } from '../errors.ts'
import { contracts, currentContracts, type ExportColumn, type TableContract } from './contract.ts'

/** What the lake holds and what it withholds, table by table: the policy, readable. */
export interface LakeTable {
  /** `players`, as in the views' names. */
  readonly name: string
  /** Glue table: `players`, from version 2 on `players_v2`. */
  readonly glueTable: string
  readonly description: string
  readonly version: number
  readonly fingerprint: string
  /** What analysts query. */
  readonly views: readonly string[]
  readonly columns: readonly LakeTableColumn[]
  /** Columns of the record that never leave the database. */
  readonly withheld: readonly WithheldColumn[]
}

export interface LakeTableColumn {
  readonly name: string
  /** As Athena says it. */
  readonly type: string
  readonly nullable: boolean
  readonly class: string
  readonly action: string
  /** The column of the record that it comes from. */
  readonly source: string
  /** Why a personal column is there all the same. */
  readonly reason: string | null
  /** What a value means. */
  readonly description: string | null
  /** Of a number. */
  readonly unit: string | null
  /** All labels of an enum, in the database's order; null for other columns. */
  readonly values: readonly string[] | null
  /** Only NULL, or a copy of the column that replaces it: leaves with the next version. */
  readonly deprecated: boolean
}

export interface WithheldColumn {
  readonly source: string
  readonly class: string
}

function withheldColumns(contract: TableContract): WithheldColumn[] {
  return Object.entries(contract.entry.columns)
    .filter(([, column]) => column.lake === 'drop')
    .map(([source, column]) => ({ source, class: column.class }))
}

function tableColumn({ about = {}, ...column }: ExportColumn): LakeTableColumn {
  return {
    name: column.name,
    type: column.athenaType,
    nullable: column.nullable,
    class: column.class,
    action: column.action,
    source: column.source,
    reason: about.reason ?? null,
    description: about.description ?? null,
    unit: about.unit ?? null,
    values: about.values ?? null,
    deprecated: about.deprecatedIn !== undefined,
  }
}

function lakeTable(contract: TableContract): LakeTable {
  const { lakeTable: name, name: glueTable, description, version, fingerprint } = contract
  return {
    name,
    glueTable,
    description,
    version,
    fingerprint,
    views: [`${name}_latest`, `${name}_daily`],
    columns: contract.columns.map(tableColumn),
    withheld: withheldColumns(contract),
  }
}

export const lakeTables: readonly LakeTable[] = currentContracts(contracts).map(lakeTable)

/** By the name of the views or of the Glue table. @throws AppError `not-found`. */
export function findLakeTable(name: string): LakeTable {
  const table = lakeTables.find((each) => each.name === name || each.glueTable === name)
  if (table !== undefined) return table
  throw new AppError('not-found', 'There is no such table in the lake; GET /v1/lake/tables lists them')
}
