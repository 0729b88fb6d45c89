-- @title Play time per owned game and platform
-- @description Games and platforms with the most owners: how many of them played, and the hours of an owner and of one who played
-- @param top integer default=20 min=1 max=1000 | How many
WITH owned AS (
  SELECT
    game_id,
    platform,
    count(*) AS owners,
    count_if(playtime_seconds > 0) AS played,
    sum(playtime_seconds) AS seconds
  FROM fact_library
  WHERE is_owned
  GROUP BY game_id, platform
)
SELECT
  g.title,
  o.platform,
  o.owners,
  round(1e2 * o.played / o.owners, 2) AS played_percent,
  round(o.seconds / (3600e0 * o.owners), 1) AS hours_per_owner,
  round(o.seconds / (3600e0 * nullif(o.played, 0)), 1) AS hours_per_player
FROM owned AS o
JOIN dim_game AS g ON g.game_id = o.game_id AND g.is_current
ORDER BY o.owners DESC, o.game_id, o.platform
LIMIT :top
