import type { ExportColumn } from '../contract.ts'
import type { ManifestTable } from '../manifest.ts'
import type { Lake } from './lake.ts'
import { manifestColumn } from './manifest-builder.ts'

/**
 * The columns of a table in one snapshot. An older contract's columns are a prefix of today's, as columns are only appended within
 * a version.
 *
 * @throws Error when this version of the program does not know the contract any more.
 */
export function columnsOf(lake: Lake, table: ManifestTable): readonly ExportColumn[] {
  const contract = lake.contracts.find((each) => each.name === table.name)
  const names = new Map(table.columns.map((column) => [column.name, column]))
  const columns = (contract?.columns ?? []).filter((column) => names.has(column.name))
  const same = columns.every((column) => manifestColumn(column).athena_type === names.get(column.name)?.athena_type)
  if (!same || columns.length !== table.columns.length) {
    throw new Error(`no contract of ${table.name} with the fingerprint ${table.fingerprint} is known to this version`)
  }
  return columns
}
