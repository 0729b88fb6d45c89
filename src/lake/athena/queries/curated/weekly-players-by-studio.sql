-- @title Weekly active players by studio
-- @description Distinct players and hours played per week (from Monday, UTC) and studio, as far as neighbouring snapshots show play
-- @param min_players integer default=10 min=1 max=1000000 | Studios with fewer players in the week are left out
SELECT
  date_trunc('week', a.activity_date) AS week,
  s.name AS studio,
  count(DISTINCT a.player_ref) AS active_players,
  round(sum(a.seconds_played) / 3600e0, 1) AS hours
FROM fact_daily_activity AS a
JOIN dim_studio AS s ON s.studio_id = a.studio_id AND s.is_current
GROUP BY date_trunc('week', a.activity_date), s.studio_id, s.name
HAVING count(DISTINCT a.player_ref) >= :min_players
ORDER BY week, active_players DESC, s.studio_id
