-- What the keys of callers have used of their quotas, by the processes of a deployment together. One row a key and policy; it says when
-- its window ends, and begins the next one where it is.
--
-- Unlogged: the numbers of a minute need not survive a crash of the server, which empties the table, and writing them costs no log. Half
-- of each page is left free, so that counting is a HOT update.
--
-- Locks: none that anybody can notice; the statement creates something new.
-- Why that is fine: nothing refers to the table yet. An older release counts for itself.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
CREATE UNLOGGED TABLE request_count (
  key_id      text NOT NULL,
  policy      text NOT NULL,
  count       integer NOT NULL,
  window_ends timestamptz(3) NOT NULL,
  PRIMARY KEY (key_id, policy)
) WITH (fillfactor = 50);
