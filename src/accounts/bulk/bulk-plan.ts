import type { AuditEvent } from '../audit/audit-event.ts'

/** What a line comes to, before anything is written. */
export interface Plan<Row> {
  /** `touch`: the row itself stays, rows that belong to it change. */
  readonly kind: 'create' | 'update' | 'touch' | 'unchanged'
  /** As it is to be. */
  readonly row: Row
  readonly events: readonly AuditEvent[]
}
