import type { ListSpec } from '../../list.ts'
import { ACTOR_TYPES, AUDITED_ENTITIES } from './audit-event.ts'

/** What the trail can be asked. */
export const auditList = {
  table: 'audit_event',
  idField: 'seq',
  idType: 'bigint',
  filters: {
    entityType: { kind: 'enum', operators: ['eq'], values: AUDITED_ENTITIES },
    entityId: {
      kind: 'text',
      operators: ['eq'],
      description:
        "The row's own id, for a membership and a game platform the studio's or game's; only together with entityType",
    },
    actorId: { kind: 'text', operators: ['eq'], description: 'The key, user or part of the service that acted' },
    actorType: { kind: 'enum', operators: ['eq'], values: ACTOR_TYPES, sqlType: 'actor_type' },
    action: {
      kind: 'text',
      operators: ['eq', 'in'],
      form: { pattern: /^[a-z_]+\.[a-z_]+$/, detail: 'the kind of thing, a dot and what was done, as player.update' },
      description: 'As player.update',
    },
    studioId: { kind: 'uuid', operators: ['eq'], description: 'The studio concerned' },
    occurredAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'], onlySort: 'occurredAt' },
  },
  sorts: { seq: { kind: 'integer' }, occurredAt: { kind: 'timestamp' } },
  defaultSort: '-seq',
  maxSortKeys: 1,
} as const satisfies ListSpec
