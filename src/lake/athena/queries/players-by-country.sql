-- @title Players per country
-- @description Player accounts and their share by country, largest first; small countries are left out
-- @param min_players integer default=5 min=1 max=1000000 | Countries with fewer players are left out
SELECT
  coalesce(country, 'unknown') AS country,
  count(*) AS players,
  count_if(status = 'active') AS active,
  round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS share_percent
FROM players_latest
WHERE status <> 'erased'
GROUP BY coalesce(country, 'unknown')
HAVING count(*) >= :min_players
ORDER BY players DESC, country
