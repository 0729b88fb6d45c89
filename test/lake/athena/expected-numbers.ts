/** Accounts of all kinds, many near the borders that the saved queries draw. The same at each run but for the day. */
export const NUMBERS_SEED = `
SET session_replication_role = replica;
SELECT setseed(0.42);
INSERT INTO studio (id, slug, name, status, country)
SELECT md5('s' || n)::uuid, 's-' || n, 'Studio ' || n, (ARRAY['prospect', 'active'])[1 + n % 2]::studio_status,
       (ARRAY['DE', 'FR', NULL, 'US'])[1 + n % 4] FROM generate_series(1, 12) n;
INSERT INTO game (id, studio_id, slug, title, status, genres, min_age, release_date, release_precision)
SELECT md5('g' || n)::uuid, md5('s' || 1 + n % 9)::uuid, 'g-' || n, 'Game ' || n,
       (ARRAY['draft', 'released', 'early_access', 'retired'])[1 + n % 4]::game_status, '{rpg}', 12, '2020-01-01', 'day'
  FROM generate_series(1, 40) n;
INSERT INTO player (id, username, username_key, email, email_key, email_verified_at, country, status, closed_at, created_at)
SELECT md5('p' || n)::uuid, 'player' || n, 'player' || n, 'p' || n || '@example.com', 'p' || n || '@example.com',
       CASE WHEN n % 3 = 0 THEN now() END,
       CASE WHEN n % 11 > 0 THEN (ARRAY['DE', 'US', 'FR', 'JP', 'BR'])[1 + (random() * 4)::int] END,
       (CASE WHEN n % 17 = 0 THEN 'closed' ELSE 'active' END)::player_status, CASE WHEN n % 17 = 0 THEN now() END,
       date_trunc('day', now()) - random() * interval '500 days' FROM generate_series(1, 3000) n;
INSERT INTO player (id, username, username_key, country, status, created_at)
SELECT md5('few' || n)::uuid, 'few' || n, 'few' || n, 'IS', 'active', date_trunc('day', now()) - n * interval '1 day'
  FROM generate_series(1, 4) n;
INSERT INTO player (id, username, username_key, status, erased_at, created_at)
SELECT id::uuid, 'erased-' || substr(id, 8, 25), 'erased-' || substr(id, 8, 25), 'erased', now(), now() - interval '100 days'
  FROM (SELECT md5('gone' || n) AS id FROM generate_series(1, 9) n) gone;
INSERT INTO player_identity (id, player_id, provider, subject, verified_at, linked_at, unlinked_at)
SELECT md5('i' || n)::uuid, md5('p' || 1 + (n * 7) % 1500)::uuid, (ARRAY['epic', 'psn', 'xbox'])[1 + n % 3]::identity_provider,
       CASE WHEN n % 13 > 0 THEN 'x' || n END, CASE WHEN n % 4 > 0 THEN now() END, now(), CASE WHEN n % 13 = 0 THEN now() END
  FROM generate_series(1, 2500) n;
INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at, revoked_at, revoke_reason, playtime_seconds, last_played_at)
SELECT md5('l' || n)::uuid, md5('p' || 1 + n % 2600)::uuid, md5('g' || 1 + (random() * random() * 39)::int)::uuid,
       (ARRAY['windows', 'macos', 'ps5', 'ios'])[1 + n % 4]::platform,
       (CASE WHEN n % 5 > 0 THEN 'purchase' WHEN n % 2 = 0 THEN 'gift' ELSE 'key' END)::entitlement_source, now() - interval '400 days',
       CASE WHEN n % 19 = 0 THEN now() END, CASE WHEN n % 19 = 0 THEN (ARRAY['refund', 'chargeback', 'fraud'])[1 + n % 3] END,
       CASE WHEN n % 7 > 0 THEN (random() * 100000)::int ELSE 0 END,
       CASE WHEN n % 6 > 0 THEN date_trunc('day', now()) - random() * random() * interval '400 days' END
  FROM generate_series(1, 9000) n
    ON CONFLICT DO NOTHING;
INSERT INTO audit_event (actor_type, actor_id, request_id, action, entity_type, entity_id, occurred_at)
SELECT 'system', 'seed', 'req_1', (ARRAY['player.create', 'player.update', 'game.update'])[1 + n % 3], (ARRAY['player', 'game'])[1 + n % 2],
       'x', date_trunc('day', now()) - n % 40 * interval '25 hours' FROM generate_series(1, 800) n`

export interface ExpectedNumbers {
  /** Of the saved query. */
  readonly name: string
  /** Parameters beside the defaults. */
  readonly others: readonly Readonly<Record<string, string | number>>[]
  /** The same question to Postgres: by ids in place of pseudonyms, by subqueries in place of the lake's joins. */
  readonly sql: (parameters: Readonly<Record<string, unknown>>, day: string) => string
}

const share = (part: string, whole: string) => `round(100.0 * ${part} / ${whole}, 2)::float8`

