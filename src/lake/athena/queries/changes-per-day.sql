-- @title Changes per day
-- @description What was changed in the accounts, by day (UTC), kind of record and action, since a day
-- @param since date default=2000-01-01 | First day
SELECT
  CAST(occurred_at AS date) AS day,
  entity_type,
  action,
  count(*) AS changes
FROM audit_events_latest
WHERE occurred_at >= :since
GROUP BY CAST(occurred_at AS date), entity_type, action
ORDER BY day, entity_type, action
