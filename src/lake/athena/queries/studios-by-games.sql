-- @title Studios by games and players
-- @description Studios with their games, released games, and distinct players; studios without games included
-- @param country string default=all min=2 max=3 | Two letters of a country, or all
WITH reach AS (
  SELECT g.studio_id, count(DISTINCT l.player_ref) AS players
  FROM player_games_latest AS l
  JOIN games_latest AS g ON g.id = l.game_id
  WHERE l.revoked_at IS NULL
  GROUP BY g.studio_id
),
catalogue AS (
  SELECT studio_id, count(*) AS games, count_if(status IN ('released', 'early_access')) AS released
  FROM games_latest
  GROUP BY studio_id
)
SELECT
  s.name AS studio,
  s.country,
  s.status,
  coalesce(c.games, 0) AS games,
  coalesce(c.released, 0) AS released,
  coalesce(r.players, 0) AS players
FROM studios_latest AS s
LEFT JOIN catalogue AS c ON c.studio_id = s.id
LEFT JOIN reach AS r ON r.studio_id = s.id
WHERE upper(:country) IN ('ALL', s.country)
ORDER BY players DESC, games DESC, s.id
