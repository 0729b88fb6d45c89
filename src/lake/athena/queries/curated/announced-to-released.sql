-- @title From announced to released
-- @description Games that were seen announced, when they were released, and the days between; for those that wait, the days so far
WITH steps AS (
  SELECT
    game_id,
    min(CASE WHEN status = 'announced' THEN status_changed_at END) AS announced_at,
    min(CASE WHEN status = 'released' THEN status_changed_at END) AS released_at
  FROM dim_game
  GROUP BY game_id
)
SELECT
  g.title,
  s.name AS studio,
  g.status,
  t.announced_at,
  t.released_at,
  greatest(0, date_diff('day', t.announced_at, coalesce(t.released_at, c.last_taken_at))) AS days
FROM steps AS t
JOIN dim_game AS g ON g.game_id = t.game_id AND g.is_current
JOIN dim_studio AS s ON s.studio_id = g.studio_id AND s.is_current
CROSS JOIN curated_runs AS c
WHERE t.announced_at IS NOT NULL AND (t.released_at >= t.announced_at OR t.released_at IS NULL)
ORDER BY t.released_at NULLS LAST, t.announced_at, g.game_id
