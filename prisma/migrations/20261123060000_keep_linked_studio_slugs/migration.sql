-- A studio keeps its slug while accounts of players are linked under it: there the slug is the namespace, and a new one would
-- leave them under a name that nobody has, or that another studio takes.
--
-- Locks: CREATE TRIGGER takes SHARE ROW EXCLUSIVE on studio (reads go on, writes wait) for milliseconds.
-- Why that is fine: no row is read or rewritten.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

-- The row is locked before its trigger runs, so whoever links an account and holds the studio meanwhile is seen here, or waits
-- and finds no studio with the old slug.
CREATE FUNCTION check_studio_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM player_identity i
    WHERE i.provider = 'studio' AND i.namespace = OLD.slug AND i.subject IS NOT NULL) THEN
    RAISE EXCEPTION '"studio_slug_linked" refuses another slug while accounts are linked under this one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'studio_slug_linked', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER b_slug_linked BEFORE UPDATE OF slug ON studio
  FOR EACH ROW WHEN (NEW.slug IS DISTINCT FROM OLD.slug)
  EXECUTE FUNCTION check_studio_slug();