export const EXPECTED_NUMBERS: readonly ExpectedNumbers[] = [
  {
    name: 'players-by-country',
    others: [{ min_players: 1 }, { min_players: 500 }],
    sql: ({ min_players }) => `
      SELECT c.country, c.players::int, (SELECT count(*) FROM player a WHERE a.status = 'active' AND coalesce(a.country, 'unknown') = c.country)::int,
             ${share('c.players', "(SELECT count(*) FROM player WHERE status IN ('active', 'closed', 'erasure_pending'))")}
        FROM (SELECT DISTINCT coalesce(country::text, 'unknown') AS country, count(*) OVER (PARTITION BY country) AS players
                FROM player WHERE erased_at IS NULL) c
       WHERE c.players >= ${min_players} ORDER BY c.players DESC, c.country COLLATE "C"`,
  },
  {
    name: 'registrations-per-day',
    others: [{ days: 1 }, { days: 400 }],
    sql: ({ days }, day) => `
      SELECT d::date::text, count(p.id)::int, count(p.email_verified_at)::int
        FROM generate_series(${day} - ${days}, ${day}, interval '1 day') d
        JOIN player p ON p.created_at >= d AND p.created_at < d + interval '1 day' GROUP BY d ORDER BY d`,
  },
  {
    name: 'top-games-by-play-time',
    others: [{ top: 3 }],
    sql: ({ top }) => `
      SELECT g.title, (SELECT name FROM studio WHERE id = g.studio_id), g.status::text, t.players::int,
             round(t.seconds / 3600, 1)::float8, round(t.seconds / 3600 / t.players, 1)::float8
        FROM game g, LATERAL (SELECT count(DISTINCT l.player_id) FILTER (WHERE l.playtime_seconds > 0) AS players,
                                     sum(l.playtime_seconds)::numeric AS seconds FROM player_game l WHERE l.game_id = g.id) t
       WHERE t.seconds > 0 ORDER BY t.seconds DESC, g.id LIMIT ${top}`,
  },
  {
    name: 'library-sources',
    others: [],
    sql: () => `
      SELECT source::text, count(*)::int, count(DISTINCT player_id)::int, count(revoked_at)::int,
             ${share('count(*)', '(SELECT count(*) FROM player_game)')}
        FROM player_game GROUP BY source ORDER BY count(*) DESC, source::text COLLATE "C"`,
  },
  {
    name: 'refund-rate-by-game',
    others: [{ min_purchases: 1 }, { min_purchases: 300 }],
    sql: ({ min_purchases }) => `
      SELECT title, n::int, refunds::int, chargebacks::int, ${share('(refunds + chargebacks)', 'n')} AS rate
        FROM (SELECT g.id, g.title,
                     (SELECT count(*) FROM player_game l WHERE l.game_id = g.id AND l.source = 'purchase') AS n,
                     (SELECT count(*) FROM player_game l WHERE l.game_id = g.id AND l.source = 'purchase' AND l.revoke_reason = 'refund') AS refunds,
                     (SELECT count(*) FROM player_game l WHERE l.game_id = g.id AND l.source = 'purchase' AND l.revoke_reason = 'chargeback') AS chargebacks
                FROM game g) x
       WHERE n >= ${min_purchases} ORDER BY rate DESC, n DESC, id`,
  },
  {
    name: 'active-players',
    others: [{ days: 1 }, { days: 365 }],
    sql: ({ days }, day) => `
      SELECT platform::text, count(DISTINCT player_id)::int, count(DISTINCT game_id)::int
        FROM player_game WHERE last_played_at >= (${day} - ${days})::timestamptz
       GROUP BY platform ORDER BY 2 DESC, platform::text COLLATE "C"`,
  },
  {
    name: 'retention-by-cohort',
    others: [{ months: 2 }, { months: 30 }],
    sql: ({ months }, day) => `
      SELECT to_char(created_at, 'YYYY-MM-01'), count(*)::int, count(last)::int,
             (count(*) FILTER (WHERE last - created_at >= interval '7 days'))::int,
             (count(*) FILTER (WHERE last - created_at >= interval '30 days'))::int,
             (count(*) FILTER (WHERE last - created_at >= interval '90 days'))::int
        FROM (SELECT p.created_at, (SELECT max(l.last_played_at) FROM player_game l WHERE l.player_id = p.id) AS last FROM player p) x
       WHERE created_at >= date_trunc('month', ${day} - ${months} * interval '1 month') GROUP BY 1 ORDER BY 1`,
  },
  {
    name: 'identities-by-provider',
    others: [],
    sql: () => `
      SELECT i.provider::text, count(*)::int, count(i.verified_at)::int, count(DISTINCT i.player_id)::int,
             (count(DISTINCT i.player_id) FILTER (WHERE NOT EXISTS (
               SELECT FROM player_identity o WHERE o.player_id = i.player_id AND o.unlinked_at IS NULL AND o.provider <> i.provider)))::int
        FROM player_identity i WHERE i.unlinked_at IS NULL GROUP BY i.provider ORDER BY 2 DESC, i.provider::text COLLATE "C"`,
  },
  {
    name: 'studios-by-games',
    others: [{ country: 'DE' }, { country: 'fr' }],
    sql: ({ country }) => `
      SELECT s.name, s.country::text, s.status::text, (SELECT count(*) FROM game g WHERE g.studio_id = s.id)::int AS games,
             (SELECT count(*) FROM game g WHERE g.studio_id = s.id AND g.status IN ('released', 'early_access'))::int,
             (SELECT count(DISTINCT l.player_id) FROM player_game l
               WHERE l.revoked_at IS NULL AND l.game_id IN (SELECT g.id FROM game g WHERE g.studio_id = s.id))::int AS players
        FROM studio s WHERE '${country}' = 'all' OR s.country = upper('${country}') ORDER BY players DESC, games DESC, s.id`,
  },
  {
    name: 'changes-per-day',
    others: [{ since: new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10) }],
    sql: ({ since }) => `
      SELECT occurred_at::date::text, entity_type, action, count(*)::int FROM audit_event WHERE occurred_at >= '${since} 00:00:00Z'
       GROUP BY 1, 2, 3 ORDER BY occurred_at::date::text, entity_type COLLATE "C", action COLLATE "C"`,
  },
]
