import { AppError, type FieldError, invalid } from '../../errors.ts'
import type { GameStatus } from '../games/game.ts'
import type { Platform } from '../games/game-platform.ts'
import { NEVER_PLAYED, type Playtime, type PlaytimeReport, playtimeAfter, playtimeErrors } from './playtime.ts'

/** How a player came to a game. */
export const ENTITLEMENT_SOURCES = [
  'purchase',
  'key',
  'gift',
  'bundle',
  'subscription',
  'free',
  'promotion',
  'beta',
  'press',
  'staff',
  'import',
] as const
export type EntitlementSource = (typeof ENTITLEMENT_SOURCES)[number]

export const REVOKE_REASONS = ['refund', 'chargeback', 'fraud', 'mistake', 'expired_grant', 'other'] as const
export type RevokeReason = (typeof REVOKE_REASONS)[number]

/** One row for a player, game and platform. */
export interface EntitlementKey {
  readonly playerId: string
  readonly gameId: string
  readonly platform: Platform
}

/** A line of a player's library: a game on a platform, how it came there and how long it was played. */
export interface Entitlement extends EntitlementKey, Playtime {
  readonly id: string
  readonly source: EntitlementSource
  /** The key of the order or the like. */
  readonly sourceRef: string | null
  readonly acquiredAt: Date
  /** NULL: permanent. */
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What a caller who grants a game says. */
export interface Grant extends PlaytimeReport {
  readonly source: EntitlementSource
  readonly sourceRef: string | null
  /** Absent: now, or as it is when the player owns the game already. */
  readonly acquiredAt?: Date | undefined
  readonly expiresAt: Date | null
}

/** The fields to change; absent ones stay. */
export interface EntitlementPatch extends PlaytimeReport {
  readonly source?: EntitlementSource | undefined
  readonly sourceRef?: string | null | undefined
  readonly acquiredAt?: Date | undefined
  readonly expiresAt?: Date | null | undefined
}

/** The fields that a change may touch, resolved. */
export type EntitlementState = Omit<Entitlement, keyof EntitlementKey | 'id' | 'version' | 'createdAt' | 'updatedAt'>

/** A new line of a library. @throws AppError `validation` */
export function granted(grant: Grant, now: Date): EntitlementState {
  const { source, sourceRef, expiresAt } = grant
  return checked({
    source,
    sourceRef,
    acquiredAt: grant.acquiredAt ?? now,
    expiresAt,
    revokedAt: null,
    revokeReason: null,
    ...playtimeAfter(NEVER_PLAYED, grant),
  })
}

/** What a player has by a source, the strongest last. */
const RANKS: readonly ReadonlySet<EntitlementSource>[] = [
  new Set(['beta', 'press', 'staff']),
  new Set(['subscription', 'free', 'promotion', 'import']),
  new Set(['purchase', 'key', 'gift', 'bundle']),
]

/** Would the player have less by the second than by the first: for a shorter time, or for as long from a weaker source? */
function isLess(than: Pick<Entitlement, 'source' | 'expiresAt'>, { source, expiresAt }: Grant): boolean {
  const [before, after] = [than.expiresAt?.getTime() ?? Infinity, expiresAt?.getTime() ?? Infinity]
  const rank = (of: EntitlementSource) => RANKS.findIndex((sources) => sources.has(of))
  return after < before || (after === before && rank(source) < rank(than.source))
}

/**
 * The line after a grant of what was granted before. Said again, it changes nothing. A grant takes nothing away: one of less than
 * the player has (a giveaway of a game that was bought) leaves the line as it is, unless `replaces`, for callers who say which
 * version they replace.
 *
 * After a revocation it is a new acquisition; one from before the revocation, not after what was revoked (a pre-order has a time
 * to come), or of the same order without a time, is an old grant that comes late, and does not undo it.
 *
 * @throws AppError `validation`, `conflict`
 */
export function grantedAgain(before: Entitlement, grant: Grant, now: Date, replaces = false): EntitlementState {
  const { source, sourceRef, expiresAt } = grant
  const wanted = checked({
    source,
    sourceRef,
    acquiredAt:
      before.revokedAt === null
        ? (grant.acquiredAt ?? before.acquiredAt)
        : reacquiredAt(before, before.revokedAt, grant, now),
    expiresAt,
    revokedAt: null,
    revokeReason: null,
    ...playtimeAfter(before, grant),
  })
  if (replaces || before.revokedAt !== null || !isLess(before, grant)) return wanted
  return checked({ ...stateOf(before), ...playtimeAfter(before, grant) })
}

function stateOf({ source, sourceRef, acquiredAt, expiresAt, revokedAt, revokeReason, ...line }: Entitlement) {
  const { playtimeSeconds, firstPlayedAt, lastPlayedAt } = line
  return {
    source,
    sourceRef,
    acquiredAt,
    expiresAt,
    revokedAt,
    revokeReason,
    playtimeSeconds,
    firstPlayedAt,
    lastPlayedAt,
  }
}

function reacquiredAt(before: Entitlement, revokedAt: Date, { acquiredAt, sourceRef }: Grant, now: Date): Date {
  if (acquiredAt === undefined) {
    // Without a time the caller means now, unless it is the revoked order once more: queues deliver twice. Another machine's
    // clock may have written the revocation.
    const isSameOrder = sourceRef !== null && sourceRef === before.sourceRef
    if (!isSameOrder) return now > revokedAt ? now : new Date(revokedAt.getTime() + 1)
  } else if (acquiredAt > revokedAt && acquiredAt > before.acquiredAt) return acquiredAt
  throw new AppError(
    'conflict',
    'This is the grant that was revoked, or an older one; to grant again send an acquiredAt after the revocation',
    {
      extra: { acquiredAt: before.acquiredAt.toISOString(), revokedAt: revokedAt.toISOString() },
      errors: [{ pointer: '/acquiredAt', code: 'before-revocation' }],
    },
  )
}

/** The line after a patch. @throws AppError `validation` */
export function patched(before: Entitlement, patch: EntitlementPatch): EntitlementState {
  return checked({
    source: patch.source ?? before.source,
    sourceRef: patch.sourceRef === undefined ? before.sourceRef : patch.sourceRef,
    acquiredAt: patch.acquiredAt ?? before.acquiredAt,
    expiresAt: patch.expiresAt === undefined ? before.expiresAt : patch.expiresAt,
    revokedAt: before.revokedAt,
    revokeReason: before.revokeReason,
    ...playtimeAfter(before, patch),
  })
}

/** The columns that a revocation changes; a second one may correct the reason. */
export function revoked(
  before: Entitlement,
  reason: RevokeReason,
  now: Date,
): Pick<Entitlement, 'revokedAt' | 'revokeReason'> {
  return { revokedAt: before.revokedAt ?? now, revokeReason: reason }
}

function checked(state: EntitlementState): EntitlementState {
  const errors = entitlementErrors(state)
  if (errors.length > 0) throw invalid(errors)
  return state
}

/** Fields that contradict each other. */
export function entitlementErrors(state: Pick<Entitlement, 'acquiredAt' | 'expiresAt'> & Playtime): FieldError[] {
  const errors = playtimeErrors(state)
  if (state.expiresAt !== null && state.expiresAt <= state.acquiredAt) {
    errors.push({ pointer: '/expiresAt', code: 'not-after-acquired', detail: 'must be later than acquiredAt' })
  }
  return errors
}

/** Before the public hears of a game, these may have it. */
const EARLY_SOURCES: ReadonlySet<EntitlementSource> = new Set(['beta', 'press', 'staff'])
/** From the announcement on: pre-orders. */
const ON_OFFER: ReadonlySet<GameStatus> = new Set(['announced', 'early_access', 'released', 'delisted'])

/** May a game in this state be granted from this source? */
export function isGrantable(source: EntitlementSource, status: GameStatus): boolean {
  return ON_OFFER.has(status) || (status === 'approved' && EARLY_SOURCES.has(source))
}

/** @throws AppError `conflict` */
export function requireGrantable(source: EntitlementSource, gameStatus: GameStatus): void {
  if (isGrantable(source, gameStatus)) return
  const rule = 'beta, press and staff from approved on, all others from announced on, none after delisted'
  throw new AppError('conflict', `A game that is ${gameStatus} is not granted by ${source}: ${rule}`, {
    extra: { gameStatus },
    errors: [{ pointer: '/source', code: 'game-not-available' }],
  })
}
