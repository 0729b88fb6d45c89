-- @title Players per country
-- @description Player accounts and their share of all by country, largest first; small countries are left out
-- @param min_players integer default=5 min=1 max=1000000 | Countries with fewer players are left out
WITH countries AS (
  SELECT
    coalesce(country, 'unknown') AS country,
    count(*) AS players,
    count_if(status = 'active') AS active
  FROM players_latest
  WHERE status <> 'erased'
  GROUP BY coalesce(country, 'unknown')
),
shares AS (
  SELECT country, players, active, round(1e2 * players / sum(players) OVER (), 2) AS share_percent
  FROM countries
)
SELECT country, players, active, share_percent
FROM shares
WHERE players >= :min_players
ORDER BY players DESC, country
