import type { Database } from '../../database/database.ts'
import type { GameStatus } from '../games/game.ts'
import type { Platform } from '../games/game-platform.ts'
import type { PlayerStatus } from '../players/player.ts'
import type { IdOrSlug } from '../text/code.ts'
import type { AccessFacts } from './access.ts'
import type { EntitlementSource } from './entitlement.ts'

interface AccessRow {
  readonly player_status: PlayerStatus | null
  readonly game_status: GameStatus | null
  readonly min_age: number | null
  readonly age: number | null
  readonly source: EntitlementSource | null
  readonly expires_at: Date | null
  readonly is_expired: boolean | null
  readonly is_revoked: boolean | null
}

/**
 * Everything that a decision depends on, in one statement; `player` or `game`: there is no such one. Only the age leaves the
 * database, never the birth date. Who was born on 29 February is a year older on 1 March.
 */
export async function findAccessFacts(
  database: Database,
  playerId: string,
  game: IdOrSlug,
  platform: Platform,
): Promise<AccessFacts | 'player' | 'game'> {
  const [by, condition, ref] = 'id' in game ? ['id', 'g.id = $2::uuid', game.id] : ['slug', 'g.slug = $2', game.slug]
  const text = `
    SELECT p.status AS player_status, g.status AS game_status, g.min_age, t.source, t.expires_at,
           date_part('year', age(current_date, p.birth_date))::int AS age,
           t.expires_at <= now() AS is_expired, t.revoked_at IS NOT NULL AS is_revoked
    FROM (VALUES (1)) AS one
    LEFT JOIN player p ON p.id = $1::uuid
    LEFT JOIN game g ON ${condition}
    LEFT JOIN player_game t ON t.player_id = p.id AND t.game_id = g.id AND t.platform = $3::platform`
  const values = [playerId, ref, platform]
  const [row] = await database.query<AccessRow>({ name: `decide access by ${by}`, text, values })
  if (row === undefined || row.player_status === null) return 'player'
  if (row.game_status === null) return 'game'
  const { player_status: playerStatus, game_status: gameStatus, min_age: minAge, age, source } = row
  const line =
    source === null
      ? undefined
      : { source, expiresAt: row.expires_at, isExpired: row.is_expired === true, isRevoked: row.is_revoked === true }
  return { playerStatus, gameStatus, minAge, age, line }
}
