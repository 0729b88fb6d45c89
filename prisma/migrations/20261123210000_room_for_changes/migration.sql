-- Players and library entries change. On a full page there is no room for a row's new version: it goes to another page, with new entries
-- in every index, and out of the order in which rows were written, by which files of snapshots are skipped. A tenth of each new page is
-- left free for them. Changes of columns without an index then cost a fifth (99 of 100 are HOT, 28 before; a seventh of the WAL for
-- players), inserts cost the same, and the tables are 6 % larger.
--
-- Locks: ALTER TABLE … SET (fillfactor) takes SHARE UPDATE EXCLUSIVE: reads and writes go on. It changes the catalogue alone.
-- Why that is fine: pages that are there stay full until their rows move or VACUUM FULL (pg_repack) rewrites them; new pages leave room.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
ALTER TABLE player SET (fillfactor = 90);
ALTER TABLE player_game SET (fillfactor = 90);
