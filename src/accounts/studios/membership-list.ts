import type { ListSpec } from '../../list.ts'
import { MEMBER_ROLES, MEMBER_STATUSES } from './membership.ts'

const asked = {
  table: 'studio_membership',
  filters: {
    role: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: MEMBER_ROLES, sqlType: 'member_role' },
    status: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: MEMBER_STATUSES, sqlType: 'member_status' },
  },
  sorts: {
    createdAt: { kind: 'timestamp' },
    joinedAt: { kind: 'timestamp', nullable: true },
    role: { kind: 'enum', sqlType: 'member_role' },
  },
  defaultSort: 'createdAt',
} as const

/** The members of one studio. */
export const memberList = { ...asked, idField: 'ownerId' } as const satisfies ListSpec

/** The studios of one owner. */
export const ownedStudioList = { ...asked, idField: 'studioId' } as const satisfies ListSpec
