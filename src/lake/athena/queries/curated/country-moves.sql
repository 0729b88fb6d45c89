-- @title Players who changed country
-- @description Changes of country between two snapshots, from where to where, with the first and the last time that one was seen
-- @param min_players integer default=1 min=1 max=1000000 | Moves of fewer players are left out; give at least 10 for a report that others read
WITH versions AS (
  SELECT
    player_ref,
    country,
    valid_from,
    lag(country) OVER (PARTITION BY player_ref ORDER BY valid_from) AS former,
    lag(valid_from) OVER (PARTITION BY player_ref ORDER BY valid_from) AS former_from
  FROM dim_player
  WHERE NOT is_deleted
)
SELECT
  coalesce(former, 'unknown') AS from_country,
  coalesce(country, 'unknown') AS to_country,
  count(DISTINCT player_ref) AS players,
  min(valid_from) AS first_seen,
  max(valid_from) AS last_seen
FROM versions
WHERE former_from IS NOT NULL AND country IS DISTINCT FROM former
GROUP BY coalesce(former, 'unknown'), coalesce(country, 'unknown')
HAVING count(DISTINCT player_ref) >= :min_players
ORDER BY players DESC, from_country, to_country
