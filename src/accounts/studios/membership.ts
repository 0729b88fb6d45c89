import { AppError, invalid } from '../../errors.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'

export const MEMBER_ROLES = ['owner', 'admin', 'finance', 'developer', 'viewer'] as const
export type MemberRole = (typeof MEMBER_ROLES)[number]

export const MEMBER_STATUSES = ['invited', 'active', 'left'] as const
export type MemberStatus = (typeof MEMBER_STATUSES)[number]

/** Who owns or runs which studio. */
export interface Membership {
  readonly studioId: string
  readonly ownerId: string
  readonly role: MemberRole
  readonly status: MemberStatus
  /** Share of an owner in percent, two decimals; NULL: none, or not known. */
  readonly ownershipPercent: number | null
  readonly joinedAt: Date | null
  readonly leftAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A member as a caller wants them to be. Without `status`: invited when new or returning, else as it is. */
export interface MembershipDraft {
  readonly role: MemberRole
  readonly ownershipPercent: number | null
  readonly status?: Exclude<MemberStatus, 'left'> | undefined
}

export interface MembershipPatch {
  readonly role?: MemberRole | undefined
  readonly ownershipPercent?: number | null | undefined
  readonly status?: MemberStatus | undefined
}

export const MEMBER_LIFECYCLE: Lifecycle<MemberStatus> = {
  invited: ['active', 'left'],
  active: ['left'],
  left: ['invited'],
}

/** The fields that a change may touch, resolved. */
export type MembershipState = Pick<Membership, 'role' | 'status' | 'ownershipPercent' | 'joinedAt' | 'leftAt'>

/** A new member: invited, or active where the studio has agreed already. */
export function newMembership(draft: MembershipDraft, now: Date): MembershipState {
  const status = draft.status ?? 'invited'
  const { role, ownershipPercent } = draft
  return checkedShare({ role, status, ownershipPercent, joinedAt: status === 'active' ? now : null, leftAt: null })
}

/**
 * The member after a change. Who leaves gives up their share, be it that of an invitation; who is invited again has not joined
 * yet.
 *
 * @throws AppError `invalid-transition`, `validation`
 */
export function changedMembership(before: Membership, patch: MembershipPatch, now: Date): MembershipState {
  const status = patch.status ?? before.status
  const isStep = status !== before.status
  if (isStep && !MEMBER_LIFECYCLE[before.status].includes(status)) {
    throw new AppError('invalid-transition', `There is no step from ${before.status} to ${status}`, {
      extra: { from: before.status, allowed: MEMBER_LIFECYCLE[before.status] },
    })
  }
  if (status === 'left' && typeof patch.ownershipPercent === 'number') {
    throw invalid([{ pointer: '/ownershipPercent', code: 'needs-membership', detail: 'who has left holds no share' }])
  }
  const share = patch.ownershipPercent === undefined ? before.ownershipPercent : patch.ownershipPercent
  return checkedShare({
    role: patch.role ?? before.role,
    status,
    ownershipPercent: status === 'left' ? null : share,
    joinedAt: isStep ? joinedAfter(status, before, now) : before.joinedAt,
    leftAt: isStep ? (status === 'left' ? now : null) : before.leftAt,
  })
}

function joinedAfter(status: MemberStatus, before: Membership, now: Date): Date | null {
  if (status === 'active') return now
  return status === 'left' ? before.joinedAt : null
}

function checkedShare(state: MembershipState): MembershipState {
  if (state.ownershipPercent === null || state.role === 'owner') return state
  const detail = 'only the role owner holds a share; send null with another role'
  throw invalid([{ pointer: '/ownershipPercent', code: 'needs-owner-role', detail }])
}

/** Does the studio count on this member as an owner? The owner's own row must be active as well. */
export function isActiveOwner({ role, status }: Pick<Membership, 'role' | 'status'>): boolean {
  return role === 'owner' && status === 'active'
}

/** Shares are compared in hundredths of a percent: sums of decimals are not exact. */
function hundredths(percent: number): number {
  return Math.round(percent * 100)
}

/** @throws AppError `conflict` when the shares of a studio would be more than the whole of it */
export function requireWithinWhole(shares: readonly number[], added: number | null): void {
  if (added === null) return
  const taken = shares.reduce((sum, share) => sum + hundredths(share), 0)
  const free = 10_000 - taken
  if (hundredths(added) <= free) return
  throw new AppError('conflict', `The other owners hold ${taken / 100} percent; at most ${free / 100} are free`, {
    extra: { availablePercent: free / 100 },
    errors: [{ pointer: '/ownershipPercent', code: 'over-100-percent', detail: `at most ${free / 100}` }],
  })
}
