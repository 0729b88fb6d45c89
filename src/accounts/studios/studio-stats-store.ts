import type { PrismaClient } from '../../database/database.ts'
import type { GameStatus } from '../games/game.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import type { OwnerGroup } from './studio-stats.ts'

/** How many games of a studio are in each state; states without games are not there. */
export async function countGamesByStatus(db: PrismaClient, studioId: string): Promise<Map<GameStatus, number>> {
  const rows = await db.$queryRaw<{ status: GameStatus; games: number }[]>`
    SELECT status::text, count(*)::int AS games FROM game WHERE studio_id = ${studioId}::uuid GROUP BY status`
  return new Map(rows.map(({ status, games }) => [status, games]))
}

interface GroupRow {
  readonly platforms: number
  readonly players: number
  readonly played: number
  readonly seconds: number
}

/** Who owns games of a studio now, by the set of platforms that they own them on. */
export async function findOwnerGroups(db: PrismaClient, studioId: string): Promise<OwnerGroup[]> {
  const sql = `
    SELECT platforms, count(*)::int AS players, count(*) FILTER (WHERE seconds > 0)::int AS played,
           sum(seconds)::float8 AS seconds
    FROM (
      SELECT bit_or(1 << (array_position($2::text[]::platform[], t.platform) - 1)) AS platforms,
             sum(t.playtime_seconds) AS seconds
      FROM game g JOIN player_game t ON t.game_id = g.id
      WHERE g.studio_id = $1::uuid AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
      GROUP BY t.player_id
    ) AS owner
    GROUP BY platforms`
  const rows = await db.$queryRawUnsafe<GroupRow[]>(sql, studioId, [...PLATFORMS])
  return rows.map(({ platforms, players, played, seconds }) => ({
    ...{ players, played, playtimeSeconds: seconds },
    platforms: PLATFORMS.filter((_, index) => (platforms & (1 << index)) !== 0),
  }))
}
