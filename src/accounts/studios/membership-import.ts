import { AppError, invalid } from '../../errors.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { changesOf } from '../audit/audit-event.ts'
import { type Reference, within } from '../bulk/bulk-reference.ts'
import { changedFields } from '../writing/version.ts'
import {
  changedMembership,
  isActiveOwner,
  type MemberRole,
  type MemberStatus,
  type Membership,
  type MembershipState,
  newMembership,
  requireWithinWhole,
} from './membership.ts'

/** A member in a studio's line; absent fields say nothing. */
export interface MemberLine {
  readonly owner: Reference
  readonly role?: MemberRole | undefined
  readonly status?: MemberStatus | undefined
  readonly ownershipPercent?: number | null | undefined
  readonly joinedAt?: Date | null | undefined
  readonly leftAt?: Date | undefined
}

/** The owner that a member line leads to. */
export interface MemberOwner {
  readonly id: string
  readonly status: string
}

/** A membership that is there, and whether its owner counts. */
export type KnownMembership = Membership & { readonly ownerStatus: string }

export interface MembersPlan {
  readonly added: readonly Membership[]
  readonly changed: readonly Membership[]
  /** Afterwards, somebody is an active owner. */
  readonly hasActiveOwner: boolean
  readonly events: readonly AuditEvent[]
}

/**
 * The members of a studio after its line.
 *
 * @param known all members that the studio has, under a lock on it
 * @throws AppError `validation`, `conflict`, `invalid-transition`, pointing to the member
 */
export function planMembers(
  studioId: string,
  lines: readonly MemberLine[],
  known: readonly KnownMembership[],
  ownerOf: (reference: Reference) => MemberOwner,
  now: Date,
): MembersPlan {
  const after = new Map<string, KnownMembership>(known.map((member) => [member.ownerId, member]))
  const named = new Set<string>()
  const added: KnownMembership[] = []
  const changed: KnownMembership[] = []
  lines.forEach((line, index) => {
    const pointer = `/members/${index}`
    const owner = ownerOf(line.owner)
    if (named.has(owner.id)) throw invalid([{ pointer: line.owner.pointer, code: 'duplicate' }])
    named.add(owner.id)
    const before = after.get(owner.id)
    const member = within(pointer, () => memberAfter(studioId, line, owner, before, now))
    after.set(owner.id, member)
    if (before === undefined) added.push(member)
    else if (member !== before) changed.push(member)
  })
  requireShares(lines.length, [...named], after)
  const events = [
    ...added.map((member) => event('create', member, changesOf('studio_membership', undefined, member))),
    ...changed.map((member) => {
      const which = { ownerId: { from: member.ownerId, to: member.ownerId } }
      const before = known.find(({ ownerId }) => ownerId === member.ownerId)
      return event('update', member, { ...which, ...changesOf('studio_membership', before, member) })
    }),
  ]
  const counts = (member: KnownMembership) => isActiveOwner(member) && member.ownerStatus === 'active'
  return { added, changed, hasActiveOwner: [...after.values()].some(counts), events }
}

function memberAfter(
  studioId: string,
  line: MemberLine,
  owner: MemberOwner,
  before: KnownMembership | undefined,
  now: Date,
): KnownMembership {
  if (before === undefined) {
    if (owner.status === 'erased') throw new AppError('conflict', 'The owner was erased and cannot join a studio')
    const state = withTimes(newState(line, now), line)
    const bookkeeping = { version: 1, createdAt: now, updatedAt: now }
    return { studioId, ownerId: owner.id, ...state, ...bookkeeping, ownerStatus: owner.status }
  }
  const { role, status, ownershipPercent } = line
  const state = withTimes(changedMembership(before, { role, status, ownershipPercent }, now), line)
  return Object.keys(changedFields(before, state)).length === 0 ? before : { ...before, ...state }
}

function newState(line: MemberLine, now: Date): MembershipState {
  if (line.role === undefined) throw invalid([{ pointer: '/role', code: 'required' }])
  const draft = { role: line.role, ownershipPercent: line.ownershipPercent ?? null }
  if (line.status !== 'left') return newMembership({ ...draft, status: line.status }, now)
  // Who has left holds no share any more.
  return { ...newMembership({ ...draft, ownershipPercent: null }, now), status: 'left', leftAt: now }
}

/** With the times that the line tells, where it tells them. */
function withTimes(state: MembershipState, { joinedAt, leftAt }: MemberLine): MembershipState {
  if (leftAt !== undefined && state.status !== 'left') {
    throw invalid([{ pointer: '/leftAt', code: 'not-allowed', detail: 'only with the status left' }])
  }
  return {
    ...state,
    joinedAt: joinedAt === undefined ? state.joinedAt : joinedAt,
    leftAt: leftAt ?? state.leftAt,
  }
}

/** Judged when all members of the line are known: a share may move from one to another. */
function requireShares(lineCount: number, owners: readonly string[], after: ReadonlyMap<string, Membership>): void {
  for (let index = 0; index < lineCount; index++) {
    const own = after.get(owners[index] as string)
    const others = [...after.values()].filter((member) => member !== own)
    const shares = others.flatMap(({ ownershipPercent }) => ownershipPercent ?? [])
    within(`/members/${index}`, () => requireWithinWhole(shares, own?.ownershipPercent ?? null))
  }
}

function event(what: string, { studioId }: Membership, changes: AuditEvent['changes']): AuditEvent {
  const about = { entityType: 'membership', entityId: studioId, studioId } as const
  return { action: `membership.${what}`, ...about, ...(changes === undefined ? {} : { changes }) }
}
