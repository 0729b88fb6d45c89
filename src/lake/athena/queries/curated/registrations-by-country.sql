-- @title Registrations by country, small cells hidden
-- @description New accounts by country (ZZ: not known) over the last days with any: at least and at most so many, as days with few are hidden
-- @param days integer default=365 min=1 max=3650 | Days
WITH newest AS (
  SELECT max(registration_date) AS registration_date
  FROM agg_registrations_daily
)
SELECT
  r.country,
  count(*) AS days,
  count_if(r.registrations IS NULL) AS hidden_days,
  coalesce(sum(r.registrations), 0) + count_if(r.registrations IS NULL) AS at_least,
  coalesce(sum(r.registrations), 0) + count_if(r.registrations IS NULL) * (max(c.small_cell) - 1) AS at_most
FROM agg_registrations_daily AS r
CROSS JOIN newest AS n
CROSS JOIN curated_runs AS c
WHERE r.registration_date > date_add('day', -1 * :days, n.registration_date)
GROUP BY r.country
ORDER BY at_least DESC, r.country
