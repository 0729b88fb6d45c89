-- Which key took the place of a key that was rotated: a key is rotated once, and operators see the chain.
--
-- Locks: ALTER TABLE takes ACCESS EXCLUSIVE on api_key (every request waits for it) for a moment; the table has few rows.
-- Why that is fine: it comes before the first release, and the moment is that of a few rows.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
ALTER TABLE api_key
  ADD COLUMN replaced_by text
    CONSTRAINT api_key_replaced_by_fkey REFERENCES api_key (id) ON DELETE RESTRICT;
CREATE INDEX api_key_created ON api_key (created_at, id);
