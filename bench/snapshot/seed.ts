import pg from 'pg'

/** Synthetic players, fast: no triggers, no index but the primary key. Deterministic, so that sizes compare between runs. */
export async function seedPlayers(url: string, rows: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(
      'DROP INDEX player_created, player_status_created, player_country, player_username_trgm; ' +
        'ALTER TABLE player DROP CONSTRAINT player_username_key_key, DROP CONSTRAINT player_email_key_key',
    )
    await client.query(
      `INSERT INTO player (id, username, username_key, display_name, email, email_key, email_verified_at, birth_date, country,
                           locale, status, closed_at, version, created_at, updated_at)
       SELECT md5('player' || n)::uuid, 'player' || n, 'player' || n, 'Player ' || n, 'p' || n || '@example.com',
              'p' || n || '@example.com', CASE WHEN n % 3 > 0 THEN t END, DATE '1950-01-01' + (n * 7919::bigint % 24000)::int,
              CASE WHEN n % 10 > 0 THEN (ARRAY['DE', 'US', 'FR', 'JP', 'BR', 'GB', 'IN', 'PL'])[1 + n % 8] END,
              (ARRAY['de-DE', 'en-US', 'fr', 'ja', 'pt-BR', 'en-GB'])[1 + n % 6],
              (CASE WHEN n % 50 = 0 THEN 'closed' ELSE 'active' END)::player_status,
              CASE WHEN n % 50 = 0 THEN t + interval '30 days' END, 1 + n % 5, t, t + (n % 1000) * interval '1 hour'
         FROM (SELECT n, TIMESTAMPTZ '2021-01-01' + (n * 104729::bigint % 150000000) * interval '1 second 137 ms' AS t
                 FROM generate_series(1, $1::int) n) g`,
      [rows],
    )
    await client.query('VACUUM (ANALYZE, FREEZE) player')
  } finally {
    await client.end()
  }
}
