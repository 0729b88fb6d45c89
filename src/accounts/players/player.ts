import type { FieldError } from '../../errors.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'

export const PLAYER_STATUSES = ['active', 'closed', 'erasure_pending', 'erased'] as const
export type PlayerStatus = (typeof PLAYER_STATUSES)[number]

/** The first day that a birth date may be. */
export const FIRST_BIRTH_DATE = '1900-01-02'

/**
 * An account. Everything that tells who it is is personal, and an erased one has none of it left: no code may count on these
 * fields being filled.
 */
export interface Player {
  readonly id: string
  readonly username: string
  /** The username as it is compared; never sent. */
  readonly usernameKey: string
  readonly displayName: string | null
  readonly email: string | null
  /** The address as it is compared; never sent. */
  readonly emailKey: string | null
  readonly emailVerifiedAt: Date | null
  /** `YYYY-MM-DD` */
  readonly birthDate: string | null
  readonly country: string | null
  readonly locale: string | null
  readonly status: PlayerStatus
  readonly closedAt: Date | null
  readonly erasedAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A player who may be created: checked and normalised, nothing looked up yet. */
export type PlayerDraft = Pick<
  Player,
  | 'username'
  | 'usernameKey'
  | 'displayName'
  | 'email'
  | 'emailKey'
  | 'emailVerifiedAt'
  | 'birthDate'
  | 'country'
  | 'locale'
>

/** The fields to change; absent ones stay. A name or address comes with its key. */
export type PlayerPatch = Partial<PlayerDraft>

/** Closing is reversible: username and address stay reserved. Erasure is not a step that a caller makes. */
export const PLAYER_LIFECYCLE: Lifecycle<PlayerStatus> = {
  active: ['closed'],
  closed: ['active'],
  erasure_pending: [],
  erased: [],
}

/** The columns that a step changes. */
export function afterStep(to: PlayerStatus, now: Date): Pick<Player, 'status' | 'closedAt'> {
  return { status: to, closedAt: to === 'closed' ? now : null }
}

/** A new address has not been verified, unless the patch says so; the same mailbox in other letters has; none cannot be. */
export function withVerification(before: Pick<Player, 'emailKey'>, patch: PlayerPatch): PlayerPatch {
  const isNewMailbox = patch.emailKey !== undefined && patch.emailKey !== before.emailKey
  return isNewMailbox && patch.emailVerifiedAt === undefined ? { ...patch, emailVerifiedAt: null } : patch
}

/** Fields that contradict each other. */
export function contradictionsOf({ email, emailVerifiedAt }: Pick<Player, 'email' | 'emailVerifiedAt'>): FieldError[] {
  if (emailVerifiedAt === null || email !== null) return []
  return [{ pointer: '/emailVerifiedAt', code: 'needs-email', detail: 'only an address can have been verified' }]
}
