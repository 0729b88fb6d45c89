-- @title Registrations per day
-- @description New player accounts by day (UTC) over the last days before the snapshot; days without any are absent
-- @param days integer default=30 min=1 max=3650 | Days before the snapshot
SELECT
  CAST(created_at AS date) AS day,
  count(*) AS registrations,
  count_if(email_verified) AS with_verified_email
FROM players_latest
WHERE created_at >= date_add('day', -1 * :days, CAST(snapshot_date AS date))
GROUP BY CAST(created_at AS date)
ORDER BY day
