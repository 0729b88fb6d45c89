-- @title First-time, returned and churned players
-- @description Active players per week: who had never played, came back after a pause, or went on; and churned: whose last play of all became a pause that week
-- @param pause_days integer default=30 min=1 max=3650 | Days without play that make a pause
WITH active AS (
  SELECT
    date_trunc('week', activity_date) AS week,
    player_ref,
    min(activity_date) AS first_date,
    min(observed_from) AS observed_from
  FROM fact_daily_activity
  GROUP BY date_trunc('week', activity_date), player_ref
),
before AS (
  SELECT
    a.week,
    a.player_ref,
    coalesce(sum(h.playtime_seconds), 0) AS seconds_before,
    date_diff('day', CAST(max(h.last_played_at) AS date), max(a.first_date)) AS days_without
  FROM active AS a
  LEFT JOIN library_history AS h
    ON h.player_ref = a.player_ref
    AND h.valid_from <= a.observed_from
    AND (h.valid_to > a.observed_from OR h.valid_to IS NULL)
  GROUP BY a.week, a.player_ref
),
weeks AS (
  SELECT
    week,
    count(*) AS active_players,
    count_if(seconds_before = 0) AS first_time,
    count_if(seconds_before > 0 AND days_without >= :pause_days) AS returned,
    count_if(seconds_before > 0 AND days_without < :pause_days) AS went_on,
    count_if(seconds_before > 0 AND days_without IS NULL) AS not_known
  FROM before
  GROUP BY week
),
last_play AS (
  SELECT date_add('day', :pause_days, CAST(max(last_played_at) AS date)) AS churned_on
  FROM fact_library
  GROUP BY player_ref
),
churned AS (
  SELECT date_trunc('week', churned_on) AS week, count(*) AS players
  FROM last_play
  WHERE churned_on <= (SELECT CAST(last_taken_at AS date) FROM curated_runs)
  GROUP BY date_trunc('week', churned_on)
)
SELECT w.week, w.active_players, w.first_time, w.returned, w.went_on, w.not_known, coalesce(c.players, 0) AS churned
FROM weeks AS w
LEFT JOIN churned AS c ON c.week = w.week
ORDER BY w.week
