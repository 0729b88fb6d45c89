-- Indexes whose last column is unique hold no two equal entries. Postgres looks for some whenever a page is full, and finds none:
-- a fortieth of what a new player costs.
--
-- Locks: ALTER INDEX takes SHARE UPDATE EXCLUSIVE on each index for a moment: reads and writes go on.
-- Why that is fine: no row is read or rewritten.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
ALTER INDEX player_created SET (deduplicate_items = off);
ALTER INDEX player_status_created SET (deduplicate_items = off);
ALTER INDEX player_country SET (deduplicate_items = off);
ALTER INDEX audit_entity SET (deduplicate_items = off);
ALTER INDEX audit_actor SET (deduplicate_items = off);
ALTER INDEX audit_action SET (deduplicate_items = off);
ALTER INDEX audit_studio SET (deduplicate_items = off);
