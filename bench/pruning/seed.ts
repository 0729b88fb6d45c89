import pg from 'pg'

/**
 * Rows as years of business leave them: inserted in the order of their times, and a tenth of players and library entries changed afterwards, in
 * two waves with a vacuum between them, so that new versions lie where others were. Without triggers and second indexes.
 *
 * @param fillfactor of players and library entries, in percent; empty: as the migrations have it.
 */
export async function seedYears(url: string, rows: number, fillfactor = ''): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    const { rows: indexes } = await client.query<{ name: string; constraint: string | null; table: string }>(
      `SELECT i.indexrelid::regclass::text AS name, c.conname AS constraint, i.indrelid::regclass::text AS table
         FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
        WHERE i.indrelid IN ('player'::regclass, 'player_game'::regclass, 'audit_event'::regclass) AND NOT i.indisprimary`,
    )
    for (const { name, constraint, table } of indexes) {
      await client.query(constraint ? `ALTER TABLE ${table} DROP CONSTRAINT ${constraint}` : `DROP INDEX ${name}`)
    }
    if (fillfactor !== '') {
      await client.query(`ALTER TABLE player SET (fillfactor = ${Number(fillfactor)})`)
      await client.query(`ALTER TABLE player_game SET (fillfactor = ${Number(fillfactor)})`)
    }
    // Six years; id as uuid v7 would have it is of no matter, as the lake has a pseudonym in its place.
    const at = `TIMESTAMPTZ '2020-11-01' + n * (interval '2190 days' / ${rows})`
    await client.query(
      `INSERT INTO player (id, username, username_key, country, locale, status, version, created_at, updated_at)
       SELECT md5('p' || n)::uuid, 'player' || n, 'player' || n, (ARRAY['DE', 'US', 'FR', 'JP', 'BR', 'GB', 'IN', 'PL'])[1 + (n * 31) % 8],
              'de-DE', 'active', 1, ${at}, ${at} FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await client.query(
      `INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at, playtime_seconds, last_played_at, created_at, updated_at)
       SELECT md5('l' || n)::uuid, md5('p' || 1 + (n * 7919::bigint) % $1)::uuid, md5('g' || n % 200)::uuid, 'windows', 'purchase', ${at},
              (n * 104729::bigint) % 400000, ${at} + interval '3 days', ${at}, ${at} FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await client.query(
      `INSERT INTO audit_event (occurred_at, actor_type, actor_id, request_id, action, entity_type, entity_id)
       SELECT ${at}, 'api_key', 'key' || n % 20, 'req_' || md5(n::text), (ARRAY['player.create', 'player.update', 'player_game.create'])[1 + n % 3],
              'player', md5('p' || n)::uuid::text FROM generate_series(1, $1::int) n`,
      [rows],
    )
    for (const wave of [0, 1]) {
      await client.query('UPDATE player SET version = version + 1 WHERE mod(hashtext(username), 20) = $1', [wave])
      await client.query(
        'UPDATE player_game SET playtime_seconds = playtime_seconds + 60 WHERE mod(hashtext(id::text), 20) = $1',
        [wave],
      )
      await client.query('VACUUM (ANALYZE) player')
      await client.query('VACUUM (ANALYZE) player_game')
    }
    await client.query('VACUUM (ANALYZE) audit_event')
  } finally {
    await client.end()
  }
}
