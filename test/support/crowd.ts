import pg from 'pg'

/**
 * A service with many players, straight into its tables: a few popular games and many small ones, common and rare countries,
 * providers and names, ids in the order of time as the application makes them. The same every time.
 */
export interface Crowd {
  readonly players: number
  readonly popularGameId: string
  readonly smallGameId: string
  readonly popularStudioId: string
  readonly smallStudioId: string
  readonly ownerId: string
  /** Somebody with games and identities. */
  readonly playerId: string
}

const uuidOf = (kind: string, number: string) =>
  `(lpad(to_hex(1700000000000 + (${number})::bigint * 1000), 12, '0') || '7${kind}' || '8' || lpad(to_hex(${number}), 15, '0'))::uuid`
const STUDIO = (n: string) => uuidOf('001', n)
const OWNER = (n: string) => uuidOf('002', n)
const GAME = (n: string) => uuidOf('003', n)
const PLAYER = (n: string) => uuidOf('004', n)
const ROW = (kind: string, n: string) => uuidOf(kind, n)
const TIME = (n: string) => `to_timestamp(1700000000 + (${n})::bigint)`
/** 0 to 1, the same for the same number. */
const chance = (n: string, salt: string) => `((hashtextextended((${n})::text, ${salt}) & 1048575)::float8 / 1048576)`

export async function seedCrowd(databaseUrl: string, players: number): Promise<Crowd> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    const studios = Math.max(20, Math.floor(players / 500))
    const games = studios * 10
    const find = async (sql: string) => (await client.query<{ id: string }>(sql)).rows[0]?.id ?? ''
    await fillQuickly(client, statements(players, studios, games))
    return {
      players,
      popularGameId: await find(
        'SELECT game_id AS id FROM player_game GROUP BY game_id ORDER BY count(*) DESC LIMIT 1',
      ),
      smallGameId: await find(
        'SELECT game_id AS id FROM player_game GROUP BY game_id ORDER BY count(*), game_id LIMIT 1',
      ),
      popularStudioId: await find(`SELECT studio_id AS id FROM player_game JOIN game ON game.id = game_id
        GROUP BY studio_id ORDER BY count(*) DESC LIMIT 1`),
      smallStudioId: await find(`SELECT studio_id AS id FROM player_game JOIN game ON game.id = game_id
        GROUP BY studio_id ORDER BY count(*), studio_id LIMIT 1`),
      ownerId: await find('SELECT owner_id AS id FROM studio_membership LIMIT 1'),
      playerId: await find('SELECT player_id AS id FROM player_game GROUP BY player_id ORDER BY count(*) DESC LIMIT 1'),
    }
  } finally {
    await client.end()
  }
}

/** The rules hold for these rows, and an index is built faster than filled: checking and keeping up takes most of the time. */
async function fillQuickly(client: pg.Client, inserts: readonly string[]): Promise<void> {
  await client.query(
    `SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`,
  )
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
       AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)`,
  )
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`)
  for (const insert of inserts) await client.query(insert)
  for (const { definition } of indexes) await client.query(definition)
  await client.query('VACUUM ANALYZE')
}

