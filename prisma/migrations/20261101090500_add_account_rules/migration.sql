-- What a CHECK cannot say: versions, lifecycles, the last owner, and that nothing is deleted.
--
-- Locks: CREATE TRIGGER takes SHARE ROW EXCLUSIVE on each table (reads go on, writes wait) until this file is done.
-- Why that is fine: it is a matter of milliseconds, no row is read or rewritten.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.
--
-- A message begins with the name of the constraint in double quotes, as PostgreSQL's own do: the driver adapter passes on
-- the text and not the constraint field, and the error answer is chosen by that name.
-- Triggers of one event fire in the order of their names: a_ and b_ run before touch, which must see the final row.

-- `version` and `updated_at` belong to the database. An update that changes nothing keeps both: that is what lets a
-- repeated import answer "unchanged".
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    RETURN NEW;
  END IF;
  NEW.version := OLD.version;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := OLD.updated_at;
  IF NEW IS DISTINCT FROM OLD THEN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$;

-- A playtime report changes `updated_at` and not `version`: it must not make another editor's If-Match fail.
CREATE FUNCTION touch_player_game() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  edited player_game;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    RETURN NEW;
  END IF;
  NEW.version := OLD.version;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := OLD.updated_at;
  IF NEW IS DISTINCT FROM OLD THEN
    edited := NEW;
    edited.playtime_seconds := OLD.playtime_seconds;
    edited.first_played_at := OLD.first_played_at;
    edited.last_played_at := OLD.last_played_at;
    IF edited IS DISTINCT FROM OLD THEN
      NEW.version := OLD.version + 1;
    END IF;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$;

-- Not restrict_violation: PostgreSQL 18 reports ON DELETE RESTRICT with that code, and it would look like a foreign key.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table "%" refuses %', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME;
END $$;

CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON studio FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON studio_owner FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON studio_membership FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON game FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON game_platform FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON player FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON player_identity FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON player_game FOR EACH ROW EXECUTE FUNCTION touch_player_game();

