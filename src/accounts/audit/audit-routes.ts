import { listRoute } from '../../http/list-route.ts'
import type { RouteGroup } from '../../http/route.ts'
import { auditList } from './audit-list.ts'
import { auditEventSchema } from './audit-schema.ts'
import type { AuditService } from './audit-service.ts'

export function auditRoutes(audit: AuditService): RouteGroup {
  return {
    routes: [
      listRoute({
        operation: 'listAuditEvents',
        path: '/v1/audit-events',
        tag: 'audit events',
        summary: 'Who did what, and when',
        description:
          'The trail of every change, written together with it. A change that changed nothing is none. Events of one moment ' +
          'have the order of seq; one that took long can come with a smaller seq than those that were shown before it.',
        access: ['audit:read'],
        list: auditList,
        row: auditEventSchema,
        page: (request, _params, context) => audit.list(request, context),
      }),
    ],
  }
}
