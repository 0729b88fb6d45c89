import type { Context } from '../../caller.ts'
import type { Prisma, Transaction } from '../../database/database.ts'
import type { AuditEvent } from './audit-event.ts'

/** Writes events into the trail, in the transaction of the change that they tell: both are there or neither. */
export async function appendAudit(tx: Transaction, context: Context, ...events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.auditEvent.createMany({
    data: events.map((event) => ({
      actorType: context.principal.type,
      actorId: context.principal.id,
      requestId: context.requestId,
      action: event.action,
      entityType: event.entityType,
      entityId: event.entityId,
      studioId: event.studioId ?? null,
      reason: event.reason ?? null,
      changes: (event.changes ?? {}) as Prisma.InputJsonObject,
    })),
  })
}
