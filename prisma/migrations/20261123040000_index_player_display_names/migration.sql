-- Search by display name: without this index a search over both names of a player reads every row.
--
-- Locks: CREATE INDEX takes SHARE on player: reads go on, writes wait while it reads the table once.
-- Why that is fine: it comes before the first release, so the table is small. Not CONCURRENTLY: a migration is one
--   transaction.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
CREATE INDEX player_display_name_trgm ON player USING gin (display_name gin_trgm_ops);
