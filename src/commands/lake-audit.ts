import { appendAudit } from '../accounts/audit/audit-store.ts'
import type { LakeTrail } from '../lake/lake-trail.ts'

/** What callers do to the lake stands in the trail of the records, as an event of the snapshot. */
export const lakeTrail: LakeTrail = (tx, context, { snapshotId, ...event }) =>
  appendAudit(tx, context, { ...event, entityType: 'snapshot', entityId: snapshotId })
