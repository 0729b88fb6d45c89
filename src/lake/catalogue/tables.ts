import {
  CreateTableCommand,
  GetTableCommand,
  GetTablesCommand,
  type GlueClient,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import type { TableContract } from '../contract.ts'
import { isTransient, retrying } from '../retries.ts'
import { tableDrift } from './drift.ts'
import { glueColumn, PARTITION_INDEX, PARTITION_KEYS, tableInput } from './table-definition.ts'

/** Where the lake tables live. */
export interface CataloguePlace {
  readonly bucket: string
  /** Glue database of the tables, `rocketgames_raw`. */
  readonly database: string
}

export async function findTable(glue: GlueClient, database: string, name: string): Promise<Table | undefined> {
  try {
    const { Table: table } = await retrying(() =>
      glue.send(new GetTableCommand({ DatabaseName: database, Name: name })),
    )
    return table
  } catch (error) {
    if (awsErrorName(error) === 'EntityNotFoundException') return undefined
    throw error
  }
}

/** All tables of a database by name. */
export async function tablesOf(glue: GlueClient, database: string): Promise<Map<string, Table>> {
  const found = new Map<string, Table>()
  let next: string | undefined
  do {
    const command = new GetTablesCommand({ DatabaseName: database, ...(next === undefined ? {} : { NextToken: next }) })
    const page = await retrying(() => glue.send(command))
    for (const table of page.TableList ?? []) if (table.Name !== undefined) found.set(table.Name, table)
    next = page.NextToken
  } while (next !== undefined && next !== '')
  return found
}

/** What has to happen to a Glue table so that it shows its contract. */
export type TableChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** Columns to append, by name. Only additions are ever made; what else differs is drift, and somebody's decision. */
  | { readonly kind: 'add-columns'; readonly columns: readonly string[] }

export function plannedTableChange(contract: TableContract, table: Table | undefined, bucket: string): TableChange {
  if (table === undefined) return { kind: 'create' }
  const columns = tableDrift(contract, table, bucket)
    .filter((drift) => drift.code === 'column_missing')
    .map((drift) => drift.subject.slice(contract.name.length + 1))
  return columns.length === 0 ? { kind: 'none' } : { kind: 'add-columns', columns }
}

/** The members of a stored table that UpdateTable takes; it replaces all of them, so all of them must be sent. */
function asInput(table: Table): TableInput {
  const { Name, Description, Owner, Retention, StorageDescriptor, PartitionKeys, TableType, Parameters } = table
  return { Name, Description, Owner, Retention, StorageDescriptor, PartitionKeys, TableType, Parameters } as TableInput
}

function withColumns(table: Table, contract: TableContract, names: readonly string[]): TableInput {
  const added = contract.columns.filter((column) => names.includes(column.name)).map(glueColumn)
  const input = asInput(table)
  return {
    ...input,
    Parameters: {
      ...input.Parameters,
      contract_version: String(contract.version),
      contract_fingerprint: contract.fingerprint,
    },
    StorageDescriptor: { ...input.StorageDescriptor, Columns: [...(table.StorageDescriptor?.Columns ?? []), ...added] },
  }
}

/**
 * Creates the table of a contract, or appends the columns that it lacks. The version id makes sure that nothing written in
 * between (by the crawler, by another process) is lost: the comparison is made again on what is there then.
 */
export async function ensureTable(
  glue: GlueClient,
  contract: TableContract,
  place: CataloguePlace,
): Promise<TableChange> {
  const attempt = async (): Promise<TableChange> => {
    const table = await findTable(glue, place.database, contract.name)
    const change = plannedTableChange(contract, table, place.bucket)
    if (change.kind === 'create') {
      await glue.send(
        new CreateTableCommand({
          DatabaseName: place.database,
          TableInput: tableInput(contract, place.bucket),
          PartitionIndexes: [{ Keys: [...PARTITION_KEYS], IndexName: PARTITION_INDEX }],
        }),
      )
    } else if (change.kind === 'add-columns' && table !== undefined) {
      await glue.send(
        new UpdateTableCommand({
          DatabaseName: place.database,
          TableInput: withColumns(table, contract, change.columns),
          ...(table.VersionId === undefined ? {} : { VersionId: table.VersionId }),
        }),
      )
    }
    return change
  }
  const raced = /^(AlreadyExists|ConcurrentModification|VersionMismatch)/
  return retrying(attempt, { passes: (error) => isTransient(error) || raced.test(awsErrorName(error)) })
}
