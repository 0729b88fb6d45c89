import type { RawClient } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { Entitlement, EntitlementKey } from './entitlement.ts'
import { libraryList } from './entitlement-list.ts'

// A double holds every total that validation lets in.
const columns = selectList({ spec: libraryList, select: { playtime_seconds: 't.playtime_seconds::float8' } })

/** The rows with these keys as they are now; nobody else changes them until the end. Hold the games first. */
export async function lockEntitlementsBy(client: RawClient, keys: readonly EntitlementKey[]): Promise<Entitlement[]> {
  if (keys.length === 0) return []
  const { rows } = await client.query({
    name: 'bulk lock library rows',
    text: `SELECT ${columns} FROM unnest($1::uuid[], $2::uuid[], $3::platform[]) AS k (player_id, game_id, platform)
      JOIN player_game t ON t.player_id = k.player_id AND t.game_id = k.game_id AND t.platform = k.platform
      ORDER BY t.id FOR NO KEY UPDATE OF t`,
    values: [
      keys.map(({ playerId }) => playerId),
      keys.map(({ gameId }) => gameId),
      keys.map(({ platform }) => platform),
    ],
  })
  return rows.map(camelRow<Entitlement>)
}
