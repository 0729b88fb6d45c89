/**
 * Changes of every kind that a curated table must tell apart, to a share of whatever records there are: accounts erased, closed, moved,
 * verified and gone; studios renamed; games moved on and handed over; library entries played, corrected, revoked, given to another
 * player, gone and new. Written past the rules of the API (nothing else deletes), as a restored backup or a repair by hand would.
 */
const pick = (id: string, salt: string, among: number) =>
  `('x' || substr(md5('${salt}' || ${id}::text), 1, 7))::bit(28)::int % ${among} = 0`

/** @param round another one touches other records. */
export function livedChanges(round: number): string {
  const of = (what: string, among: number, id = 'id') => pick(id, `${what}-${round}`, among)
  return `
  SET session_replication_role = replica;
  SET TIME ZONE 'UTC';
  UPDATE player SET country = CASE WHEN country = 'SE' THEN NULL ELSE 'SE' END WHERE ${of('move', 300)} AND status = 'active';
  UPDATE player SET email_verified_at = CASE WHEN email_verified_at IS NULL THEN now() END
   WHERE ${of('verify', 400)} AND email IS NOT NULL AND status = 'active';
  UPDATE player SET status = 'closed', closed_at = now() WHERE ${of('close', 500)} AND status = 'active';
  UPDATE player SET status = 'active', closed_at = NULL WHERE ${of('reopen', 20)} AND status = 'closed';
  UPDATE player SET status = 'erased', erased_at = now(), closed_at = now(), display_name = NULL, email = NULL, email_key = NULL,
    email_verified_at = NULL, birth_date = NULL, country = NULL, locale = NULL,
    username = 'erased-' || substr(replace(id::text, '-', ''), 8, 25), username_key = 'erased-' || substr(replace(id::text, '-', ''), 8, 25)
   WHERE ${of('erase', 700)} AND status <> 'erased';
  CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT id FROM player WHERE ${of('gone', 1500)};
  DELETE FROM player_identity WHERE player_id IN (SELECT id FROM gone);
  DELETE FROM player_game WHERE player_id IN (SELECT id FROM gone);
  DELETE FROM player WHERE id IN (SELECT id FROM gone);
  UPDATE studio SET name = name || ' ${round}' WHERE ${of('rename', 9)};
  UPDATE game SET status = 'released', status_changed_at = now(), release_date = current_date, release_precision = 'day', min_age = 12
   WHERE ${of('release', 4)} AND status = 'announced' AND cardinality(genres) > 0
     AND studio_id IN (SELECT id FROM studio WHERE status = 'active');
  UPDATE game SET studio_id = (SELECT min(id::text)::uuid FROM studio WHERE status = 'active') WHERE ${of('transfer', 40)};
  UPDATE player_game SET playtime_seconds = playtime_seconds + 1800, last_played_at = now(), first_played_at = least(first_played_at, now())
   WHERE ${of('play', 30)};
  UPDATE player_game SET playtime_seconds = playtime_seconds + 600 WHERE ${of('report', 90)};
  UPDATE player_game SET playtime_seconds = playtime_seconds / 2 WHERE ${of('correct', 400)} AND playtime_seconds > 0;
  UPDATE player_game SET revoked_at = now(), revoke_reason = 'refund' WHERE ${of('refund', 300)} AND revoked_at IS NULL;
  UPDATE player_game SET revoked_at = NULL, revoke_reason = NULL WHERE ${of('unrevoke', 30)} AND revoked_at IS NOT NULL;
  DELETE FROM player_game WHERE ${of('taken', 900)};
  UPDATE player_game AS given SET player_id = other.id, playtime_seconds = playtime_seconds + 60, last_played_at = now(),
    first_played_at = CASE WHEN ${of('anew', 2, 'given.id')} THEN now() ELSE first_played_at END
    FROM (SELECT lead(id) OVER (ORDER BY id) AS id, id AS before FROM player) AS other
   WHERE other.before = given.player_id AND ${of('give', 200, 'given.id')}
     AND NOT EXISTS (SELECT FROM player_game o WHERE o.player_id = other.id AND o.game_id = given.game_id AND o.platform = given.platform);
  INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at, playtime_seconds, first_played_at, last_played_at)
  SELECT gen_random_uuid(), p.id, g.game_id, g.platform, 'purchase', now() - interval '1 minute',
         CASE WHEN p.k % 3 = 0 THEN 0 ELSE 900 END,
         CASE p.k % 3 WHEN 1 THEN now() WHEN 2 THEN now() - interval '400 days' END,
         CASE WHEN p.k % 3 > 0 THEN now() END
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS k FROM player WHERE ${of('buy', 100)} AND status = 'active') p,
         LATERAL (SELECT game_id, platform FROM game_platform ORDER BY md5(game_id::text || p.id::text) LIMIT 1) g
  ON CONFLICT DO NOTHING`
}

/** All of a round or nothing. */
export const livedRound = (round: number) => `BEGIN; ${livedChanges(round)}; COMMIT; RESET session_replication_role`
