-- The audit trail is asked by action, and by time. Events are written in the order of time but for what is open at once, so a
-- BRIN of a few pages finds a day among years; it costs the writers next to nothing.
--
-- Locks: CREATE INDEX takes SHARE on audit_event (reads go on, writes wait) and reads it twice, about 1 s a million rows.
-- Why that is fine: it comes before the first release.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
CREATE INDEX audit_action ON audit_event (action, seq);
CREATE INDEX audit_occurred ON audit_event USING brin (occurred_at);
