-- Players of a game by last play, latest first, page by page: the list runs downwards by id among equal times, and so must the
-- index. The other way round every page of the players who never played sorted all of them.
--
-- Locks: DROP INDEX takes ACCESS EXCLUSIVE on player_game (reads and writes wait) until this file is done; CREATE INDEX reads
--   the table, about 2 s a million rows.
-- Why that is fine: player_game is empty in every deployment that runs this, it comes before the first release.
-- Recovery: after a failure the old index is still there; mark the failed row of _prisma_migrations as rolled back and run the
--   migration again.
DROP INDEX player_game_game_played;
CREATE INDEX player_game_game_played ON player_game (game_id, last_played_at DESC NULLS LAST, id DESC);
