import type { Lifecycle } from '../lifecycle/lifecycle.ts'

export const OWNER_STATUSES = ['active', 'disabled', 'erased'] as const
export type OwnerStatus = (typeof OWNER_STATUSES)[number]

/** A person who owns or runs studios; never the same row as a player. An erased one has no personal field left. */
export interface Owner {
  readonly id: string
  readonly fullName: string | null
  readonly email: string | null
  /** The address as it is compared; never sent. */
  readonly emailKey: string | null
  readonly emailVerifiedAt: Date | null
  readonly country: string | null
  readonly authSubject: string | null
  readonly status: OwnerStatus
  readonly externalRef: string | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An owner that may be created: checked and normalised, nothing looked up yet. */
export interface OwnerDraft extends Pick<Owner, 'emailVerifiedAt' | 'country' | 'authSubject' | 'externalRef'> {
  readonly fullName: string
  readonly email: string
  readonly emailKey: string
}

/** The fields to change; absent ones stay. `email` and `emailKey` come together. */
export type OwnerPatch = Partial<OwnerDraft>

/** Erasure is not a step that a caller makes. */
export const OWNER_LIFECYCLE: Lifecycle<OwnerStatus> = { active: ['disabled'], disabled: ['active'], erased: [] }

/** A new address has not been verified, unless the patch says so; the same mailbox in other letters has. */
export function withVerification(before: Owner, patch: OwnerPatch): OwnerPatch {
  const isNewMailbox = patch.emailKey !== undefined && patch.emailKey !== before.emailKey
  return isNewMailbox && patch.emailVerifiedAt === undefined ? { ...patch, emailVerifiedAt: null } : patch
}
