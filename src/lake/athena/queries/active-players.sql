-- @title Active players
-- @description Players who played in the last days before the snapshot, by platform
-- @param days integer default=30 min=1 max=3650 | Days before the snapshot
SELECT
  platform,
  count(DISTINCT player_ref) AS players,
  count(DISTINCT game_id) AS games
FROM player_games_latest
WHERE last_played_at >= date_add('day', -1 * :days, CAST(snapshot_date AS date))
GROUP BY platform
ORDER BY players DESC, platform
