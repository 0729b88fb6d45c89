import type { PrismaClient } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { RecordedEvent } from './audit-event.ts'
import { auditList } from './audit-list.ts'

export function listAuditEvents(db: PrismaClient, request: ListRequest): Promise<Page<RecordedEvent>> {
  return readPage<RecordedEvent>(db, { spec: auditList }, request)
}
