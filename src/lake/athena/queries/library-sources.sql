-- @title How games are acquired
-- @description Library entries by source: purchase, key, gift, and so on
SELECT
  source,
  count(*) AS entries,
  count(DISTINCT player_ref) AS players,
  count_if(revoked_at IS NOT NULL) AS revoked,
  round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS share_percent
FROM player_games_latest
GROUP BY source
ORDER BY entries DESC, source
