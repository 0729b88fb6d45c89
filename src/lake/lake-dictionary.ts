import { AppError } from '../errors.ts'
import { contracts, currentContracts, type ExportColumn, type TableContract } from './contract.ts'
import { type Column, type Dataset, datasets } from './datasets.ts'

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
}

export interface WithheldColumn {
  readonly source: string
  readonly class: string
}

function reasonOf(contract: TableContract, column: ExportColumn): string | null {
  const columns: Readonly<Record<string, Column>> =
    (datasets as Readonly<Record<string, Dataset>>)[contract.table]?.columns ?? {}
  return columns[column.source]?.reason ?? null
}

function withheldColumns(contract: TableContract): WithheldColumn[] {
  const columns = (datasets as Readonly<Record<string, Dataset>>)[contract.table]?.columns ?? {}
  return Object.entries(columns)
    .filter(([, column]) => column.lake === 'drop')
    .map(([source, column]) => ({ source, class: column.class }))
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
    columns: contract.columns.map((column) => ({
      name: column.name,
      type: column.athenaType,
      nullable: column.nullable,
      class: column.class,
      action: column.action,
      source: column.source,
      reason: reasonOf(contract, column),
    })),
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
