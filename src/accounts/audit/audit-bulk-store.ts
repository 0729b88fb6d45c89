import type { Context } from '../../caller.ts'
import type { RawClient } from '../../database/database.ts'
import type { AuditEvent } from './audit-event.ts'

/** `appendAudit` for many events, in a raw transaction. */
export async function appendAuditRows(
  client: RawClient,
  { principal, requestId }: Context,
  events: readonly AuditEvent[],
): Promise<void> {
  if (events.length === 0) return
  await client.query({
    name: 'bulk audit',
    text: `INSERT INTO audit_event
        (actor_type, actor_id, request_id, action, entity_type, entity_id, studio_id, reason, changes)
      SELECT $1::actor_type, $2, $3, e.action, e."entityType", e."entityId", e."studioId", e.reason, coalesce(e.changes, '{}')
      FROM json_to_recordset($4::json) AS e (
        action text, "entityType" text, "entityId" text, "studioId" uuid, reason text, changes jsonb)`,
    values: [principal.type, principal.id, requestId, JSON.stringify(events)],
  })
}
