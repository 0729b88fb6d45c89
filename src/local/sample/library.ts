import { cumulate, Dice } from './dice.ts'
import { type SampleGame, sampleGames } from './games.ts'
import { DAY_MS, iso, type Period } from './period.ts'
import { PLAYER_COUNT, registeredMs, steamSubject } from './players.ts'

export const LIBRARY_COUNT = 80_000

const SOURCES = ['purchase', 'key', 'bundle', 'gift', 'free', 'promotion', 'subscription', 'beta', 'press'] as const
const SOURCE_WEIGHTS = cumulate([62, 9, 9, 5, 6, 4, 4, 0.7, 0.3])
const REASONS = ['refund', 'refund', 'refund', 'chargeback', 'fraud', 'mistake'] as const

/** A library row, still in numbers: what an import line is made from. */
export interface SampleEntitlement {
  readonly player: number
  readonly game: SampleGame
  readonly platform: string
  readonly source: string
  readonly acquiredMs: number
  readonly expiresMs: number | undefined
  revokedMs: number | undefined
  reason: string | undefined
  playtimeSeconds: number
  firstPlayedMs: number | undefined
  lastPlayedMs: number | undefined
}

function entitlement(
  period: Period,
  row: number,
  [player, game, platform]: readonly [number, SampleGame, string],
): SampleEntitlement {
  const { endMs } = period
  const clampToEnd = (ms: number) => Math.min(ms, endMs - 60_000)
  const dice = new Dice('entitlement', row)
  const available = game.availableMs as number
  const earliest = Math.max(registeredMs(period, player), available)
  const acquiredMs = clampToEnd(earliest + Math.floor((endMs - earliest) * dice.next() ** 2.2))
  const source = SOURCES[dice.weighted(SOURCE_WEIGHTS)] as string
  const made: SampleEntitlement = {
    player,
    game,
    platform,
    source,
    acquiredMs,
    expiresMs: source === 'subscription' ? acquiredMs + 90 * DAY_MS : undefined,
    revokedMs: undefined,
    reason: undefined,
    playtimeSeconds: 0,
    firstPlayedMs: undefined,
    lastPlayedMs: undefined,
  }
  if (game.status !== 'announced' && dice.chance(0.86)) {
    const first = clampToEnd(acquiredMs + Math.floor(dice.next() ** 3 * 20 * DAY_MS))
    const last = clampToEnd(first + Math.floor(dice.next() ** 2 * (endMs - first)))
    made.firstPlayedMs = first
    made.lastPlayedMs = last
    // Long tail: most play a few hours, some hundreds.
    const hours = Math.exp(dice.next() * 3.2 + dice.next() * 3.2) - 1
    made.playtimeSeconds = Math.round(Math.min(hours * 3600, ((last - first) / 1000) * 0.5 + 600))
  }
  if (dice.chance(0.035)) {
    made.revokedMs = clampToEnd(acquiredMs + dice.between(1, 14 * 24) * 3_600_000)
    made.reason = dice.pick(REASONS)
  }
  return made
}

/** The 80,000 rows of the first load; no player has a game twice on one platform. */
export function sampleLibrary(period: Period): SampleEntitlement[] {
  const games = sampleGames(period).filter((g) => g.availableMs !== undefined)
  const weights = cumulate(games.map((g) => g.weight))
  const seen = new Set<string>()
  const rows: SampleEntitlement[] = []
  for (let attempt = 0; rows.length < LIBRARY_COUNT; attempt++) {
    const dice = new Dice('library', attempt)
    // The square favours early players: they had more time to collect.
    const player = Math.floor(dice.next() ** 1.4 * PLAYER_COUNT)
    const game = games[dice.weighted(weights)] as SampleGame
    const platform = dice.pick(game.platforms)
    const key = `${player}/${game.index}/${platform}`
    if (seen.has(key)) continue
    seen.add(key)
    rows.push(entitlement(period, rows.length, [player, game, platform]))
  }
  return rows
}

const time = (name: string, ms: number | undefined) => (ms === undefined ? {} : { [name]: iso(ms) })

export function libraryLine(row: SampleEntitlement): object {
  return {
    player: { provider: 'steam', subject: steamSubject(row.player) },
    game: { externalRef: row.game.externalRef },
    platform: row.platform,
    source: row.source,
    acquiredAt: iso(row.acquiredMs),
    ...time('expiresAt', row.expiresMs),
    ...time('revokedAt', row.revokedMs),
    ...(row.reason === undefined ? {} : { revokeReason: row.reason }),
    playtimeSeconds: row.playtimeSeconds,
    ...time('firstPlayedAt', row.firstPlayedMs),
    ...time('lastPlayedAt', row.lastPlayedMs),
  }
}

export function* library(period: Period): Generator<object> {
  for (const row of sampleLibrary(period)) yield libraryLine(row)
}
