import type { ListSpec } from '../../list.ts'

const RANGE = ['gt', 'gte', 'lt', 'lte'] as const

/** What a list of API keys can be asked. There are few of them. */
export const apiKeyList = {
  table: 'api_key',
  idField: 'id',
  idType: 'text',
  filters: {
    createdAt: { kind: 'timestamp', operators: RANGE },
    expiresAt: { kind: 'timestamp', operators: RANGE },
    lastUsedAt: { kind: 'timestamp', operators: [...RANGE, 'isNull'], description: 'isNull=true: never used' },
    revokedAt: { kind: 'timestamp', operators: ['isNull'], description: 'true: not revoked' },
  },
  sorts: { createdAt: { kind: 'timestamp' } },
  defaultSort: '-createdAt',
} as const satisfies ListSpec
