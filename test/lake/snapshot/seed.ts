import pg from 'pg'

/** A few studios, games and players with libraries, without triggers: `players` rows in the largest table. */
export async function seedAccounts(url: string, players: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(`
      INSERT INTO studio (id, slug, name, status, country)
      SELECT md5('studio' || n)::uuid, 'studio-' || n, 'Studio ' || n, 'prospect', 'DE' FROM generate_series(1, 20) n;
      INSERT INTO studio_owner (id, full_name, email, email_key)
      SELECT md5('owner' || n)::uuid, 'Owner ' || n, 'o' || n || '@example.com', 'o' || n || '@example.com'
        FROM generate_series(1, 20) n;
      INSERT INTO studio_membership (studio_id, owner_id, role, status, joined_at)
      SELECT md5('studio' || n)::uuid, md5('owner' || n)::uuid, 'owner', 'active', now() FROM generate_series(1, 20) n;
      INSERT INTO game (id, studio_id, slug, title, genres)
      SELECT md5('game' || n)::uuid, md5('studio' || 1 + n % 20)::uuid, 'game-' || n, 'Game ' || n, '{rpg,puzzle}'
        FROM generate_series(1, 50) n;
      INSERT INTO game_platform (game_id, platform) SELECT id, 'linux' FROM game;`)
    await client.query(
      `INSERT INTO player (id, username, username_key, email, email_key, birth_date, country, locale)
       SELECT md5('player' || n)::uuid, 'player' || n, 'player' || n, 'p' || n || '@example.com', 'p' || n || '@example.com',
              DATE '1960-01-01' + n % 20000, 'FR', 'fr-FR'
         FROM generate_series(1, $1::int) n`,
      [players],
    )
    await client.query(`
      INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at)
      SELECT md5('pg' || username)::uuid, id, md5('game' || 1 + length(username))::uuid, 'linux', 'purchase', now() FROM player;
      INSERT INTO audit_event (actor_type, actor_id, request_id, action, entity_type, entity_id)
      SELECT 'system', 'seed', 'req_1', 'player.create', 'player', id::text FROM player LIMIT 500`)
  } finally {
    await client.end()
  }
}

/** Bytes that do not compress, in a column that is exported: `rows` studios of about 130 bytes each in the file. */
export async function seedNoise(url: string, rows: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(
      `INSERT INTO studio (id, slug, name, legal_name, status)
       SELECT md5('noise' || n)::uuid, 'noise-' || n, 'Noise ' || n,
              md5('a' || n) || md5('b' || n) || md5('c' || n) || md5('d' || n) || md5('e' || n) || md5('f' || n), 'prospect'
         FROM generate_series(1, $1::int) n`,
      [rows],
    )
  } finally {
    await client.end()
  }
}
