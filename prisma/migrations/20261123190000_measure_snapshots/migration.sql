-- What a snapshot costs (time of each phase, parts, repeats, CPU, memory), and how many rows of a table are expected, so that its
-- progress can be shown.
--
-- Locks: ACCESS EXCLUSIVE on lake_snapshots and lake_snapshot_tables for milliseconds.
-- Why that is fine: columns without a default; a snapshot that runs waits for milliseconds with its next note of progress.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

ALTER TABLE lake_snapshots ADD COLUMN measurements jsonb;

ALTER TABLE lake_snapshot_tables
  ADD COLUMN estimated_rows bigint CONSTRAINT lake_snapshot_tables_estimated_rows_valid CHECK (estimated_rows >= 0);
