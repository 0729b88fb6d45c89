-- Nearly every event is of an API key. What people and the service itself did is found without walking along all of these.
--
-- Locks: CREATE INDEX takes SHARE on audit_event (reads go on, writes wait) and reads it once, about 1 s a million rows.
-- Why that is fine: it comes before the first release.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
CREATE INDEX audit_rare_actor ON audit_event (actor_type, seq) WITH (deduplicate_items = off) WHERE actor_type <> 'api_key';
