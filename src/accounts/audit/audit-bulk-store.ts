import type { Context } from '../../caller.ts'
import { copyRows } from '../../database/copy-rows.ts'
import type { RawClient } from '../../database/database.ts'
import type { AuditEvent } from './audit-event.ts'

const COLUMNS = [
  'actor_type',
  'actor_id',
  'request_id',
  'action',
  'entity_type',
  'entity_id',
  'studio_id',
  'reason',
  'changes',
] as const

/** `appendAudit` for many events, in a raw transaction. */
export function appendAuditRows(
  client: RawClient,
  { principal, requestId }: Context,
  events: readonly AuditEvent[],
): Promise<void> {
  const rows = events.map(({ action, entityType, entityId, studioId, reason, changes }) => {
    const about = [action, entityType, entityId, studioId, reason]
    return [principal.type, principal.id, requestId, ...about, JSON.stringify(changes ?? {})]
  })
  return copyRows(client, 'audit_event', COLUMNS, rows)
}
