import {
  type Column,
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
import {
  columnComment,
  glueColumn,
  PARTITION_INDEX,
  PARTITION_KEYS,
  tableDescription,
  tableInput,
} from './table-definition.ts'

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
  /** Only additions and words are ever changed; what else differs is drift, and somebody's decision. */
  | {
      readonly kind: 'update'
      /** Columns to append, by name. */
      readonly added: readonly string[]
      /** Columns whose comment is out of date. */
      readonly described: readonly string[]
      /** The description of the table itself is out of date. */
      readonly description: boolean
    }

const nameOf = (column: Column) => column.Name?.toLowerCase() ?? ''

export function plannedTableChange(contract: TableContract, table: Table | undefined, bucket: string): TableChange {
  if (table === undefined) return { kind: 'create' }
  const added = tableDrift(contract, table, bucket)
    .filter((drift) => drift.code === 'column_missing')
    .map((drift) => drift.subject.slice(contract.name.length + 1))
  const comments = new Map(table.StorageDescriptor?.Columns?.map((column) => [nameOf(column), column.Comment]))
  const described = contract.columns
    .filter((column) => comments.has(column.name) && comments.get(column.name) !== columnComment(column))
    .map((column) => column.name)
  const description = table.Description !== tableDescription(contract)
  if (added.length + described.length === 0 && !description) return { kind: 'none' }
  return { kind: 'update', added, described, description }
}

/** The change in a phrase; undefined for none. */
export function tableChangeText(table: string, change: TableChange): string | undefined {
  if (change.kind === 'none') return undefined
  if (change.kind === 'create') return `table ${table}`
  const { added, described, description } = change
  const parts = [
    added.length > 0 ? `columns ${added.join(', ')}` : undefined,
    described.length > 0 ? `comments of ${described.join(', ')}` : undefined,
    description ? 'description' : undefined,
  ]
  return `table ${table}: ${parts.filter((part) => part !== undefined).join('; ')}`
}

/** The members of a stored table that UpdateTable takes; it replaces all of them, so all of them must be sent. */
function asInput(table: Table): TableInput {
  const { Name, Description, Owner, Retention, StorageDescriptor, PartitionKeys, TableType, Parameters } = table
  return { Name, Description, Owner, Retention, StorageDescriptor, PartitionKeys, TableType, Parameters } as TableInput
}

function updated(table: Table, contract: TableContract, added: readonly string[]): TableInput {
  const input = asInput(table)
  const ours = new Map(contract.columns.map((column) => [column.name, glueColumn(column)]))
  const known = (table.StorageDescriptor?.Columns ?? []).map((column): Column => {
    const comment = ours.get(nameOf(column))?.Comment
    return comment === undefined ? column : { ...column, Comment: comment }
  })
  return {
    ...input,
    Description: tableDescription(contract),
    Parameters: {
      ...input.Parameters,
      contract_version: String(contract.version),
      contract_fingerprint: contract.fingerprint,
    },
    StorageDescriptor: {
      ...input.StorageDescriptor,
      Columns: [...known, ...added.flatMap((name) => ours.get(name) ?? [])],
    },
  }
}

/**
 * Creates the table of a contract, or appends the columns that it lacks and brings its words up to date. The version id makes sure that nothing written in
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
    } else if (change.kind === 'update' && table !== undefined) {
      await glue.send(
        new UpdateTableCommand({
          DatabaseName: place.database,
          TableInput: updated(table, contract, change.added),
          ...(table.VersionId === undefined ? {} : { VersionId: table.VersionId }),
        }),
      )
    }
    return change
  }
  const raced = /^(AlreadyExists|ConcurrentModification|VersionMismatch)/
  return retrying(attempt, { passes: (error) => isTransient(error) || raced.test(awsErrorName(error)) })
}
