-- Every sort of a list has an index. A list reads values and NULLs as two ranges, so one plain index serves a sort in both
-- directions, and the index on last plays needs no order of its own any more.
--
-- Locks: DROP INDEX takes ACCESS EXCLUSIVE on player_game (reads and writes wait) until this file is done; CREATE INDEX takes SHARE
--   on its table (reads go on, writes wait) and reads it once, about 2 s a million rows.
-- Why that is fine: it comes before the first release; studios, owners and games are few in any case.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
DROP INDEX player_game_game_played;
CREATE INDEX player_game_game_played ON player_game (game_id, last_played_at, id);

CREATE INDEX studio_created ON studio (created_at, id);
CREATE INDEX studio_updated ON studio (updated_at, id);
CREATE INDEX studio_name ON studio (name, id);
CREATE INDEX studio_country ON studio (country, id);

CREATE INDEX studio_owner_created ON studio_owner (created_at, id);
CREATE INDEX studio_owner_updated ON studio_owner (updated_at, id);
CREATE INDEX studio_owner_name ON studio_owner (full_name, id);
CREATE INDEX studio_owner_country ON studio_owner (country, id);

CREATE INDEX game_created ON game (created_at, id);
CREATE INDEX game_updated ON game (updated_at, id);
CREATE INDEX game_title ON game (title, id);
CREATE INDEX game_release ON game (release_date, id);
