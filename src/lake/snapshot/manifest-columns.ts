import { createHash } from 'node:crypto'
import type { ExportColumn } from '../contract.ts'
import type { ManifestColumn, ManifestTable } from '../manifest.ts'

/** The columns of a table as the manifest describes them: enough to read its files, also of a contract that is history. */
export function columnsOf(table: Pick<ManifestTable, 'columns'>): readonly ExportColumn[] {
  return table.columns.map((column) => ({
    name: column.name,
    source: column.name,
    sql: '',
    pgType: column.pg_type as ExportColumn['pgType'],
    athenaType: column.athena_type as ExportColumn['athenaType'],
    nullable: column.nullable,
    class: column.class as ExportColumn['class'],
    action: column.action as ExportColumn['action'],
    onUnrepresentable: 'fail',
    stats: false,
  }))
}

/** The fingerprint of a contract with these columns. */
export function fingerprintOf(
  columns: readonly Pick<ManifestColumn, 'action' | 'athena_type' | 'class' | 'name'>[],
): string {
  const canonical = columns.map(({ action, athena_type: athenaType, class: dataClass, name }) => ({
    ...{ action, athenaType, class: dataClass, name },
  }))
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex')
}
