-- A load of a million players spends its time in Postgres on what every row costs. The rules stay what they were, each for less:
--
-- - A row trigger BEFORE INSERT ran a function for every new row, only to set version to 1, and kept COPY from writing whole pages
--   at once. The column's default says 1; a writer who says something else is refused, by a condition that needs no function call.
-- - A text that has as many bytes as characters is ASCII, which every normal form leaves alone: most names and addresses need no
--   look into the tables of Unicode.
-- - Trigrams of new rows are kept in a list first and sorted into the index together; the more at once, the less each costs.
--   A search reads the list, too: 16 MB are some 40,000 new players, and autovacuum sorts them in before long.
--
-- Locks: ALTER TABLE and the triggers take ACCESS EXCLUSIVE on player (reads and writes wait) while its rows are checked once,
--   about 2 s a million; SHARE ROW EXCLUSIVE on player_identity and player_game for milliseconds; ALTER INDEX SHARE UPDATE EXCLUSIVE.
-- Why that is fine: it comes before the first release.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

CREATE FUNCTION refuse_other_first_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a new row of table "%" has the version 1', TG_TABLE_NAME
    USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME;
END $$;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['player', 'player_identity', 'player_game'] LOOP
    EXECUTE format('DROP TRIGGER touch ON %I', t);
    EXECUTE format(
      'CREATE TRIGGER touch BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION %I()',
      t, CASE t WHEN 'player_game' THEN 'touch_player_game' ELSE 'touch_row' END);
    EXECUTE format(
      'CREATE TRIGGER first_version AFTER INSERT ON %I FOR EACH ROW WHEN (NEW.version <> 1)
        EXECUTE FUNCTION refuse_other_first_version()', t);
  END LOOP;
END $$;

ALTER TABLE player
  DROP CONSTRAINT player_username_key_valid,
  DROP CONSTRAINT player_display_name_valid,
  DROP CONSTRAINT player_email_key_valid,
  ADD CONSTRAINT player_username_key_valid
    CHECK ((octet_length(username_key) = char_length(username_key) OR username_key IS NFKC NORMALIZED)
      AND username_key !~ '[A-Z[:space:][:cntrl:]]' AND char_length(username_key) BETWEEN 3 AND 96),
  ADD CONSTRAINT player_display_name_valid
    CHECK (char_length(display_name) BETWEEN 1 AND 64 AND octet_length(display_name) <= 256
      AND (octet_length(display_name) = char_length(display_name) OR display_name IS NFC NORMALIZED)
      AND display_name = btrim(display_name)),
  ADD CONSTRAINT player_email_key_valid
    CHECK ((octet_length(email_key) = char_length(email_key) OR email_key IS NFKC NORMALIZED)
      AND email_key !~ '[A-Z[:space:]]' AND octet_length(email_key) <= 254);

ALTER INDEX player_username_trgm SET (gin_pending_list_limit = 16384);
ALTER INDEX player_display_name_trgm SET (gin_pending_list_limit = 16384);

-- Only events that concern a studio are looked for by studio; most concern none.
DROP INDEX audit_studio;
CREATE INDEX audit_studio ON audit_event (studio_id, seq) WHERE studio_id IS NOT NULL;
