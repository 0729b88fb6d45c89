import { AppError, invalid } from '../../errors.ts'
import { changeEvents, massCreateEvent } from '../bulk/bulk-audit.ts'
import type { BulkFacts, BulkItem } from '../bulk/bulk-item.ts'
import {
  type Matcher,
  originOf,
  requireFields,
  requireSameOrigin,
  takenError,
  type UniqueKey,
} from '../bulk/bulk-match.ts'
import type { Plan } from '../bulk/bulk-plan.ts'
import { requireTransition, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { changedFields } from '../writing/version.ts'
import {
  type IdentitiesPlan,
  type IdentityLine,
  type IdentitySurroundings,
  identityText,
  planIdentities,
} from './identity-import.ts'
import {
  afterStep,
  contradictionsOf,
  PLAYER_LIFECYCLE,
  type Player,
  type PlayerPatch,
  type PlayerStatus,
  withVerification,
} from './player.ts'

/** One player of an import; absent fields say nothing, identities that are not named stay. */
export interface PlayerLine extends PlayerPatch {
  readonly id?: string | undefined
  readonly status?: 'active' | 'closed' | undefined
  readonly closedAt?: Date | null | undefined
  readonly identities?: readonly IdentityLine[] | undefined
  readonly createdAt?: Date | undefined
}

/** How lines find their player, the most preferred key first. */
export const PLAYER_KEYS = ['identity', 'username', 'email', 'id'] as const
export type PlayerKey = (typeof PLAYER_KEYS)[number]

export function playerKeyTexts(line: PlayerLine, name: PlayerKey): readonly string[] {
  if (name === 'identity') return (line.identities ?? []).map(identityText)
  const text = name === 'username' ? line.usernameKey : name === 'email' ? line.emailKey : line.id
  return text === undefined || text === null ? [] : [text]
}

const UNIQUE: Readonly<Record<'identity' | 'username' | 'email', UniqueKey>> = {
  identity: {
    name: 'identity',
    pointer: '/identities',
    constraint: 'player_identity_provider_namespace_subject_key',
  },
  username: { name: 'username', pointer: '/username', constraint: 'player_username_key_key' },
  email: { name: 'email', pointer: '/email', constraint: 'player_email_key_key' },
}

export interface PlayerPlan extends Plan<Player> {
  readonly identities: Pick<IdentitiesPlan, 'added' | 'changed'>
}

/** @throws AppError the first rule that the line breaks */
export function planPlayer(
  item: BulkItem<PlayerLine>,
  matcher: Matcher<Player>,
  around: IdentitySurroundings,
  { now }: BulkFacts,
): PlayerPlan {
  const { line } = item
  const before = matcher.match(item, (key) => takenError(UNIQUE[key as 'username']))
  matcher.requireFree(UNIQUE.username, line.usernameKey, before)
  matcher.requireFree(UNIQUE.email, line.emailKey, before)
  return before === undefined ? planNew(line, around, now) : planChange(line, before, around, now)
}

function planNew(line: PlayerLine, around: IdentitySurroundings, now: Date): PlayerPlan {
  const createdAt = originOf(line, now)
  requireFields(line, 'username')
  const status = line.status ?? 'active'
  const row: Player = {
    id: around.newId(),
    username: line.username ?? '',
    usernameKey: line.usernameKey ?? '',
    displayName: line.displayName ?? null,
    email: line.email ?? null,
    emailKey: line.emailKey ?? null,
    emailVerifiedAt: line.emailVerifiedAt ?? null,
    birthDate: line.birthDate ?? null,
    country: line.country ?? null,
    locale: line.locale ?? null,
    status,
    closedAt: closedAtOf(line, status, null, now),
    erasedAt: null,
    version: 1,
    createdAt,
    updatedAt: now,
  }
  requireNoContradiction(row)
  const identities = planIdentities(row.id, line.identities ?? [], around)
  const events = [massCreateEvent('player', about(row)), ...identities.events]
  return { kind: 'create', row, identities, events }
}

function planChange(line: PlayerLine, before: Player, around: IdentitySurroundings, now: Date): PlayerPlan {
  requireSameOrigin(line, before)
  const { id: _id, createdAt: _createdAt, identities: identityLines, status, closedAt: _at, ...patch } = line
  const isStep = status !== undefined && status !== before.status
  if (isStep)
    requireTransition(
      transitionsFrom<PlayerStatus>(PLAYER_LIFECYCLE, before.status, () => []),
      status,
    )
  const stepped = isStep ? afterStep(status, now) : { status: before.status, closedAt: before.closedAt }
  const closedAt = closedAtOf(line, stepped.status, stepped.closedAt, now)
  const wanted = { ...withVerification(before, patch), status: stepped.status, closedAt }
  const change = changedFields<Partial<Player>>(before, wanted)
  const row = { ...before, ...change } as Player
  const identities = planIdentities(before.id, identityLines ?? [], around)
  const isChanged = Object.keys(change).length > 0
  if (before.status === 'erased' && (isChanged || identities.events.length > 0)) throw erased()
  if (isChanged) requireNoContradiction(row)
  const changes = changeEvents('player', 'player', before, row, about(row), ['status', 'closedAt'])
  const events = [...changes, ...identities.events]
  const kind = isChanged ? 'update' : events.length > 0 ? 'touch' : 'unchanged'
  return { kind, row, identities, events }
}

/** When a closed player was closed: as the line says, else as it is, else now. */
function closedAtOf({ closedAt }: PlayerLine, status: PlayerStatus, known: Date | null, now: Date): Date | null {
  if (status === 'closed') return closedAt ?? known ?? now
  if (closedAt === undefined || closedAt === null) return known
  throw invalid([{ pointer: '/closedAt', code: 'not-allowed', detail: 'only with the status closed' }])
}

function requireNoContradiction(row: Player): void {
  const errors = contradictionsOf(row)
  if (errors.length > 0) throw invalid(errors)
}

function erased(): AppError {
  return new AppError('conflict', 'The player was erased; nothing about them can change')
}

function about({ id }: Player) {
  return { entityType: 'player', entityId: id } as const
}