-- TRUNCATE fires no row trigger, so it is refused by itself. game_platform is not in the list of rows that stay: a
-- platform that nobody owns the game on may be removed, one by one.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY[
    'studio', 'studio_owner', 'studio_membership', 'game', 'player', 'player_identity', 'player_game'] LOOP
    EXECUTE format('CREATE TRIGGER no_delete BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY[
    'studio', 'studio_owner', 'studio_membership', 'game', 'game_platform', 'player', 'player_identity', 'player_game',
    'audit_event'] LOOP
    EXECUTE format(
      'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Lifecycles. Arguments: the name to report, then every allowed step. A row may be inserted in any state.
CREATE FUNCTION check_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status IS DISTINCT FROM OLD.status
    AND NOT (OLD.status::text || '>' || NEW.status::text = ANY (TG_ARGV[1:])) THEN
    RAISE EXCEPTION '"%" refuses % -> %', TG_ARGV[0], OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER a_transition BEFORE UPDATE ON studio FOR EACH ROW EXECUTE FUNCTION check_transition(
  'studio_transition',
  'prospect>in_review', 'prospect>rejected', 'prospect>closed',
  'in_review>active', 'in_review>rejected', 'in_review>prospect',
  'active>suspended', 'active>closed',
  'suspended>active', 'suspended>closed',
  'rejected>prospect');

CREATE TRIGGER a_transition BEFORE UPDATE ON studio_owner FOR EACH ROW EXECUTE FUNCTION check_transition(
  'owner_transition',
  'active>disabled', 'active>erased',
  'disabled>active', 'disabled>erased');

CREATE TRIGGER a_transition BEFORE UPDATE ON studio_membership FOR EACH ROW EXECUTE FUNCTION check_transition(
  'membership_transition',
  'invited>active', 'active>left', 'left>invited');

CREATE TRIGGER a_transition BEFORE UPDATE ON game FOR EACH ROW EXECUTE FUNCTION check_transition(
  'game_transition',
  'draft>submitted', 'draft>withdrawn',
  'submitted>in_review', 'submitted>withdrawn',
  'in_review>changes_requested', 'in_review>approved', 'in_review>rejected',
  'changes_requested>submitted', 'changes_requested>withdrawn',
  'approved>announced', 'approved>cancelled',
  'announced>early_access', 'announced>released', 'announced>cancelled',
  'early_access>released', 'early_access>delisted',
  'released>delisted',
  'delisted>released', 'delisted>retired',
  'rejected>draft', 'withdrawn>draft');

CREATE TRIGGER a_transition BEFORE UPDATE ON player FOR EACH ROW EXECUTE FUNCTION check_transition(
  'player_transition',
  'active>closed', 'active>erasure_pending',
  'closed>active', 'closed>erasure_pending',
  'erasure_pending>active', 'erasure_pending>closed', 'erasure_pending>erased');

-- An erased row is the last word about a person. Argument: the name to report.
CREATE FUNCTION check_erased_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'erased' AND NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION '"%" refuses every change of an erased row', TG_ARGV[0]
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER b_erased_is_final BEFORE UPDATE ON player
  FOR EACH ROW EXECUTE FUNCTION check_erased_is_final('player_erased_is_final');
CREATE TRIGGER b_erased_is_final BEFORE UPDATE ON studio_owner
  FOR EACH ROW EXECUTE FUNCTION check_erased_is_final('owner_erased_is_final');

CREATE FUNCTION stamp_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.status_changed_at := CASE WHEN NEW.status IS DISTINCT FROM OLD.status THEN now() ELSE OLD.status_changed_at END;
  RETURN NEW;
END $$;
CREATE TRIGGER b_status_changed BEFORE UPDATE ON studio FOR EACH ROW EXECUTE FUNCTION stamp_status_change();
CREATE TRIGGER b_status_changed BEFORE UPDATE ON game FOR EACH ROW EXECUTE FUNCTION stamp_status_change();

-- An active or suspended studio has at least one active owner. Checked at commit, so that one transaction may bring a
-- studio and its owner, or swap owners, in any order.
--
-- What keeps two transactions from passing each other:
-- - Every check locks the studio's row, so two owners who leave at the same moment are judged one after the other. Under
--   REPEATABLE READ a lock is not enough, the second would still see the first's membership; there the row is written
--   (unchanged), and the second fails with a serialization error.
-- - The owner who is found is locked FOR SHARE: somebody who is being disabled elsewhere cannot count here. That is also
--   why a mere INSERT of a membership needs no check.
CREATE FUNCTION check_studio_has_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  concerned uuid[];
  each_id uuid;
  current_status studio_status;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'studio' THEN
      concerned := ARRAY[NEW.id];
    WHEN 'studio_membership' THEN
      concerned := ARRAY(SELECT DISTINCT u.id FROM unnest(ARRAY[OLD.studio_id, NEW.studio_id]) AS u (id) ORDER BY 1);
    ELSE
      concerned := ARRAY(
        SELECT m.studio_id FROM studio_membership m
        WHERE m.owner_id = NEW.id AND m.role = 'owner' AND m.status = 'active' ORDER BY 1);
  END CASE;
  FOREACH each_id IN ARRAY concerned LOOP
    IF current_setting('transaction_isolation') = 'read committed' THEN
      SELECT s.status INTO current_status FROM studio s WHERE s.id = each_id FOR NO KEY UPDATE;
    ELSE
      UPDATE studio s SET name = s.name WHERE s.id = each_id RETURNING s.status INTO current_status;
    END IF;
    CONTINUE WHEN current_status NOT IN ('active', 'suspended');
    PERFORM 1 FROM studio_membership m JOIN studio_owner o ON o.id = m.owner_id
      WHERE m.studio_id = each_id AND m.role = 'owner' AND m.status = 'active' AND o.status = 'active'
      LIMIT 1 FOR SHARE OF o;
    IF NOT FOUND THEN
      RAISE EXCEPTION '"studio_has_owner" refuses an active or suspended studio without an active owner'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'studio_has_owner', TABLE = TG_TABLE_NAME;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER has_owner AFTER INSERT OR UPDATE OF status ON studio
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status IN ('active', 'suspended'))
  EXECUTE FUNCTION check_studio_has_owner();
CREATE CONSTRAINT TRIGGER has_owner AFTER UPDATE ON studio_membership
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.role = 'owner' AND OLD.status = 'active')
  EXECUTE FUNCTION check_studio_has_owner();
CREATE CONSTRAINT TRIGGER has_owner AFTER UPDATE OF status ON studio_owner
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.status = 'active' AND NEW.status <> 'active')
  EXECUTE FUNCTION check_studio_has_owner();
