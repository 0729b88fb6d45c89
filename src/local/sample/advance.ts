import { Dice } from './dice.ts'
import { gameLine, type SampleGame, sampleGames } from './games.ts'
import { libraryLine, type SampleEntitlement, sampleLibrary } from './library.ts'
import { DAY_MS, type Period } from './period.ts'
import { COUNTRY_WEIGHTS, NEW_PLAYERS_A_DAY, PLAYER_COUNT, players, steamSubject } from './players.ts'
import { COUNTRIES } from './vocabulary.ts'

const SESSIONS_A_DAY = 600
const REVOCATIONS_A_DAY = 4
const PURCHASES_A_DAY = 40
const MOVES_A_DAY = 12
const CLOSURES_A_DAY = 3

/** The next step of a game's life, if one comes by itself. */
const NEXT: Readonly<Record<string, string>> = {
  draft: 'submitted',
  submitted: 'in_review',
  in_review: 'approved',
  changes_requested: 'submitted',
  approved: 'announced',
  announced: 'released',
  early_access: 'released',
}

/** Everything that changed from day `from` + 1 to day `to`, days counted from the end of the first load. */
export interface Advance {
  readonly players: Iterable<object>
  /** Accounts of the first load that change: each once, with nothing but its identity and what is new. */
  readonly moves: readonly object[]
  readonly games: readonly object[]
  readonly library: readonly object[]
}

/** Players who move to another country, and some who close their account. */
function advanceMoves(from: number, to: number): object[] {
  const changed = new Map<number, object>()
  const change = (player: number, fields: object) => changed.set(player, { ...changed.get(player), ...fields })
  for (let day = from + 1; day <= to; day++) {
    const dice = new Dice('moves', day)
    for (let i = 0; i < MOVES_A_DAY; i++) {
      const [country, , locales] = COUNTRIES[dice.weighted(COUNTRY_WEIGHTS)] as (typeof COUNTRIES)[number]
      change(dice.between(0, PLAYER_COUNT - 1), { country, locale: dice.pick(locales) })
    }
    for (let i = 0; i < CLOSURES_A_DAY; i++) change(dice.between(0, PLAYER_COUNT - 1), { status: 'closed' })
  }
  return [...changed].map(([player, fields]) => ({
    identities: [{ provider: 'steam', subject: steamSubject(player) }],
    ...fields,
  }))
}

/** Games move one step every third day; only those whose studio is active. Returns the lines of the days asked for. */
function advanceGames(period: Period, from: number, to: number): object[] {
  const status = new Map<number, string>()
  const all = sampleGames(period).filter((g) => g.studio < 24)
  const lines: object[] = []
  for (let day = 3; day <= to; day += 3) {
    const start = new Dice('transition', day).between(0, all.length - 1)
    for (let step = 0; step < all.length; step++) {
      const game = all[(start + step) % all.length] as SampleGame
      const next = NEXT[status.get(game.index) ?? game.status]
      if (next === undefined) continue
      status.set(game.index, next)
      // A game that is released now gets its facts now.
      const released: SampleGame = { ...game, availableMs: game.availableMs ?? period.endMs + (day - 1) * DAY_MS }
      if (day > from) lines.push(gameLine(period, next === 'released' ? released : game, next))
      break
    }
  }
  return lines
}

function play(row: SampleEntitlement, midnightMs: number, dice: Dice): void {
  const at = midnightMs + Math.floor(dice.next() * DAY_MS * 0.9)
  row.playtimeSeconds += dice.between(300, 5 * 3600)
  row.firstPlayedMs ??= at
  row.lastPlayedMs = Math.max(at, row.lastPlayedMs ?? 0)
}

function purchase(row: SampleEntitlement, player: number, midnightMs: number, dice: Dice): SampleEntitlement {
  return {
    ...row,
    player,
    source: 'purchase',
    acquiredMs: midnightMs + Math.floor(dice.next() * DAY_MS),
    expiresMs: undefined,
    revokedMs: undefined,
    reason: undefined,
    playtimeSeconds: 0,
    firstPlayedMs: undefined,
    lastPlayedMs: undefined,
  }
}

/** Play time, revocations and purchases by the newly registered; each row appears once, as it stands after day `to`. */
function advanceLibrary(period: Period, from: number, to: number): object[] {
  const rows = sampleLibrary(period).filter((r) => r.game.status !== 'retired')
  const onSale = rows.filter((r) => r.game.status === 'released' || r.game.status === 'early_access')
  const changed = new Set<SampleEntitlement>()
  for (let day = 1; day <= to; day++) {
    const dice = new Dice('advance', day)
    const midnightMs = period.endMs + (day - 1) * DAY_MS
    const touch = (row: SampleEntitlement) => day > from && changed.add(row)
    for (let i = 0; i < SESSIONS_A_DAY; i++) {
      const row = dice.pick(rows)
      if (row.revokedMs !== undefined || row.game.status === 'announced') continue
      play(row, midnightMs, dice)
      touch(row)
    }
    for (let i = 0; i < REVOCATIONS_A_DAY; i++) {
      const row = dice.pick(rows)
      if (row.revokedMs !== undefined) continue
      row.revokedMs = midnightMs + Math.floor(dice.next() * DAY_MS)
      row.reason = 'refund'
      touch(row)
    }
    const bought = new Set<string>()
    for (let i = 0; i < PURCHASES_A_DAY; i++) {
      const player = PLAYER_COUNT + (day - 1) * NEW_PLAYERS_A_DAY + dice.between(0, NEW_PLAYERS_A_DAY - 1)
      const row = purchase(dice.pick(onSale), player, midnightMs, dice)
      const key = `${player}/${row.game.index}/${row.platform}`
      if (bought.has(key)) continue
      bought.add(key)
      touch(row)
    }
  }
  return [...changed].map(libraryLine)
}

export function advance(period: Period, from: number, to: number): Advance {
  return {
    players: players(period, PLAYER_COUNT + from * NEW_PLAYERS_A_DAY, PLAYER_COUNT + to * NEW_PLAYERS_A_DAY),
    moves: advanceMoves(from, to),
    games: advanceGames(period, from, to),
    library: advanceLibrary(period, from, to),
  }
}
