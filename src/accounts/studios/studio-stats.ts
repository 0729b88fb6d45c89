import { GAME_STATUSES, type GameStatus } from '../games/game.ts'
import { PLATFORMS, type Platform } from '../games/game-platform.ts'

/** Fewer people than this are never told: who is one of four is soon known. */
export const SMALLEST_CELL = 5

/** The owners of a studio's games who own them on the same platforms; everybody is in one group. */
export interface OwnerGroup {
  readonly platforms: readonly Platform[]
  readonly players: number
  /** Those of them who have played. */
  readonly played: number
  readonly playtimeSeconds: number
}

/** Sums of a studio. Of people NULL, or no entry, stands for fewer than five, and for what would tell of fewer than five. */
export interface StudioStats {
  readonly games: { readonly total: number; readonly byStatus: Readonly<Record<GameStatus, number>> }
  readonly players: {
    readonly total: number | null
    readonly played: number | null
    readonly byPlatform: Readonly<Partial<Record<Platform, number>>>
  }
  readonly playtimeSeconds: number | null
}

export function studioStats(games: ReadonlyMap<GameStatus, number>, groups: readonly OwnerGroup[]): StudioStats {
  const total = sumOf(groups, ({ players }) => players)
  const played = sumOf(groups, (group) => group.played)
  const byStatus = Object.fromEntries(GAME_STATUSES.map((status) => [status, games.get(status) ?? 0]))
  return {
    games: { total: [...games.values()].reduce((a, b) => a + b, 0), byStatus: byStatus as Record<GameStatus, number> },
    players: {
      total: isSmall(total) ? null : total,
      played: isTold(played, total) ? played : null,
      byPlatform: toldPlatforms(groups, total),
    },
    playtimeSeconds: isSmall(played) ? null : sumOf(groups, ({ playtimeSeconds }) => playtimeSeconds),
  }
}

const isSmall = (players: number) => players < SMALLEST_CELL

/** The rest of the total is a cell as well: anybody can subtract. */
function isTold(players: number, total: number): boolean {
  return !isSmall(players) && (players === total || !isSmall(total - players))
}

/**
 * Platforms that can be told. Those who own nothing on any of them are what is left of the total; while they are few, the smallest
 * platform goes as well.
 */
function toldPlatforms(groups: readonly OwnerGroup[], total: number): Partial<Record<Platform, number>> {
  const counts = PLATFORMS.map((platform) => {
    const owners = groups.filter(({ platforms }) => platforms.includes(platform))
    return { platform, players: sumOf(owners, ({ players }) => players) }
  })
  const told = counts.filter(({ players }) => isTold(players, total)).sort((a, b) => b.players - a.players)
  const elsewhere = () => {
    const names = new Set(told.map(({ platform }) => platform))
    const others = groups.filter(({ platforms }) => platforms.every((platform) => !names.has(platform)))
    return sumOf(others, ({ players }) => players)
  }
  while (told.length > 0 && elsewhere() > 0 && isSmall(elsewhere())) told.pop()
  return Object.fromEntries(told.map(({ platform, players }) => [platform, players]))
}

function sumOf(groups: readonly OwnerGroup[], value: (group: OwnerGroup) => number): number {
  return groups.reduce((sum, group) => sum + value(group), 0)
}
