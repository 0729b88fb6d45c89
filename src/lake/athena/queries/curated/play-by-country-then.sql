-- @title Play time by country at the time of play
-- @description Players and hours by the country in which the account was when the play was seen, and how many of them are elsewhere by now
-- @param min_players integer default=10 min=1 max=1000000 | Countries with fewer players are left out
WITH played AS (
  SELECT
    a.player_ref,
    a.seconds_played,
    coalesce(was.country, 'unknown') AS country_then,
    coalesce(CASE WHEN now.is_deleted THEN was.country ELSE now.country END, 'unknown') AS country_now
  FROM fact_daily_activity AS a
  JOIN dim_player AS was
    ON was.player_ref = a.player_ref
    AND was.valid_from <= a.observed_to
    AND (was.valid_to > a.observed_to OR was.valid_to IS NULL)
  JOIN dim_player AS now ON now.player_ref = a.player_ref AND now.is_current
)
SELECT
  country_then AS country,
  count(DISTINCT player_ref) AS players,
  round(sum(seconds_played) / 3600e0, 1) AS hours,
  count(DISTINCT CASE WHEN country_now <> country_then THEN player_ref END) AS elsewhere_now
FROM played
GROUP BY country_then
HAVING count(DISTINCT player_ref) >= :min_players
ORDER BY players DESC, country
