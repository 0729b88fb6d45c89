import type { Transaction } from '../../database/database.ts'
import { camelRow } from '../../database/list-sql.ts'
import type { EntitlementKey } from './entitlement.ts'
import type { Playtime } from './playtime.ts'

/** The play time of a line of a library, and the studio whose game it is. */
export interface PlayedLine extends EntitlementKey, Playtime {
  readonly id: string
  readonly studioId: string
}

/**
 * The lines with these keys as they are now, and nobody else changes them until this transaction ends. Locked in the order of
 * their ids, so that two reports about the same lines cannot wait for each other.
 */
export async function lockPlayedLines(tx: Transaction, keys: readonly EntitlementKey[]): Promise<PlayedLine[]> {
  const sql = `
    SELECT t.id, t.player_id, t.game_id, t.platform, t.playtime_seconds, t.first_played_at, t.last_played_at, o.studio_id
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]::platform[]) AS k (player_id, game_id, platform)
    JOIN player_game t ON t.player_id = k.player_id AND t.game_id = k.game_id AND t.platform = k.platform
    JOIN game o ON o.id = t.game_id
    ORDER BY t.id FOR NO KEY UPDATE OF t`
  const columns = [
    keys.map(({ playerId }) => playerId),
    keys.map(({ gameId }) => gameId),
    keys.map(({ platform }) => platform),
  ]
  const rows = await tx.$queryRawUnsafe<Record<string, unknown>[]>(sql, ...columns)
  return rows.map((row) => {
    const line = camelRow<PlayedLine>(row)
    return { ...line, playtimeSeconds: Number(line.playtimeSeconds) }
  })
}

/** Writes the totals of locked lines. */
export async function savePlaytimes(tx: Transaction, lines: readonly PlayedLine[]): Promise<void> {
  if (lines.length === 0) return
  const sql = `
    UPDATE player_game t
    SET playtime_seconds = k.seconds, first_played_at = k.first_played_at, last_played_at = k.last_played_at
    FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
      AS k (id, seconds, first_played_at, last_played_at)
    WHERE t.id = k.id`
  await tx.$executeRawUnsafe(
    sql,
    lines.map(({ id }) => id),
    lines.map(({ playtimeSeconds }) => playtimeSeconds),
    lines.map(({ firstPlayedAt }) => firstPlayedAt?.toISOString() ?? null),
    lines.map(({ lastPlayedAt }) => lastPlayedAt?.toISOString() ?? null),
  )
}
