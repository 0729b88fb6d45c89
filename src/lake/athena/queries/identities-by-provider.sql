-- @title Linked identities by provider
-- @description Live links to accounts elsewhere, verified ones, and players who link through that provider alone
WITH live AS (
  SELECT player_ref, provider, verified_at
  FROM player_identities_latest
  WHERE unlinked_at IS NULL
),
providers AS (
  SELECT player_ref, count(DISTINCT provider) AS providers
  FROM live
  GROUP BY player_ref
)
SELECT
  l.provider,
  count(*) AS identities,
  count_if(l.verified_at IS NOT NULL) AS verified,
  count(DISTINCT l.player_ref) AS players,
  count(DISTINCT CASE WHEN p.providers = 1 THEN l.player_ref END) AS players_with_this_alone
FROM live AS l
JOIN providers AS p ON p.player_ref = l.player_ref
GROUP BY l.provider
ORDER BY identities DESC, l.provider
