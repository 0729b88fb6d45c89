-- An invitation can be withdrawn: a member may leave without ever having joined.
--
-- Locks: CREATE OR REPLACE TRIGGER takes SHARE ROW EXCLUSIVE on studio_membership (reads go on, writes wait) for milliseconds.
-- Why that is fine: no row is read or rewritten.
-- Recovery: after a failure nothing of it is there; mark the failed row of _prisma_migrations as rolled back and run the
--   migration again.
CREATE OR REPLACE TRIGGER a_transition BEFORE UPDATE ON studio_membership FOR EACH ROW EXECUTE FUNCTION check_transition(
  'membership_transition',
  'invited>active', 'invited>left', 'active>left', 'left>invited');
