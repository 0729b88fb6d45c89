import type { Context } from '../../caller.ts'
import type { RawStatement, Transaction } from '../../database/database.ts'
import type { AuditEvent } from './audit-event.ts'

const COLUMNS = 'actor_type, actor_id, request_id, action, entity_type, entity_id, studio_id, reason, changes'
const COLUMN_TYPES = ['actor_type', 'text', 'text', 'text', 'text', 'text', 'uuid', 'text', 'jsonb']

/** Placeholders of one event, from `$first` on. */
function placeholders(first: number): string {
  return COLUMN_TYPES.map((type, i) => `$${first + i}::${type}`).join(', ')
}

function valuesOf({ principal, requestId }: Context, event: AuditEvent): unknown[] {
  const { action, entityType, entityId, studioId = null, reason = null, changes = {} } = event
  const who = [principal.type, principal.id, requestId]
  return [...who, action, entityType, entityId, studioId, reason, JSON.stringify(changes)]
}

/** Writes events into the trail, in the transaction of the change that they tell: both are there or neither. */
export async function appendAudit(tx: Transaction, context: Context, ...events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map((_, i) => `(${placeholders(1 + i * COLUMN_TYPES.length)})`)
  const values = events.flatMap((event) => valuesOf(context, event))
  await tx.$queryRawUnsafe(`INSERT INTO audit_event (${COLUMNS}) VALUES ${rows.join(', ')}`, ...values)
}

/** A change of one row: `INSERT … RETURNING *` or `UPDATE … RETURNING *`, its parameters from `$1` on. */
export interface RowChange {
  /** Of the whole statement; its text must always be the same. */
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

/**
 * A change and its event as one statement, which gives the changed row: as much all or nothing as a transaction of several, in one
 * round trip. Where no row is changed, nothing is told.
 *
 * @param columns what to give of the row, as `t.id, t.name`
 */
export function withAudit(change: RowChange, columns: string, context: Context, event: AuditEvent): RawStatement {
  const { name, text, values } = change
  const told = `INSERT INTO audit_event (${COLUMNS}) SELECT ${placeholders(values.length + 1)} FROM changed`
  return {
    name,
    text: `WITH changed AS (${text}), told AS (${told}) SELECT ${columns} FROM changed t`,
    values: [...values, ...valuesOf(context, event)],
  }
}