function statements(players: number, studios: number, games: number): string[] {
  return [
    `INSERT INTO studio (id, slug, name, country, status, external_ref, created_at, updated_at)
     SELECT ${STUDIO('n')}, 'studio-' || n, 'Studio ' || substr(md5(n::text), 1, 8), (ARRAY['US','DE','JP','FR','IS'])[1 + n % 5],
       'active', 'ref-' || n, ${TIME('n')}, ${TIME('n')} FROM generate_series(1, ${studios}) AS n`,
    `INSERT INTO studio_owner (id, full_name, email, email_key, country, status, created_at, updated_at)
     SELECT ${OWNER('n')}, 'Owner ' || substr(md5(n::text), 1, 8), 'o' || n || '@owners.example', 'o' || n || '@owners.example',
       (ARRAY['US','DE','JP','FR','IS'])[1 + n % 5], 'active', ${TIME('n')}, ${TIME('n')}
     FROM generate_series(1, ${studios}) AS n`,
    `INSERT INTO studio_membership (studio_id, owner_id, role, status, joined_at)
     SELECT ${STUDIO('n')}, ${OWNER('n')}, 'owner', 'active', now() FROM generate_series(1, ${studios}) AS n`,
    `INSERT INTO game (id, studio_id, slug, title, genres, min_age, release_date, release_precision, status, created_at, updated_at)
     SELECT ${GAME('n')}, ${STUDIO(`1 + n % ${studios}`)}, 'game-' || n, 'Game ' || substr(md5(n::text), 1, 8),
       ARRAY[(ARRAY['action','rpg','puzzle','racing'])[1 + n % 4]]::genre[], n % 19,
       DATE '2020-01-01' + n % 2000, 'day', 'released', ${TIME('n')}, ${TIME('n')} FROM generate_series(1, ${games}) AS n`,
    `INSERT INTO game_platform (game_id, platform) SELECT ${GAME('n')}, unnest(ARRAY['windows', 'linux']::platform[])
     FROM generate_series(1, ${games}) AS n`,
    `INSERT INTO player (id, username, username_key, display_name, email, email_key, country, status, created_at, updated_at)
     SELECT ${PLAYER('n')}, name || n, name || n, initcap(name) || ' ' || substr(md5(n::text), 1, 5), mail, mail,
       CASE WHEN land < 0.4 THEN 'US' WHEN land < 0.7 THEN 'DE' WHEN land < 0.9 THEN 'JP' WHEN land < 0.98 THEN 'FR'
         WHEN land < 0.9995 THEN NULL ELSE 'IS' END,
       CASE WHEN n % 50 = 0 THEN 'closed' ELSE 'active' END::player_status, ${TIME('n')}, ${TIME('n')}
     FROM (SELECT n, (ARRAY['anna','boris','chloe','dmitri','elena','farid','greta','hiro'])[1 + n % 8] AS name,
         ${chance('n', '1')} AS land,
         CASE WHEN n % 40 = 0 THEN NULL ELSE 'p' || n || '@players.example' END AS mail
       FROM generate_series(1, ${players}) AS n) AS people`,
    `INSERT INTO player_identity (id, player_id, provider, subject, linked_at)
     SELECT ${ROW('005', 'n')}, ${PLAYER(`1 + n % ${players}`)},
       CASE WHEN n % 10 < 7 THEN 'steam' WHEN n % 10 < 9 THEN 'discord'
         WHEN n % 5000 = 9 THEN 'nintendo' ELSE 'epic' END::identity_provider,
       '7656119' || lpad(n::text, 10, '0'), ${TIME('n')} FROM generate_series(1, ${players} * 2) AS n`,
    `INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at, expires_at, revoked_at, revoke_reason,
       playtime_seconds, last_played_at)
     SELECT ${ROW('006', 'n')}, ${PLAYER(`1 + n % ${players}`)}, ${GAME(`1 + floor(${games} * power(${chance('n', '2')}, 3))::int`)},
       CASE WHEN n % 5000 = 0 THEN 'linux' ELSE 'windows' END::platform,
       CASE WHEN n % 5000 = 1 THEN 'press' WHEN n % 20 = 0 THEN 'gift' ELSE 'purchase' END::entitlement_source, ${TIME('n / 3')}, NULL,
       CASE WHEN n % 100 = 0 THEN now() END, CASE WHEN n % 100 = 0 THEN 'refund' END, n % 100000,
       CASE WHEN n % 3 > 0 THEN ${TIME('n / 2')} END
     FROM generate_series(1, ${players} * 3) AS n ON CONFLICT DO NOTHING`,
    `INSERT INTO audit_event (occurred_at, actor_type, actor_id, request_id, action, entity_type, entity_id, studio_id)
     SELECT ${TIME('n / 2')}, CASE WHEN n % 5000 = 0 THEN 'system' ELSE 'api_key' END::actor_type, 'key' || n % 20, 'request-' || n,
       CASE WHEN n % 1000 = 0 THEN 'player.transition' ELSE 'player.update' END, 'player', ${PLAYER(`1 + n % ${players}`)}::text,
       CASE WHEN n % 100 = 0 THEN ${STUDIO(`1 + n % ${studios}`)} END FROM generate_series(1, ${players} * 2) AS n`,
  ]
}
