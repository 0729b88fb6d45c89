-- The audit trail is read in the order of time, and from any time on: a BRIN tells neither the order nor where it begins. Events are
-- written in the order of time, so its index grows at its end.
--
-- Who owns a game is asked by source and by platform. Both stand at the end of the indexes that give the order, so that the lines of
-- a popular game that are of another source are passed over in the index and not fetched. Lines that have ended are few; they have an
-- index of their own.
--
-- Locks: DROP INDEX takes ACCESS EXCLUSIVE on its table (reads and writes wait) until this file is done; CREATE INDEX reads the table
--   once, about 2 s a million rows each.
-- Why that is fine: it comes before the first release.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
DROP INDEX audit_occurred;
CREATE INDEX audit_occurred ON audit_event (occurred_at, seq) WITH (deduplicate_items = off);

DROP INDEX player_game_game_acquired;
DROP INDEX player_game_game_played;
CREATE INDEX player_game_game_acquired ON player_game (game_id, acquired_at, id, source, platform) WITH (deduplicate_items = off);
CREATE INDEX player_game_game_played ON player_game (game_id, last_played_at, id, source, platform) WITH (deduplicate_items = off);
CREATE INDEX player_game_game_ended ON player_game (game_id, acquired_at, id) WITH (deduplicate_items = off)
  WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL;
