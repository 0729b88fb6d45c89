import { newId } from '../../identifier.ts'
import { judged } from '../bulk/bulk-item.ts'
import { Matcher } from '../bulk/bulk-match.ts'
import type { ApplyBatch } from '../bulk/bulk-service.ts'
import { auditPlans, type BulkTable, writePlans } from '../bulk/bulk-write-service.ts'
import { lockOwnersOf } from './owner-bulk-store.ts'
import { indexOwners, type OwnerLine, ownerKeys, planOwner } from './owner-import.ts'

const fields = ['fullName', 'email', 'emailKey', 'emailVerifiedAt', 'country', 'authSubject', 'status', 'externalRef']

const table: BulkTable = {
  table: 'studio_owner',
  inserted: ['id', ...fields, 'createdAt'],
  updated: fields,
  order: 'emailKey',
}

/** Brings owners in. */
export const applyOwners: ApplyBatch<OwnerLine> = async (client, items, facts) => {
  const owners = await lockOwnersOf(
    client,
    items.map(({ line }) => line),
  )
  const matcher = new Matcher(indexOwners(owners), facts, ownerKeys)
  const plans = items.map((item) => judged(() => matcher.settle(item, planOwner(item, matcher, newId, facts))))
  const outcomes = await writePlans(client, table, plans)
  await auditPlans(client, facts, plans)
  return outcomes
}
