-- @title Retention curve
-- @description How many players played so many weeks after they registered, or later: the same players at each week, who all registered long enough ago for the whole curve
-- @param weeks integer default=52 min=1 max=520 | Weeks after registration
-- @param more_weeks integer default=13 min=0 max=520 | Weeks that every player has had beyond them, so that a pause at the end is not taken for the end
-- @param since date default=2000-01-01 | First day of registration
WITH last_play AS (
  SELECT player_ref, max(last_played_at) AS last_played_at
  FROM fact_library
  GROUP BY player_ref
),
registered AS (
  SELECT
    date_diff('day', CAST(p.created_at AS date), CAST(l.last_played_at AS date)) AS last_day,
    count(*) AS players
  FROM dim_player AS p
  CROSS JOIN curated_runs AS c
  LEFT JOIN last_play AS l ON l.player_ref = p.player_ref
  WHERE p.is_current
    AND p.status <> 'erased'
    AND p.created_at >= :since
    AND date_add('day', 7 * (:weeks + 1 + :more_weeks), CAST(p.created_at AS date)) <= CAST(c.last_taken_at AS date)
  GROUP BY 1
)
SELECT
  w.week AS weeks_after_registration,
  sum(r.players) AS players,
  coalesce(sum(CASE WHEN r.last_day >= 7 * w.week THEN r.players END), 0) AS played_then_or_later,
  round(1e2 * coalesce(sum(CASE WHEN r.last_day >= 7 * w.week THEN r.players END), 0) / sum(r.players), 2) AS percent
FROM registered AS r
CROSS JOIN UNNEST(sequence(0, :weeks)) AS w (week)
GROUP BY w.week
ORDER BY w.week
