-- @title Retention by month of registration
-- @description For players who registered in a month: how many still played 7, 30 and 90 days later or after; the latest months have not had that time yet
-- @param months integer default=12 min=1 max=120 | Months before that of the snapshot
WITH last_play AS (
  SELECT player_ref, max(last_played_at) AS last_played_at
  FROM player_games_latest
  WHERE last_played_at IS NOT NULL
  GROUP BY player_ref
)
SELECT
  date_trunc('month', CAST(p.created_at AS date)) AS cohort,
  count(*) AS players,
  count_if(l.last_played_at IS NOT NULL) AS ever_played,
  count_if(date_diff('day', p.created_at, l.last_played_at) >= 7) AS after_7_days,
  count_if(date_diff('day', p.created_at, l.last_played_at) >= 30) AS after_30_days,
  count_if(date_diff('day', p.created_at, l.last_played_at) >= 90) AS after_90_days
FROM players_latest AS p
LEFT JOIN last_play AS l ON l.player_ref = p.player_ref
WHERE p.created_at >= date_add('month', -1 * :months, date_trunc('month', CAST(p.snapshot_date AS date)))
GROUP BY date_trunc('month', CAST(p.created_at AS date))
ORDER BY cohort
