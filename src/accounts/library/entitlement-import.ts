import { AppError, invalid } from '../../errors.ts'
import { type AuditEvent, changesOf } from '../audit/audit-event.ts'
import type { BulkFacts } from '../bulk/bulk-item.ts'
import { originOf, requireFields, requireSameOrigin } from '../bulk/bulk-match.ts'
import type { Plan } from '../bulk/bulk-plan.ts'
import type { Reference } from '../bulk/bulk-reference.ts'
import type { GameStatus } from '../games/game.ts'
import type { Platform } from '../games/game-platform.ts'
import { changedFields } from '../writing/version.ts'
import {
  type Entitlement,
  type EntitlementPatch,
  type EntitlementSource,
  type EntitlementState,
  granted,
  patched,
  type RevokeReason,
  requireGrantable,
} from './entitlement.ts'

/** One line of a library in an import; absent fields say nothing. */
export interface EntitlementLine extends EntitlementPatch {
  readonly id?: string | undefined
  readonly player: Reference
  readonly game: Reference
  readonly platform: Platform
  readonly revokedAt?: Date | null | undefined
  readonly revokeReason?: RevokeReason | null | undefined
  readonly createdAt?: Date | undefined
}

/** Whose row, of which game and where: what the references of a line lead to. */
export interface EntitlementPlace {
  readonly playerId: string
  readonly playerStatus: string
  readonly gameId: string
  readonly gameStatus: GameStatus
  readonly studioId: string
  readonly platform: Platform
}

export function placeText({
  playerId,
  gameId,
  platform,
}: Pick<Entitlement, 'playerId' | 'gameId' | 'platform'>): string {
  return `${playerId}/${gameId}/${platform}`
}

/** A new row. @throws AppError the first rule that the line breaks */
export function planNewEntitlement(
  line: EntitlementLine,
  { playerId, playerStatus, gameId, platform, gameStatus, studioId }: EntitlementPlace,
  id: string,
  { now }: BulkFacts,
): Plan<Entitlement> {
  const createdAt = originOf(line, now)
  requireFields(line, 'source')
  if (playerStatus === 'erased') throw new AppError('conflict', 'The player was erased and can own nothing')
  const source = line.source as EntitlementSource
  requireGrantable(source, gameStatus)
  const grant = { ...line, source, sourceRef: line.sourceRef ?? null, expiresAt: line.expiresAt ?? null }
  const state = withRevocation(granted(grant, now), line, now)
  const row: Entitlement = { id, playerId, gameId, platform, ...state, version: 1, createdAt, updatedAt: now }
  const changes = changesOf('player_game', undefined, row)
  return { kind: 'create', row, events: [{ action: 'player_game.grant', ...about(row, studioId), changes }] }
}

/** @throws AppError the first rule that the line breaks */
export function planEntitlementChange(
  line: EntitlementLine,
  { gameStatus, studioId }: EntitlementPlace,
  before: Entitlement,
  { now }: BulkFacts,
): Plan<Entitlement> {
  requireSameOrigin(line, before)
  const state = withRevocation(patched(before, line), line, now)
  const change = changedFields<Partial<EntitlementState>>(before, state)
  if (Object.keys(change).length === 0) return { kind: 'unchanged', row: before, events: [] }
  // Given anew, not corrected: then the rules of a grant hold.
  const isRestored = before.revokedAt !== null && state.revokedAt === null
  if (change.source !== undefined || isRestored) requireGrantable(state.source, gameStatus)
  const row = { ...before, ...change } as Entitlement
  return { kind: 'update', row, events: changeEvents(before, row, studioId) }
}

/** A revocation has a time and a reason, both told, known, or now. */
function withRevocation(state: EntitlementState, line: EntitlementLine, now: Date): EntitlementState {
  const { revokedAt, revokeReason } = line
  if (revokedAt === null || (revokedAt === undefined && revokeReason === null)) {
    if (revokeReason !== null && revokeReason !== undefined) {
      throw invalid([{ pointer: '/revokeReason', code: 'not-allowed', detail: 'only with a revocation' }])
    }
    return { ...state, revokedAt: null, revokeReason: null }
  }
  if (revokedAt === undefined && revokeReason === undefined) return state
  const reason = revokeReason === undefined ? state.revokeReason : revokeReason
  if (reason === null) {
    throw invalid([{ pointer: '/revokeReason', code: 'required', detail: 'revokedAt needs it beside it' }])
  }
  return { ...state, revokedAt: revokedAt ?? state.revokedAt ?? now, revokeReason: reason }
}

const REVOCATION = ['revokedAt', 'revokeReason']

/** As the single operations write them: taking a game away is an event of its own, so is giving it back. */
function changeEvents(before: Entitlement, row: Entitlement, studioId: string): AuditEvent[] {
  const changes = Object.entries(changesOf('player_game', before, row))
  const other = changes.filter(([field]) => !REVOCATION.includes(field))
  const revocation = changes.filter(([field]) => REVOCATION.includes(field))
  const action = row.revokedAt === null ? 'player_game.grant' : 'player_game.revoke'
  const event = (name: AuditEvent['action'], entries: typeof changes): AuditEvent[] =>
    entries.length === 0 ? [] : [{ action: name, ...about(row, studioId), changes: Object.fromEntries(entries) }]
  return [...event('player_game.update', other), ...event(action, revocation)]
}

function about({ id }: Entitlement, studioId: string) {
  return { entityType: 'player_game', entityId: id, studioId } as const
}
