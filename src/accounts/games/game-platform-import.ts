import { AppError, invalid } from '../../errors.ts'
import { type AuditEvent, type Changes, changesOf } from '../audit/audit-event.ts'
import { within } from '../bulk/bulk-reference.ts'
import { refusals } from '../writing/refusals.ts'
import { changedFields } from '../writing/version.ts'
import { contradictions, type GamePlatform, type GamePlatformFacts, type Platform } from './game-platform.ts'

/** A platform in a game's line; absent facts say nothing. */
export interface PlatformLine extends Partial<GamePlatformFacts> {
  readonly platform: Platform
}

/** A store's own key of a game on one platform: what a library or another line can name the game by. */
export interface StoreApp {
  readonly store: string
  readonly storeAppId: string
  readonly platform: Platform
}

export function storeAppText({ store, storeAppId, platform }: StoreApp): string {
  return `${platform}/${store}/${storeAppId}`
}

/** The stores' keys that a line gives. */
export function storeAppsOf(lines: readonly PlatformLine[] | undefined): StoreApp[] {
  return (lines ?? []).flatMap(({ store = '', storeAppId, platform }) =>
    store === '' || typeof storeAppId !== 'string' ? [] : [{ store, storeAppId, platform }],
  )
}

export interface PlatformsPlan {
  readonly added: readonly GamePlatform[]
  readonly changed: readonly GamePlatform[]
  readonly events: readonly AuditEvent[]
}

interface Owner {
  readonly id: string
  readonly studioId: string
}

/**
 * The platforms of a game after its line; those that are not named stay.
 *
 * @param holderOf the game that has a store's key already
 * @throws AppError `validation`, `conflict`, pointing to the platform
 */
export function planPlatforms(
  game: Owner,
  lines: readonly PlatformLine[],
  known: readonly GamePlatform[],
  holderOf: (app: StoreApp) => string | undefined,
  now: Date,
): PlatformsPlan {
  const before = new Map(known.map((platform) => [platform.platform, platform]))
  const named = new Set<Platform>()
  const [added, changed, events]: [GamePlatform[], GamePlatform[], AuditEvent[]] = [[], [], []]
  lines.forEach((line, index) => {
    const pointer = `/platforms/${index}`
    if (named.has(line.platform)) throw invalid([{ pointer: `${pointer}/platform`, code: 'duplicate' }])
    named.add(line.platform)
    const old = before.get(line.platform)
    const after = within(pointer, () => platformAfter(game, line, old, holderOf, now))
    if (old === undefined) {
      added.push(after)
      events.push(event(game, 'create', changesOf('game_platform', undefined, after)))
    } else if (after !== old) {
      changed.push(after)
      const which = { platform: { from: old.platform, to: old.platform } }
      events.push(event(game, 'update', { ...which, ...changesOf('game_platform', old, after) }))
    }
  })
  return { added, changed, events }
}

function platformAfter(
  game: Owner,
  line: PlatformLine,
  before: GamePlatform | undefined,
  holderOf: (app: StoreApp) => string | undefined,
  now: Date,
): GamePlatform {
  const { platform, ...facts } = line
  const nothing = { store: '', storeAppId: null, releasedOn: null, delistedOn: null }
  const bookkeeping = { version: 1, createdAt: now, updatedAt: now }
  const old = before ?? { gameId: game.id, platform, ...nothing, ...bookkeeping }
  const change = changedFields<Partial<GamePlatformFacts>>(old, facts)
  if (before !== undefined && Object.keys(change).length === 0) return before
  const after = { ...old, ...change } as GamePlatform
  const errors = contradictions(after)
  if (errors.length > 0) throw invalid(errors)
  const [app] = storeAppsOf([after])
  const holder = app && holderOf(app)
  if (holder !== undefined && holder !== game.id) throw keyTaken()
  return after
}

function keyTaken(): AppError {
  const refusal = refusals.game_platform_store_store_app_id_platform_key
  if (refusal === undefined) throw new Error('the rule has no refusal')
  return new AppError(refusal.code, refusal.detail, { errors: [{ pointer: '/storeAppId', code: refusal.code }] })
}

function event({ id, studioId }: Owner, what: string, changes: Changes): AuditEvent {
  return { action: `game_platform.${what}`, entityType: 'game_platform', entityId: id, studioId, changes }
}
