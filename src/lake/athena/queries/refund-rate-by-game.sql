-- @title Refund rate by game
-- @description Refunds and chargebacks among purchases, by game, worst first
-- @param min_purchases integer default=20 min=1 max=1000000 | Games with fewer purchases are left out
WITH bought AS (
  SELECT
    game_id,
    count(*) AS purchases,
    count_if(revoke_reason = 'refund') AS refunds,
    count_if(revoke_reason = 'chargeback') AS chargebacks
  FROM player_games_latest
  WHERE source = 'purchase'
  GROUP BY game_id
  HAVING count(*) >= :min_purchases
)
SELECT
  g.title,
  b.purchases,
  b.refunds,
  b.chargebacks,
  round(1e2 * (b.refunds + b.chargebacks) / b.purchases, 2) AS rate_percent
FROM bought AS b
JOIN games_latest AS g ON g.id = b.game_id
ORDER BY rate_percent DESC, b.purchases DESC, g.id
