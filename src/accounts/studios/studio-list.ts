import type { ListSpec } from '../../list.ts'
import { countryForm, referenceForm, slugForm } from '../text/text-form.ts'
import { STUDIO_STATUSES } from './studio.ts'

/** What a list of studios can be asked. */
export const studioList = {
  table: 'studio',
  idField: 'id',
  filters: {
    id: { kind: 'uuid', operators: ['eq', 'in'] },
    status: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: STUDIO_STATUSES, sqlType: 'studio_status' },
    country: { kind: 'text', operators: ['eq', 'ne', 'in', 'isNull'], sqlType: 'bpchar', form: countryForm },
    slug: { kind: 'text', operators: ['eq', 'in', 'prefix'], form: slugForm },
    externalRef: { kind: 'text', operators: ['eq', 'in', 'isNull'], form: referenceForm },
    createdAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'] },
    updatedAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'] },
  },
  sorts: {
    createdAt: { kind: 'timestamp' },
    updatedAt: { kind: 'timestamp' },
    name: { kind: 'text' },
    slug: { kind: 'text' },
    country: { kind: 'text', sqlType: 'bpchar', nullable: true },
  },
  defaultSort: '-createdAt',
  search: ['name'],
  parts: {
    members: {
      table: 'studio_membership',
      scope: 'studios:read',
      parent: 'studio_id',
      columns: ['owner_id', 'role', 'status', 'ownership_percent', 'joined_at', 'left_at'],
      order: ['owner_id'],
    },
  },
} as const satisfies ListSpec
