-- A request for a snapshot that is repeated under its Idempotency-Key finds the row that it made before. NULL once nobody took
-- the snapshot, so that a repeat may ask again.
--
-- Locks: ACCESS EXCLUSIVE on lake_snapshots for milliseconds.
-- Why that is fine: the table has a row a snapshot, and none is rewritten.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

ALTER TABLE lake_snapshots
  ADD COLUMN request_token text CONSTRAINT lake_snapshots_request_token_key UNIQUE;
