import type { ListSpec } from '../list.ts'
import { JOB_KINDS, JOB_STATES } from './job.ts'

/** What a list of jobs can be asked. */
export const jobList = {
  table: 'job',
  idField: 'id',
  filters: {
    kind: { kind: 'enum', operators: ['eq'], values: JOB_KINDS },
    state: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: JOB_STATES },
    resource: { kind: 'text', operators: ['eq'] },
    createdAt: { kind: 'timestamp', operators: ['gt', 'gte', 'lt', 'lte'] },
  },
  sorts: { createdAt: { kind: 'timestamp' } },
  defaultSort: '-createdAt',
} as const satisfies ListSpec
