-- @title New owners and active players by studio
-- @description Per studio over the last days: new owners and entries that are shown, active players on an average day, and days on which something is hidden
-- @param days integer default=30 min=1 max=3650 | Days before the newest one
WITH newest AS (
  SELECT max(activity_date) AS activity_date
  FROM agg_studio_daily
)
SELECT
  s.name AS studio,
  count(*) AS days,
  count_if(a.is_suppressed) AS hidden_days,
  sum(a.new_entries) AS new_entries,
  sum(a.new_owners) AS new_owners,
  round(avg(CASE WHEN a.active_players > 0 THEN a.active_players END), 1) AS players_per_active_day,
  round(sum(a.seconds_played) / 3600e0, 1) AS hours
FROM agg_studio_daily AS a
CROSS JOIN newest AS n
JOIN dim_studio AS s ON s.studio_id = a.studio_id AND s.is_current
WHERE a.activity_date > date_add('day', -1 * :days, n.activity_date)
GROUP BY s.studio_id, s.name
ORDER BY hours DESC NULLS LAST, s.studio_id
