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
import { requireTransition, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { changedFields } from '../writing/version.ts'
import { OWNER_LIFECYCLE, type Owner, type OwnerPatch, withVerification } from './owner.ts'

/** One owner of an import; absent fields say nothing. */
export interface OwnerLine extends OwnerPatch {
  readonly id?: string | undefined
  readonly status?: 'active' | 'disabled' | undefined
  readonly createdAt?: Date | undefined
}

/** How lines find their owner, the most preferred key first. */
export const OWNER_KEYS = ['externalRef', 'email', 'id'] as const
export type OwnerKey = (typeof OWNER_KEYS)[number]

export function ownerKeyTexts(line: OwnerLine, name: OwnerKey): readonly string[] {
  const text = name === 'email' ? line.emailKey : line[name]
  return text === undefined || text === null ? [] : [text]
}

const UNIQUE: Readonly<Record<string, UniqueKey>> = {
  externalRef: { name: 'externalRef', pointer: '/externalRef', constraint: 'studio_owner_external_ref_key' },
  email: { name: 'email', pointer: '/email', constraint: 'studio_owner_email_key_key' },
  authSubject: { name: 'authSubject', pointer: '/authSubject', constraint: 'studio_owner_auth_subject_key' },
}

export function indexOwners(owners: readonly Owner[]): RowIndex<Owner> {
  const index = new RowIndex<Owner>()
  for (const owner of owners) {
    index.add('id', owner.id, owner)
    for (const [name, text] of ownerKeys(owner)) index.add(name, text, owner)
  }
  return index
}

export const ownerKeys: KeysOf<Owner> = ({ externalRef, emailKey, authSubject }) => [
  ['externalRef', externalRef],
  ['email', emailKey],
  ['authSubject', authSubject],
]

/** @throws AppError the first rule that the line breaks */
export function planOwner(
  item: BulkItem<OwnerLine>,
  matcher: Matcher<Owner>,
  newId: () => string,
  { now }: BulkFacts,
): Plan<Owner> {
  const { line } = item
  const before = matcher.match(item, (key) => takenError(UNIQUE[key] as UniqueKey))
  matcher.requireFree(UNIQUE.externalRef as UniqueKey, line.externalRef, before)
  matcher.requireFree(UNIQUE.email as UniqueKey, line.emailKey, before)
  matcher.requireFree(UNIQUE.authSubject as UniqueKey, line.authSubject, before)
  return before === undefined ? planNew(line, newId(), now) : planChange(line, before)
}

function planNew(line: OwnerLine, id: string, now: Date): Plan<Owner> {
  const createdAt = originOf(line, now)
  requireFields(line, 'fullName', 'email')
  const row: Owner = {
    id,
    fullName: line.fullName ?? null,
    email: line.email ?? null,
    emailKey: line.emailKey ?? null,
    emailVerifiedAt: line.emailVerifiedAt ?? null,
    country: line.country ?? null,
    authSubject: line.authSubject ?? null,
    status: line.status ?? 'active',
    externalRef: line.externalRef ?? null,
    version: 1,
    createdAt,
    updatedAt: now,
  }
  return { kind: 'create', row, events: [createEvent('owner', 'studio_owner', row, about(row))] }
}

function planChange(line: OwnerLine, before: Owner): Plan<Owner> {
  requireSameOrigin(line, before)
  const { id: _id, createdAt: _createdAt, status, ...patch } = line
  const change = changedFields({ ...before }, { ...withVerification(before, patch), status })
  if (Object.keys(change).length === 0) return { kind: 'unchanged', row: before, events: [] }
  if (before.status === 'erased') throw new AppError('conflict', 'The owner was erased; nothing about them can change')
  // Whether a studio would be left alone is said by the database when the batch is whole.
  if (change.status !== undefined) {
    requireTransition(
      transitionsFrom(OWNER_LIFECYCLE, before.status, () => []),
      change.status,
    )
  }
  const row = { ...before, ...change } as Owner
  return { kind: 'update', row, events: changeEvents('owner', 'studio_owner', before, row, about(row)) }
}

function about({ id }: Owner) {
  return { entityType: 'owner', entityId: id } as const
}
