import { cumulate, Dice } from './dice.ts'
import { BASE_DAYS, DAY_MS, iso, isoDate, type Period, quarterEnd } from './period.ts'
import { studioRef } from './studios.ts'
import { ADJECTIVES, GENRES, NOUNS, PLATFORMS } from './vocabulary.ts'

export const GAME_COUNT = 150

/** How many of the 150 games are in which state. */
const STATES: readonly (readonly [status: string, count: number])[] = [
  ['released', 84],
  ['early_access', 12],
  ['announced', 12],
  ['approved', 5],
  ['delisted', 5],
  ['retired', 4],
  ['draft', 8],
  ['submitted', 5],
  ['in_review', 4],
  ['changes_requested', 3],
  ['rejected', 3],
  ['withdrawn', 2],
  ['cancelled', 3],
]
const STATUS_OF = STATES.flatMap(([status, count]) => Array.from({ length: count }, () => status))
const PUBLIC = new Set(['released', 'early_access', 'delisted', 'retired'])
const BEFORE_APPROVAL = new Set(['draft', 'submitted', 'in_review', 'changes_requested', 'rejected', 'withdrawn'])
const PLATFORM_WEIGHTS = cumulate(PLATFORMS.map(([, weight]) => weight))

export interface SampleGame {
  readonly index: number
  readonly externalRef: string
  readonly slug: string
  readonly title: string
  readonly studio: number
  readonly status: string
  readonly platforms: readonly string[]
  /** When players could first get it; undefined: never within the sample. */
  readonly availableMs: number | undefined
  readonly genres: readonly string[]
  readonly minAge: number | undefined
  /** Relative share of library rows. */
  readonly weight: number
}

function studioOf(status: string, index: number): number {
  if (status === 'draft' && index % 2 === 0) return 29
  // Only active studios have games beyond review; the first 24 stay active.
  return BEFORE_APPROVAL.has(status) && status !== 'draft' ? index % 26 : index % 24
}

function platformsOf(dice: Dice): string[] {
  const wanted = dice.between(1, 4)
  const chosen = new Set<string>(['windows'])
  if (dice.chance(0.15)) chosen.delete('windows')
  while (chosen.size < wanted) chosen.add((PLATFORMS[dice.weighted(PLATFORM_WEIGHTS)] as (typeof PLATFORMS)[number])[0])
  return [...chosen]
}

export function sampleGame({ startMs, endMs }: Period, index: number): SampleGame {
  const dice = new Dice('game', index)
  const status = STATUS_OF[index] as string
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  const words = [ADJECTIVES[(index * 11) % ADJECTIVES.length] as string, dice.pick(NOUNS)]
  const sequel = dice.chance(0.15) ? ' II' : ''
  const released = startMs + Math.floor(BASE_DAYS * dice.next() ** 1.2 * 0.95) * DAY_MS
  return {
    index,
    externalRef: `sample-game-${index + 1}`,
    slug: `${words.join('-')}-${index + 1}`,
    title: `${words.map(capital).join(' ')}${sequel}`,
    studio: studioOf(status, index),
    status,
    platforms: platformsOf(dice),
    availableMs: PUBLIC.has(status) ? released : status === 'announced' ? endMs - 60 * DAY_MS : undefined,
    genres: [...new Set([dice.pick(GENRES), dice.pick(GENRES), dice.pick(GENRES)])],
    minAge: PUBLIC.has(status) || dice.chance(0.4) ? dice.pick([0, 6, 12, 16, 18]) : undefined,
    // A few hits, a long tail.
    weight: PUBLIC.has(status) ? 1 / (1 + ((index * 37) % 96)) ** 0.8 : 0.01,
  }
}

/** The import line of a game in `status`; its facts are complete as soon as it is public. */
export function gameLine({ endMs }: Period, game: SampleGame, status: string): object {
  const isPublic = PUBLIC.has(status)
  const releaseMs = game.availableMs ?? endMs + 30 * DAY_MS
  const dice = new Dice('game-line', game.index)
  const planned = !isPublic && dice.chance(0.5)
  const release = isPublic
    ? { releaseDate: isoDate(releaseMs), releasePrecision: 'day' }
    : planned
      ? { releaseDate: quarterEnd(endMs + 120 * DAY_MS), releasePrecision: 'quarter' }
      : { releasePrecision: 'tba' }
  return {
    slug: game.slug,
    title: game.title,
    summary: `${game.title}: a ${game.genres.join(' and ').replaceAll('_', ' ')} game.`,
    genres: game.genres,
    ...(isPublic || game.minAge !== undefined ? { minAge: game.minAge ?? 12 } : {}),
    ...release,
    status,
    externalRef: game.externalRef,
    studio: { externalRef: studioRef(game.studio) },
    platforms: game.platforms.map((platform, position) => {
      const store = PLATFORMS.find(([name]) => name === platform)?.[2] ?? ''
      return {
        platform,
        store,
        ...(store === '' ? {} : { storeAppId: `${store}-${900_000 + game.index * 10 + position}` }),
        ...(isPublic ? { releasedOn: isoDate(releaseMs + position * 30 * DAY_MS) } : {}),
      }
    }),
    createdAt: iso(Math.min(releaseMs, endMs) - dice.between(60, 400) * DAY_MS),
  }
}

export function sampleGames(period: Period): SampleGame[] {
  return Array.from({ length: GAME_COUNT }, (_, index) => sampleGame(period, index))
}

/**
 * Games that players own were on sale before they were retired: a retired game is loaded as delisted first, since nothing
 * can be granted for a retired one.
 */
export function* games(period: Period): Generator<object> {
  for (const game of sampleGames(period))
    yield gameLine(period, game, game.status === 'retired' ? 'delisted' : game.status)
}

export function* laterGames(period: Period): Generator<object> {
  for (const game of sampleGames(period)) if (game.status === 'retired') yield gameLine(period, game, 'retired')
}
