import { copyLines, copyTogether, type TableRows } from '../../database/copy-rows.ts'
import type { RawClient } from '../../database/database.ts'
import type { TableName } from '../../lake/datasets.ts'
import { toSnakeCase } from '../../naming.ts'

/** Many rows in one statement. Their fields are the columns in camelCase; types come from the table itself. */

/** The given fields of each row as JSON that `json_populate_recordset` reads; absent ones are NULL. */
function jsonRows(rows: readonly object[], fields: readonly string[]): string {
  const named = fields.map((field) => [field, toSnakeCase(field)] as const)
  const records = rows.map((row) => {
    const record: Record<string, unknown> = {}
    for (const [field, column] of named) record[column] = (row as Record<string, unknown>)[field]
    return record
  })
  return JSON.stringify(records)
}

/** Rows as they go into their table. Fields that no row has are left out: the database has its defaults for them. */
export function tableRows(table: TableName, fields: readonly string[], rows: readonly object[]): TableRows {
  const has = (row: object, field: string) => ((row as Record<string, unknown>)[field] ?? null) !== null
  const filled = fields.filter((field) => rows.some((row) => has(row, field)))
  return { table, columns: filled.map(toSnakeCase), text: copyLines(rows, filled) }
}

/** Adds rows. A unique value that exists fails the statement: the caller narrows it down. */
export function insertRows(
  client: RawClient,
  table: TableName,
  fields: readonly string[],
  rows: readonly object[],
): Promise<void> {
  return copyTogether(client, [tableRows(table, fields, rows)])
}

/**
 * Writes the given fields of rows that the transaction has locked.
 *
 * @param keys fields of the primary key
 * @returns the new version by the key's values, joined by a space
 */
export async function updateRows(
  client: RawClient,
  table: TableName,
  keys: readonly string[],
  fields: readonly string[],
  rows: readonly object[],
): Promise<ReadonlyMap<string, number>> {
  if (rows.length === 0) return new Map()
  const key = keys.map(toSnakeCase)
  const set = fields.map(toSnakeCase).map((column) => `${column} = r.${column}`)
  const { rows: written } = await client.query<{ key: string; version: number }>({
    name: `bulk update ${table}`,
    text: `UPDATE ${table} t SET ${set.join(', ')} FROM json_populate_recordset(NULL::${table}, $1::json) r
      WHERE ${key.map((column) => `t.${column} = r.${column}`).join(' AND ')}
      RETURNING concat_ws(' ', ${key.map((column) => `t.${column}`).join(', ')}) AS key, t.version`,
    values: [jsonRows(rows, [...keys, ...fields])],
  })
  if (written.length !== rows.length)
    throw new Error(`${rows.length} rows of ${table} to update, ${written.length} there`)
  return new Map(written.map((row) => [row.key, row.version]))
}
