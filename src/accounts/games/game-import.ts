import type { Context } from '../../caller.ts'
import { AppError, invalid } from '../../errors.ts'
import { changeEvents, createEvent } from '../bulk/bulk-audit.ts'
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
import type { Reference } from '../bulk/bulk-reference.ts'
import { requireTransition, transitionsFrom } from '../lifecycle/lifecycle.ts'
import type { StudioStatus } from '../studios/studio.ts'
import { changedFields } from '../writing/version.ts'
import {
  GAME_LIFECYCLE,
  type Game,
  type GamePatch,
  type GameStatus,
  missingForGame,
  missingToBe,
  neededInState,
} from './game.ts'
import type { GamePlatform } from './game-platform.ts'
import {
  type PlatformLine,
  type PlatformsPlan,
  planPlatforms,
  type StoreApp,
  storeAppsOf,
  storeAppText,
} from './game-platform-import.ts'
import { isRefused, type Release, type ReleasePatch, releaseAfter, TO_BE_ANNOUNCED } from './release.ts'

/** One game of an import; absent fields say nothing, platforms that are not named stay. */
export interface GameLine extends GamePatch {
  readonly id?: string | undefined
  readonly studio?: Reference | undefined
  readonly status?: GameStatus | undefined
  readonly platforms?: readonly PlatformLine[] | undefined
  readonly createdAt?: Date | undefined
}

/** How lines find their game, the most preferred key first. */
export const GAME_KEYS = ['externalRef', 'slug', 'id', 'storeApp'] as const
export type GameKey = (typeof GAME_KEYS)[number]

export function gameKeyTexts(line: GameLine, name: GameKey): readonly string[] {
  if (name === 'storeApp') return storeAppsOf(line.platforms).map(storeAppText)
  const text = line[name]
  return text === undefined || text === null ? [] : [text]
}

const UNIQUE: Readonly<Record<'externalRef' | 'slug' | 'storeApp', UniqueKey>> = {
  externalRef: { name: 'externalRef', pointer: '/externalRef', constraint: 'game_external_ref_key' },
  slug: { name: 'slug', pointer: '/slug', constraint: 'game_slug_key' },
  storeApp: {
    name: 'storeApp',
    pointer: '/platforms',
    constraint: 'game_platform_store_store_app_id_platform_key',
  },
}

/** A studio that a game belongs to, held so that its state stays. */
export interface GameStudio {
  readonly id: string
  readonly status: StudioStatus
}

/** What the lines of a batch depend on. */
export interface GameSurroundings {
  readonly studioOf: (reference: Reference) => GameStudio
  readonly studioById: (id: string) => GameStudio
  readonly platformsOf: (gameId: string) => readonly GamePlatform[]
  readonly holderOf: (app: StoreApp) => string | undefined
}

export interface GamePlan extends Plan<Game> {
  readonly platforms: Pick<PlatformsPlan, 'added' | 'changed'>
}

/** @throws AppError the first rule that the line breaks */
export function planGame(
  item: BulkItem<GameLine>,
  matcher: Matcher<Game>,
  around: GameSurroundings,
  newId: () => string,
  facts: BulkFacts,
): GamePlan {
  const { line } = item
  const before = matcher.match(item, (key) => takenError(UNIQUE[key as 'slug']))
  matcher.requireFree(UNIQUE.externalRef, line.externalRef, before)
  matcher.requireFree(UNIQUE.slug, line.slug, before)
  return before === undefined ? planNew(line, newId(), around, facts) : planChange(line, before, around, facts)
}

function planNew(line: GameLine, id: string, around: GameSurroundings, { now, context }: BulkFacts): GamePlan {
  const createdAt = originOf(line, now)
  requireFields(line, 'studio', 'slug', 'title')
  const studio = around.studioOf(line.studio as Reference)
  const row: Game = {
    id,
    studioId: studio.id,
    slug: line.slug ?? '',
    title: line.title ?? '',
    summary: line.summary ?? null,
    genres: line.genres ?? [],
    minAge: line.minAge ?? null,
    ...releaseOf(TO_BE_ANNOUNCED, line),
    status: line.status ?? 'draft',
    statusChangedAt: now,
    externalRef: line.externalRef ?? null,
    version: 1,
    createdAt,
    updatedAt: now,
  }
  requireFacts(row)
  if (row.status !== 'draft') requireMayStep(context)
  const missing = missingToBe(row.status, row, studio.status)
  if (missing.length > 0) throw cannotBe(row.status, missing)
  const platforms = planPlatforms(row, line.platforms ?? [], [], around.holderOf, now)
  const events = [createEvent('game', 'game', row, about(row)), ...platforms.events]
  return { kind: 'create', row, platforms, events }
}

function planChange(line: GameLine, before: Game, around: GameSurroundings, { now, context }: BulkFacts): GamePlan {
  requireSameOrigin(line, before)
  requireSameStudio(line, before, around)
  const { id: _id, createdAt: _at, studio: _studio, platforms: lines, releaseDate, releasePrecision, ...patch } = line
  const release = releaseOf(before, { releaseDate, releasePrecision })
  const change = changedFields<GamePatch & { status?: GameStatus | undefined }>(before, { ...patch, ...release })
  const row = { ...before, ...change } as Game
  if (change.status !== undefined) {
    requireMayStep(context)
    const studio = around.studioById(before.studioId)
    const missing = (to: GameStatus) => missingForGame(to, { ...row, status: before.status }, studio.status)
    requireTransition(transitionsFrom(GAME_LIFECYCLE, before.status, missing), change.status)
  }
  if (Object.keys(change).length > 0) requireFacts(row)
  const known = lines === undefined ? [] : around.platformsOf(before.id)
  const platforms = planPlatforms(before, lines ?? [], known, around.holderOf, now)
  const events = [...changeEvents('game', 'game', before, row, about(row)), ...platforms.events]
  const kind = Object.keys(change).length > 0 ? 'update' : events.length > 0 ? 'touch' : 'unchanged'
  return { kind, row, platforms, events }
}

/** @throws AppError `validation` */
function releaseOf(before: Release, { releaseDate, releasePrecision }: ReleasePatch): Release {
  const release = releaseAfter(before, { releaseDate, releasePrecision })
  if (isRefused(release)) throw invalid([release])
  return { releaseDate: release.releaseDate, releasePrecision: release.releasePrecision }
}

function requireFacts(row: Game): void {
  const errors = neededInState(row)
  if (errors.length > 0) throw invalid(errors)
}

/** Another studio is a transfer, which has an operation of its own. */
function requireSameStudio({ studio }: GameLine, before: Game, around: GameSurroundings): void {
  if (studio === undefined || around.studioOf(studio).id === before.studioId) return
  const detail = 'the game belongs to another studio; an import does not transfer it'
  throw invalid([{ pointer: studio.pointer, code: 'immutable', detail }])
}

/** Beyond a draft, a state is a decision that needs its own scope, here as at the transitions. */
function requireMayStep({ principal }: Context): void {
  const scope = 'games:transition'
  if (principal.scopes.has(scope)) return
  throw new AppError('forbidden', `Setting the state of a game needs the scope ${scope}`, {
    extra: { scope },
    errors: [{ pointer: '/status', code: 'scope' }],
  })
}

function cannotBe(status: GameStatus, missing: readonly string[]): AppError {
  return new AppError('transition-blocked', `A game can be ${status} only with: ${missing.join(', ')}`, {
    extra: { to: status, missing },
    errors: [{ pointer: '/status', code: 'transition-blocked' }],
  })
}

function about({ id, studioId }: Game) {
  return { entityType: 'game', entityId: id, studioId } as const
}
