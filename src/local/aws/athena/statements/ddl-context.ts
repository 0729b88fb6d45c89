import type { Catalogue, ObjectStore, WireTable } from '../../ports.ts'
import type { TrinoType } from '../dialect/trino-type.ts'
import { QueryFailure } from '../failure.ts'
import type { TableName } from './statement.ts'

/** What a statement about the catalogue works with. */
export interface DdlContext {
  readonly catalogue: Catalogue
  readonly store: ObjectStore
  readonly database: string
  /** Names and types of a query's columns; proves that it can run. */
  readonly typesOf: (sql: string) => Promise<readonly { name: string; type: TrinoType }[]>
}

export function getTable(c: DdlContext, name: TableName): WireTable {
  const database = name.database ?? c.database
  if (c.catalogue.database(database) === undefined)
    throw new QueryFailure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`)
  const table = c.catalogue.table(database, name.table)
  if (table === undefined)
    throw new QueryFailure('TABLE_NOT_FOUND', `Table 'awsdatacatalog.${database}.${name.table}' does not exist`)
  return table
}

export function getDatabase(c: DdlContext, name: string | undefined): string {
  const database = name ?? c.database
  if (c.catalogue.database(database) === undefined)
    throw new QueryFailure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`)
  return database
}
