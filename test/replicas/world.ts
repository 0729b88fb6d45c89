import pg from 'pg'

/** A line of a library, as reports of play time name it. */
export interface PlayedLine {
  readonly playerId: string
  readonly gameId: string
  readonly platform: string
}

/** Players who own one game, straight into the tables. */
export async function seedPlayedLines(databaseUrl: string, count: number): Promise<PlayedLine[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    // The rules hold for these rows, and a game's way to its release is no matter here.
    await client.query('SET session_replication_role = replica')
    const { rows } = await client.query<PlayedLine>(
      `WITH made AS (INSERT INTO game (id, studio_id, slug, title, genres, min_age, status, release_date, release_precision)
         SELECT gen_random_uuid(), id, 'played', 'Played', '{rpg}', 12, 'released', '2026-01-01', 'day' FROM studio LIMIT 1 RETURNING id),
       played_on AS (INSERT INTO game_platform (game_id, platform) SELECT id, 'linux' FROM made RETURNING game_id),
       people AS (INSERT INTO player (id, username, username_key)
         SELECT gen_random_uuid(), 'played' || n, 'played' || n FROM generate_series(1, $1::int) n RETURNING id)
       INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at)
       SELECT gen_random_uuid(), people.id, game_id, 'linux', 'purchase', now() - interval '1 hour' FROM people, played_on
       RETURNING player_id AS "playerId", game_id AS "gameId", platform::text`,
      [count],
    )
    return rows
  } finally {
    await client.end()
  }
}
