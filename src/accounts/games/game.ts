import type { FieldError } from '../../errors.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { StudioStatus } from '../studios/studio.ts'
import type { Release, ReleasePatch } from './release.ts'

export const GAME_STATUSES = [
  'draft',
  'submitted',
  'in_review',
  'changes_requested',
  'approved',
  'announced',
  'early_access',
  'released',
  'delisted',
  'retired',
  'rejected',
  'withdrawn',
  'cancelled',
] as const
export type GameStatus = (typeof GAME_STATUSES)[number]

export const GENRES = [
  'action',
  'adventure',
  'rpg',
  'strategy',
  'simulation',
  'puzzle',
  'platformer',
  'shooter',
  'fighting',
  'sports',
  'racing',
  'horror',
  'survival',
  'sandbox',
  'roguelike',
  'visual_novel',
  'rhythm',
  'card',
  'party',
  'idle',
  'educational',
  'other',
] as const
export type Genre = (typeof GENRES)[number]

export const MAX_GENRES = 5
/** The strictest age of any rating board. */
export const MAX_MIN_AGE = 21

/** A title of a studio, from draft to retired. Fields are the columns in camelCase. */
export interface Game extends Release {
  readonly id: string
  readonly studioId: string
  readonly slug: string
  readonly title: string
  readonly summary: string | null
  /** In the order that the studio wants. */
  readonly genres: readonly Genre[]
  /** In years; NULL: not rated yet. */
  readonly minAge: number | null
  readonly status: GameStatus
  readonly statusChangedAt: Date
  readonly externalRef: string | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A game that may be created: checked and normalised, nothing looked up yet. */
export type GameDraft = Pick<
  Game,
  'studioId' | 'slug' | 'title' | 'summary' | 'genres' | 'minAge' | 'releaseDate' | 'releasePrecision' | 'externalRef'
>

/** All that a caller who keys games by a reference of their own says about one: what is absent is emptied. */
export type GameReplacement = Omit<GameDraft, 'externalRef'>

/** The fields to change; absent ones stay. Another studio is a transfer, not a patch. */
export type GamePatch = Partial<Omit<GameDraft, 'studioId' | keyof Release>> & ReleasePatch

export const GAME_LIFECYCLE: Lifecycle<GameStatus> = {
  draft: ['submitted', 'withdrawn'],
  submitted: ['in_review', 'withdrawn'],
  in_review: ['changes_requested', 'approved', 'rejected'],
  changes_requested: ['submitted', 'withdrawn'],
  approved: ['announced', 'cancelled'],
  announced: ['released', 'early_access', 'cancelled'],
  early_access: ['released', 'delisted'],
  released: ['delisted'],
  delisted: ['released', 'retired'],
  retired: [],
  rejected: ['draft'],
  withdrawn: ['draft'],
  cancelled: [],
}

/** States in which people can see or have seen the game: they need an exact date, an age and a genre. */
const PUBLIC: ReadonlySet<GameStatus> = new Set(['early_access', 'released', 'delisted', 'retired'])
/** "Approved and later": only for a studio that is active. */
const NEED_ACTIVE_STUDIO: ReadonlySet<GameStatus> = new Set([
  'approved',
  'announced',
  'early_access',
  'released',
  'delisted',
  'retired',
])
/** States that a game keeps when its studio has closed. */
const OUTLIVE_STUDIO: ReadonlySet<GameStatus> = new Set(['draft', 'rejected', 'withdrawn', 'cancelled', 'retired'])

export type GameFacts = Pick<Game, 'minAge' | 'releasePrecision' | 'genres'>

/** `min-age`, `exact-release-date`, `genre`: what the public must know and the game does not say yet. */
export function missingFacts(game: GameFacts): string[] {
  const missing: string[] = []
  if (game.minAge === null) missing.push('min-age')
  if (game.releasePrecision !== 'day') missing.push('exact-release-date')
  if (game.genres.length === 0) missing.push('genre')
  return missing
}

/**
 * What a step still needs: the facts above, `active-studio` (also while the studio is suspended, which freezes every step) and
 * `studio-in-review` (or active), without which no game leaves `draft`.
 */
export function missingForGame(to: GameStatus, game: GameFacts & Pick<Game, 'status'>, studio: StudioStatus): string[] {
  const missing = PUBLIC.has(to) ? missingFacts(game) : []
  if (studio === 'suspended' || (NEED_ACTIVE_STUDIO.has(to) && studio !== 'active')) missing.push('active-studio')
  else if (game.status === 'draft' && studio !== 'in_review' && studio !== 'active') missing.push('studio-in-review')
  return missing
}

/**
 * What a game needs to be brought in as it is, by an import: the order of steps is waived, the rules between a game and its
 * studio are not. A suspended studio keeps its games, a closed one those that have ended.
 */
export function missingToBe(status: GameStatus, game: GameFacts, studio: StudioStatus): string[] {
  const missing = PUBLIC.has(status) ? missingFacts(game) : []
  if (OUTLIVE_STUDIO.has(status)) {
    if (status === 'retired' && !['active', 'suspended', 'closed'].includes(studio)) missing.push('active-studio')
  } else if (NEED_ACTIVE_STUDIO.has(status)) {
    if (studio !== 'active' && studio !== 'suspended') missing.push('active-studio')
  } else if (!['in_review', 'active', 'suspended'].includes(studio)) missing.push('studio-in-review')
  return missing
}

/**
 * What a game needs of the studios to go from one to the other: the state that its own needs of its studio, and that neither is
 * suspended, which freezes everything that a studio has (`unsuspended-studio`: the one that gives).
 */
export function missingToMove(game: GameFacts & Pick<Game, 'status'>, from: StudioStatus, to: StudioStatus): string[] {
  const missing = missingToBe(game.status, game, to)
  if (to === 'suspended' && !missing.includes('active-studio')) missing.push('active-studio')
  if (from === 'suspended') missing.push('unsuspended-studio')
  return missing
}

const POINTERS: Readonly<Record<string, string>> = {
  'min-age': '/minAge',
  'exact-release-date': '/releaseDate',
  genre: '/genres',
}

/** The fields that a change would take from a game although its state needs them. */
export function neededInState({ status, ...facts }: GameFacts & Pick<Game, 'status'>): FieldError[] {
  if (!PUBLIC.has(status)) return []
  return missingFacts(facts).map((fact) => ({
    pointer: POINTERS[fact] ?? '',
    code: 'needed-in-state',
    detail: `a game that is ${status} needs it`,
  }))
}
