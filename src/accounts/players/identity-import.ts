import { AppError, invalid } from '../../errors.ts'
import { type AuditEvent, changesOf } from '../audit/audit-event.ts'
import { refusals } from '../writing/refusals.ts'
import { changedFields } from '../writing/version.ts'
import type { Identity, IdentityProvider } from './identity.ts'

/** What names an account elsewhere. */
export interface IdentityKey {
  readonly provider: IdentityProvider
  readonly namespace: string
  readonly subject: string
}

/** An identity in a player's line; absent facts say nothing. */
export interface IdentityLine extends IdentityKey {
  readonly providerName?: string | null | undefined
  readonly verifiedAt?: Date | null | undefined
  readonly linkedAt?: Date | undefined
}

export function identityText({ provider, namespace, subject }: IdentityKey): string {
  return `${provider}/${namespace}/${subject}`
}

export interface IdentitiesPlan {
  readonly added: readonly Identity[]
  readonly changed: readonly Identity[]
  readonly events: readonly AuditEvent[]
}

/** What the identities of a batch's lines depend on. */
export interface IdentitySurroundings {
  /** The identity that is linked under this key, to whomever. */
  readonly linked: (key: IdentityKey) => Identity | undefined
  /** Has a line of an earlier batch of this dry run linked it, to another player? */
  readonly isRehearsed: (key: IdentityKey) => boolean
  /** The studio with this slug. */
  readonly studioIdOf: (slug: string) => string | undefined
  readonly newId: () => string
  readonly now: Date
}

/**
 * The identities of a player after their line; those that are not named stay.
 *
 * @throws AppError `identity-taken`, `validation`, pointing to the identity
 */
export function planIdentities(
  playerId: string,
  lines: readonly IdentityLine[],
  around: IdentitySurroundings,
): IdentitiesPlan {
  const named = new Set<string>()
  const [added, changed, events]: [Identity[], Identity[], AuditEvent[]] = [[], [], []]
  lines.forEach((line, index) => {
    const pointer = `/identities/${index}`
    const text = identityText(line)
    if (named.has(text)) throw invalid([{ pointer: `${pointer}/subject`, code: 'duplicate' }])
    named.add(text)
    const studioId = studioOf(line, around, pointer)
    const before = around.linked(line)
    if (before === undefined) {
      if (around.isRehearsed(line)) throw taken(pointer)
      const identity = newIdentity(playerId, line, around)
      added.push(identity)
      // Which account it is; the row tells the rest, above all the time, which may be the database's own.
      const { id, provider, namespace, subject } = identity
      const changes = changesOf('player_identity', undefined, { id, provider, namespace, subject })
      events.push({ action: 'player.link_identity', ...about(playerId), studioId, changes })
      return
    }
    if (before.playerId !== playerId) throw taken(pointer)
    const { providerName, verifiedAt, linkedAt } = line
    const change = changedFields(before, { providerName, verifiedAt, linkedAt })
    if (Object.keys(change).length === 0) return
    const after = { ...before, ...change } as Identity
    changed.push(after)
    const which = { identityId: { from: before.id, to: before.id } }
    const changes = { ...which, ...changesOf('player_identity', before, after) }
    events.push({ action: 'player.update_identity', ...about(playerId), studioId, changes })
  })
  return { added, changed, events }
}

function newIdentity(playerId: string, line: IdentityLine, { newId, now }: IdentitySurroundings): Identity {
  const { provider, namespace, subject } = line
  const facts = { providerName: line.providerName ?? null, verifiedAt: line.verifiedAt ?? null }
  const linkedAt = line.linkedAt ?? now
  const bookkeeping = { unlinkedAt: null, version: 1, createdAt: now, updatedAt: now }
  return { id: newId(), playerId, provider, namespace, subject, ...facts, linkedAt, ...bookkeeping }
}

/** The studio whose accounts these are, for the trail. */
function studioOf(
  { provider, namespace }: IdentityKey,
  { studioIdOf }: IdentitySurroundings,
  pointer: string,
): string | null {
  if (provider !== 'studio') return null
  const studioId = studioIdOf(namespace)
  if (studioId !== undefined) return studioId
  const detail = 'there is no studio with this slug'
  throw invalid([{ pointer: `${pointer}/namespace`, code: 'not-found', detail }])
}

function taken(pointer: string): AppError {
  const refusal = refusals.player_identity_provider_namespace_subject_key
  if (refusal === undefined) throw new Error('the rule has no refusal')
  const errors = [{ pointer: `${pointer}/subject`, code: refusal.code }]
  return new AppError(refusal.code, refusal.detail, { errors })
}

function about(playerId: string) {
  return { entityType: 'player', entityId: playerId } as const
}
