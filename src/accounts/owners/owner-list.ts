import type { ListSpec } from '../../list.ts'
import { countryForm } from '../text/text-form.ts'
import { OWNER_STATUSES } from './owner.ts'

/** What a list of owners can be asked; the personal fields only with the scope for them. Addresses stay out of URLs. */
export const ownerList = {
  table: 'studio_owner',
  idField: 'id',
  filters: {
    id: { kind: 'uuid', operators: ['eq', 'in'] },
    status: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: OWNER_STATUSES, sqlType: 'owner_status' },
    country: { kind: 'text', operators: ['eq', 'ne', 'in', 'isNull'], sqlType: 'bpchar', form: countryForm },
    emailVerifiedAt: { kind: 'timestamp', operators: ['isNull'] },
    createdAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'] },
    updatedAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'] },
  },
  sorts: {
    createdAt: { kind: 'timestamp' },
    updatedAt: { kind: 'timestamp' },
    fullName: { kind: 'text', nullable: true },
    country: { kind: 'text', sqlType: 'bpchar', nullable: true },
  },
  defaultSort: '-createdAt',
  search: ['fullName'],
} as const satisfies ListSpec
