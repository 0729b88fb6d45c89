import { AppError } from '../../errors.ts'
import { changeEvents, createEvent } from '../bulk/bulk-audit.ts'
import type { BulkFacts, BulkItem } from '../bulk/bulk-item.ts'
import {
  type KeysOf,
  type Matcher,
  originOf,
  RowIndex,
  requireFields,
  requireSameOrigin,
  takenError,
  type UniqueKey,
} from '../bulk/bulk-match.ts'
import type { Plan } from '../bulk/bulk-plan.ts'
import type { Reference } from '../bulk/bulk-reference.ts'
import { requireTransition, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { refusals } from '../writing/refusals.ts'
import { changedFields } from '../writing/version.ts'
import {
  type KnownMembership,
  type MemberLine,
  type MemberOwner,
  type MembersPlan,
  planMembers,
} from './membership-import.ts'
import { missingForStudio, STUDIO_LIFECYCLE, type Studio, type StudioPatch, type StudioStatus } from './studio.ts'

/** One studio of an import; absent fields say nothing, members that are not named stay. */
export interface StudioLine extends StudioPatch {
  readonly id?: string | undefined
  readonly status?: StudioStatus | undefined
  readonly members?: readonly MemberLine[] | undefined
  readonly createdAt?: Date | undefined
}

/** How lines find their studio, the most preferred key first. */
export const STUDIO_KEYS = ['externalRef', 'slug', 'id'] as const
export type StudioKey = (typeof STUDIO_KEYS)[number]

export function studioKeyTexts(line: StudioLine, name: StudioKey): readonly string[] {
  const text = line[name]
  return text === undefined || text === null ? [] : [text]
}

const UNIQUE: Readonly<Record<'externalRef' | 'slug', UniqueKey>> = {
  externalRef: { name: 'externalRef', pointer: '/externalRef', constraint: 'studio_external_ref_key' },
  slug: { name: 'slug', pointer: '/slug', constraint: 'studio_slug_key' },
}

export function indexStudios(studios: readonly Studio[]): RowIndex<Studio> {
  const index = new RowIndex<Studio>()
  for (const studio of studios) {
    index.add('id', studio.id, studio)
    for (const [name, text] of studioKeys(studio)) index.add(name, text, studio)
  }
  return index
}

export const studioKeys: KeysOf<Studio> = ({ externalRef, slug }) => [
  ['externalRef', externalRef],
  ['slug', slug],
]

export interface StudioPlan extends Plan<Studio> {
  readonly members: Pick<MembersPlan, 'added' | 'changed'>
}

/** What the lines of a batch depend on, loaded under a lock on the studios. */
export interface StudioSurroundings {
  readonly membersOf: (studioId: string) => readonly KnownMembership[]
  readonly openGamesOf: (studioId: string) => number
  readonly ownerOf: (reference: Reference) => MemberOwner
}

/** @throws AppError the first rule that the line breaks */
export function planStudio(
  item: BulkItem<StudioLine>,
  matcher: Matcher<Studio>,
  around: StudioSurroundings,
  newId: () => string,
  { now }: BulkFacts,
): StudioPlan {
  const { line } = item
  const before = matcher.match(item, (key) => takenError(UNIQUE[key as 'slug']))
  matcher.requireFree(UNIQUE.externalRef, line.externalRef, before)
  matcher.requireFree(UNIQUE.slug, line.slug, before)
  return before === undefined ? planNew(line, newId(), around, now) : planChange(line, before, around, now)
}

function planNew(line: StudioLine, id: string, around: StudioSurroundings, now: Date): StudioPlan {
  const createdAt = originOf(line, now)
  requireFields(line, 'slug', 'name')
  const members = planMembers(id, line.members ?? [], [], around.ownerOf, now)
  const row: Studio = {
    id,
    slug: line.slug ?? '',
    name: line.name ?? '',
    legalName: line.legalName ?? null,
    country: line.country ?? null,
    website: line.website ?? null,
    status: line.status ?? 'prospect',
    statusChangedAt: now,
    externalRef: line.externalRef ?? null,
    version: 1,
    createdAt,
    updatedAt: now,
  }
  requireOwner(row.status, members)
  return { kind: 'create', row, members, events: [createEvent('studio', 'studio', row, about(row)), ...members.events] }
}

function planChange(line: StudioLine, before: Studio, around: StudioSurroundings, now: Date): StudioPlan {
  requireSameOrigin(line, before)
  const { id: _id, createdAt: _createdAt, members: memberLines, ...patch } = line
  const change = changedFields<StudioPatch & { status?: StudioStatus | undefined }>(before, patch)
  const needsMembers = memberLines !== undefined || change.status !== undefined
  const known = needsMembers ? around.membersOf(before.id) : []
  const members = planMembers(before.id, memberLines ?? [], known, around.ownerOf, now)
  if (change.status !== undefined) {
    const facts = { hasActiveOwner: members.hasActiveOwner, openGames: around.openGamesOf(before.id) }
    const missing = (to: StudioStatus) => missingForStudio(to, facts)
    requireTransition(transitionsFrom(STUDIO_LIFECYCLE, before.status, missing), change.status)
  }
  const row = { ...before, ...change } as Studio
  if (members.changed.length > 0) requireOwner(row.status, members)
  const events = [...changeEvents('studio', 'studio', before, row, about(row)), ...members.events]
  const kind = Object.keys(change).length > 0 ? 'update' : events.length > 0 ? 'touch' : 'unchanged'
  return { kind, row, members, events }
}

/** @throws AppError `last-owner` */
function requireOwner(status: StudioStatus, { hasActiveOwner }: MembersPlan): void {
  if (hasActiveOwner || (status !== 'active' && status !== 'suspended')) return
  throw new AppError('last-owner', refusals.studio_has_owner?.detail ?? '', {
    errors: [{ pointer: '/members', code: 'last-owner' }],
  })
}

function about({ id }: Studio) {
  return { entityType: 'studio', entityId: id, studioId: id } as const
}
