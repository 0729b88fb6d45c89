-- @title Platform mix
-- @description Library entries, players and hours by platform
SELECT
  platform,
  count(*) AS entries,
  count(DISTINCT player_ref) AS players,
  count(DISTINCT game_id) AS games,
  round(sum(playtime_seconds) / 3600e0, 1) AS hours
FROM player_games_latest
WHERE revoked_at IS NULL
GROUP BY platform
ORDER BY entries DESC, platform
