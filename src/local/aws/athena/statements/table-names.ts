import type { Cursor } from '../dialect/cursor.ts'
import { QueryFailure } from '../failure.ts'
import type { TableName } from './statement.ts'

/** `table`, `database.table`, `awsdatacatalog.database.table`; back-quotes may hold a dot: `` `db.table` ``. */
export function readTableName(c: Cursor): TableName {
  const names = c
    .qualifiedName()
    .flatMap((n) => (n.quoted && n.text.includes('.') && !n.text.includes('$') ? n.text.split('.') : [n.text]))
  const [table, database, catalog] = names.map((n) => n.toLowerCase()).reverse()
  if (names.length > 3 || (catalog !== undefined && catalog !== 'awsdatacatalog'))
    throw new QueryFailure('CATALOG_NOT_FOUND', `Catalog '${catalog}' does not exist`)
  return database === undefined ? { table: table! } : { database, table: table! }
}
