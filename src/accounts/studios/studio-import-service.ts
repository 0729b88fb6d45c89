import type { RawClient } from '../../database/database.ts'
import type { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { type BulkFacts, judged } from '../bulk/bulk-item.ts'
import { Matcher } from '../bulk/bulk-match.ts'
import { type Reference, ReferenceIndex, requireMayName, textsBy } from '../bulk/bulk-reference.ts'
import { insertRows, updateRows } from '../bulk/bulk-row-store.ts'
import type { ApplyBatch } from '../bulk/bulk-service.ts'
import { auditPlans, type BulkTable, writePlans } from '../bulk/bulk-write-service.ts'
import { findOwnersBy, type OwnerFound } from '../owners/owner-bulk-store.ts'
import type { Studio } from './studio.ts'
import { countOpenGamesOf, findMembersOf, lockStudiosOf } from './studio-bulk-store.ts'
import {
  indexStudios,
  planStudio,
  type StudioLine,
  type StudioPlan,
  type StudioSurroundings,
  studioKeys,
} from './studio-import.ts'

const fields = ['slug', 'name', 'legalName', 'country', 'website', 'status', 'externalRef']

const table: BulkTable = { table: 'studio', inserted: ['id', ...fields, 'createdAt'], updated: fields, order: 'slug' }

const MEMBER_KEY = ['studioId', 'ownerId']
const MEMBER_FIELDS = ['role', 'status', 'ownershipPercent', 'joinedAt', 'leftAt']

/** Owners' keys are personal; who may write owners hears of taken addresses anyway. */
const PERSONAL = { keys: ['email', 'externalRef'], scopes: ['owners:read.personal', 'owners:write'] } as const

/** Brings studios and their members in. */
export const applyStudios: ApplyBatch<StudioLine> = async (client, items, facts) => {
  const lines = items.map(({ line }) => line)
  const studios = await lockStudiosOf(client, lines)
  const around = await surroundings(client, lines, studios, facts)
  const matcher = new Matcher(indexStudios(studios), facts, studioKeys)
  const plans = items.map((item) => judged(() => matcher.settle(item, planStudio(item, matcher, around, newId, facts))))
  const outcomes = await writePlans(client, table, plans)
  await writeMembers(client, plans)
  await auditPlans(client, facts, plans)
  return outcomes
}

async function surroundings(
  client: RawClient,
  lines: readonly StudioLine[],
  studios: readonly Studio[],
  facts: BulkFacts,
): Promise<StudioSurroundings> {
  const ids = studios.map(({ id }) => id)
  const references = lines.flatMap(({ members = [] }) => members.map(({ owner }) => owner))
  const owners = await ownersBy(client, references)
  const members = Map.groupBy(await findMembersOf(client, ids), ({ studioId }) => studioId)
  const openGames = await countOpenGamesOf(client, lines.some(({ status }) => status === 'closed') ? ids : [])
  return {
    membersOf: (id) => members.get(id) ?? [],
    openGamesOf: (id) => openGames.get(id) ?? 0,
    ownerOf(reference) {
      requireMayName(reference, facts.context, PERSONAL)
      return owners.resolve(reference, 'owner')
    },
  }
}

async function ownersBy(client: RawClient, references: readonly Reference[]): Promise<ReferenceIndex<OwnerFound>> {
  const index = new ReferenceIndex<OwnerFound>()
  if (references.length === 0) return index
  const wanted = {
    id: textsBy(references, 'id'),
    email: textsBy(references, 'email'),
    externalRef: textsBy(references, 'externalRef'),
  }
  for (const owner of await findOwnersBy(client, wanted)) {
    index.add('id', owner.id, owner)
    index.add('email', owner.emailKey, owner)
    index.add('externalRef', owner.externalRef, owner)
  }
  return index
}

async function writeMembers(client: RawClient, plans: readonly (StudioPlan | AppError)[]): Promise<void> {
  const members = plans.flatMap((plan) => ('members' in plan ? [plan.members] : []))
  const added = members.flatMap((plan) => plan.added)
  const changed = members.flatMap((plan) => plan.changed)
  await insertRows(client, 'studio_membership', [...MEMBER_KEY, ...MEMBER_FIELDS], added)
  await updateRows(client, 'studio_membership', MEMBER_KEY, MEMBER_FIELDS, changed)
}
