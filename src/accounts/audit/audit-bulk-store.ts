import type { Context } from '../../caller.ts'
import { copyText, copyTogether, type TableRows } from '../../database/copy-rows.ts'
import type { RawClient } from '../../database/database.ts'
import type { AuditEvent } from './audit-event.ts'

const SAME = ['actor_type', 'actor_id', 'request_id'] as const
const OWN = ['action', 'entity_type', 'entity_id', 'studio_id', 'reason', 'changes'] as const

/** Events as they go into the trail; what none of them tells is left to the defaults. */
export function auditRows({ principal, requestId }: Context, events: readonly AuditEvent[]): TableRows {
  const same = [principal.type, principal.id, requestId].map(copyText).join('\t')
  const isTold = {
    studio_id: events.some(({ studioId }) => (studioId ?? null) !== null),
    reason: events.some(({ reason }) => (reason ?? null) !== null),
    changes: events.some(({ changes }) => changes !== undefined),
  }
  let text = ''
  for (const { action, entityType, entityId, studioId, reason, changes } of events) {
    text += `${same}\t${action}\t${entityType}\t${copyText(entityId)}`
    if (isTold.studio_id) text += `\t${copyText(studioId)}`
    if (isTold.reason) text += `\t${copyText(reason)}`
    if (isTold.changes) text += `\t${changes === undefined ? '{}' : copyText(JSON.stringify(changes))}`
    text += '\n'
  }
  const columns = [...SAME, ...OWN].filter((column) => !(column in isTold) || isTold[column as keyof typeof isTold])
  return { table: 'audit_event', columns, text }
}

/** `appendAudit` for many events, in a raw transaction. */
export function appendAuditRows(client: RawClient, context: Context, events: readonly AuditEvent[]): Promise<void> {
  return copyTogether(client, [auditRows(context, events)])
}
