-- @title Retention curve
-- @description How many players played so many weeks after they registered, or later, of all registration weeks that have had the time
-- @param weeks integer default=52 min=1 max=520 | Weeks after registration
-- @param since date default=2000-01-01 | First day of registration
WITH last_play AS (
  SELECT player_ref, max(last_played_at) AS last_played_at
  FROM fact_library
  GROUP BY player_ref
),
registered AS (
  SELECT
    date_trunc('week', CAST(p.created_at AS date)) AS registration_week,
    date_diff('day', CAST(p.created_at AS date), CAST(l.last_played_at AS date)) / 7 AS last_week,
    count(*) AS players
  FROM dim_player AS p
  LEFT JOIN last_play AS l ON l.player_ref = p.player_ref
  WHERE p.is_current AND p.status <> 'erased' AND p.created_at >= :since
  GROUP BY 1, 2
)
SELECT
  w.week AS weeks_after_registration,
  sum(r.players) AS players,
  coalesce(sum(CASE WHEN r.last_week >= w.week THEN r.players END), 0) AS played_then_or_later,
  round(1e2 * coalesce(sum(CASE WHEN r.last_week >= w.week THEN r.players END), 0) / sum(r.players), 2) AS percent
FROM registered AS r
CROSS JOIN curated_runs AS c
CROSS JOIN UNNEST(sequence(0, :weeks)) AS w (week)
WHERE date_add('day', 7 * (w.week + 2), r.registration_week) <= CAST(c.last_taken_at AS date)
GROUP BY w.week
ORDER BY w.week
