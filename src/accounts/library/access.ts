import type { GameStatus } from '../games/game.ts'
import type { PlayerStatus } from '../players/player.ts'
import type { EntitlementSource } from './entitlement.ts'

/** Why somebody may not play. */
export const ACCESS_REASONS = [
  'not-owned',
  'expired',
  'revoked',
  'below-min-age',
  'game-not-available',
  'player-closed',
] as const
export type AccessReason = (typeof ACCESS_REASONS)[number]

/** `unknown`: the game has an age limit and the player told no birth date. */
export const AGE_GATES = ['passed', 'failed', 'unknown'] as const
export type AgeGate = (typeof AGE_GATES)[number]

/** What an answer depends on, judged by the clock of the database where time is part of it. */
export interface AccessFacts {
  readonly playerStatus: PlayerStatus
  readonly gameStatus: GameStatus
  readonly minAge: number | null
  /** In whole years on this day in UTC; NULL: no birth date is known. */
  readonly age: number | null
  /** The line of the library; undefined: there never was one. */
  readonly line: AccessLine | undefined
}

export interface AccessLine {
  readonly source: EntitlementSource
  readonly expiresAt: Date | null
  readonly isExpired: boolean
  readonly isRevoked: boolean
}

/** One decision for a game back end. */
export interface Access {
  /** False exactly when there is a reason. */
  readonly allowed: boolean
  /** All of them. */
  readonly reasons: readonly AccessReason[]
  /** The game is in the library, neither revoked nor expired. */
  readonly owns: boolean
  /** Owned without an end. */
  readonly permanent: boolean
  /** When the line of the library ends or ended; NULL: never, or there is none. */
  readonly expiresAt: Date | null
  readonly ageGate: AgeGate
  readonly gameStatus: GameStatus
}

/** States in which everybody who owns a game can play it: who bought it keeps it when it is not sold any more. */
const PLAYABLE: ReadonlySet<GameStatus> = new Set(['early_access', 'released', 'delisted'])
/** States in which testers, press and staff can. */
const PLAYABLE_EARLY: ReadonlySet<GameStatus> = new Set(['approved', 'announced'])
const EARLY_SOURCES: ReadonlySet<EntitlementSource> = new Set(['beta', 'press', 'staff'])

/**
 * May the player play the game now? An unknown birth date is no reason to refuse: players from elsewhere come without one, and
 * a game back end that must have proof of an age asks for it when `ageGate` is `unknown`.
 */
export function accessOf({ playerStatus, gameStatus, minAge, age, line }: AccessFacts): Access {
  const ageGate = ageGateOf(minAge, age)
  const reasons: AccessReason[] = []
  if (line === undefined) reasons.push('not-owned')
  if (line?.isExpired) reasons.push('expired')
  if (line?.isRevoked) reasons.push('revoked')
  if (ageGate === 'failed') reasons.push('below-min-age')
  if (!isPlayable(gameStatus, line)) reasons.push('game-not-available')
  if (playerStatus !== 'active') reasons.push('player-closed')
  const owns = line !== undefined && !line.isExpired && !line.isRevoked
  const expiresAt = line?.expiresAt ?? null
  return {
    ...{ allowed: reasons.length === 0, reasons, owns, permanent: owns && expiresAt === null, expiresAt },
    ...{ ageGate, gameStatus },
  }
}

function ageGateOf(minAge: number | null, age: number | null): AgeGate {
  if (minAge === null || minAge === 0) return 'passed'
  if (age === null) return 'unknown'
  return age >= minAge ? 'passed' : 'failed'
}

function isPlayable(status: GameStatus, line: AccessLine | undefined): boolean {
  return PLAYABLE.has(status) || (PLAYABLE_EARLY.has(status) && line !== undefined && EARLY_SOURCES.has(line.source))
}
