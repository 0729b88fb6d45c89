-- @title Top games by play time
-- @description Games with the most hours played, with players and hours per player
-- @param top integer default=20 min=1 max=1000 | How many games
WITH played AS (
  SELECT game_id, count(DISTINCT player_ref) AS players, sum(playtime_seconds) AS seconds
  FROM player_games_latest
  WHERE playtime_seconds > 0
  GROUP BY game_id
)
SELECT
  g.title,
  s.name AS studio,
  g.status,
  p.players,
  round(p.seconds / 3600e0, 1) AS hours,
  round(p.seconds / 3600e0 / p.players, 1) AS hours_per_player
FROM played AS p
JOIN games_latest AS g ON g.id = p.game_id
JOIN studios_latest AS s ON s.id = g.studio_id
ORDER BY p.seconds DESC, g.id
LIMIT :top
