-- @title Refund rate by source over time
-- @description Library entries by the month in which they were acquired and how, and the share that was refunded or charged back since
-- @param min_entries integer default=20 min=1 max=1000000 | Cells with fewer entries are left out
SELECT
  date_trunc('month', CAST(acquired_at AS date)) AS month,
  source,
  count(*) AS entries,
  count_if(revoke_reason IN ('refund', 'chargeback')) AS taken_back,
  round(1e2 * count_if(revoke_reason IN ('refund', 'chargeback')) / count(*), 2) AS percent
FROM fact_library
GROUP BY date_trunc('month', CAST(acquired_at AS date)), source
HAVING count(*) >= :min_entries
ORDER BY month, source
