import type pg from 'pg'
import type { TakenSnapshot } from './expected-tables.ts'

/**
 * What Postgres held at the instant of each snapshot, copied aside in a schema of its own, so that answers over the curated tables
 * can be compared with plain SQL. The database must be at rest between the snapshot and the copy.
 */
const TABLES = ['player', 'player_game', 'game', 'studio'] as const

/** Copies the tables as those of the next snapshot; `snapshot` is the one that was just taken. */
export async function keepHistory(client: pg.Client, snapshot: TakenSnapshot): Promise<void> {
  await client.query(`CREATE SCHEMA IF NOT EXISTS kept;
    CREATE TABLE IF NOT EXISTS kept.snapshot (n int, id text, taken_at timestamptz)`)
  await client.query(
    "INSERT INTO kept.snapshot SELECT count(*) + 1, $1, $2::timestamp AT TIME ZONE 'UTC' FROM kept.snapshot",
    [snapshot.id, snapshot.takenAt],
  )
  for (const table of TABLES) {
    await client.query(`CREATE TABLE IF NOT EXISTS kept.${table} AS SELECT 0 AS n, * FROM public.${table} WITH NO DATA;
      INSERT INTO kept.${table} SELECT (SELECT max(n) FROM kept.snapshot), * FROM public.${table};
      CREATE INDEX IF NOT EXISTS ${table}_kept ON kept.${table} (id, n); ANALYZE kept.${table}`)
  }
}

/** What the answers are computed from, once all snapshots are kept: the newest state, and the activity between neighbours. */
export async function readyHistory(client: pg.Client): Promise<void> {
  await client.query(`
    CREATE OR REPLACE VIEW kept.newest AS SELECT * FROM kept.snapshot ORDER BY n DESC LIMIT 1;
    DROP MATERIALIZED VIEW IF EXISTS kept.library;
    CREATE MATERIALIZED VIEW kept.library AS SELECT l.* FROM kept.player_game l JOIN kept.newest USING (n);
    CREATE INDEX ON kept.library (player_id);
    CREATE INDEX IF NOT EXISTS player_game_of_player ON kept.player_game (player_id, n);
    CREATE OR REPLACE VIEW kept.erased AS SELECT DISTINCT id FROM kept.player WHERE status = 'erased';
    DROP MATERIALIZED VIEW IF EXISTS kept.activity;
    CREATE MATERIALIZED VIEW kept.activity AS
    WITH pairs AS (
      SELECT now.*, was.id IS NOT NULL AS was_there, was.playtime_seconds AS former, b.taken_at AS from_at, t.taken_at AS to_at
      FROM kept.player_game now
      JOIN kept.snapshot t ON t.n = now.n
      JOIN kept.snapshot b ON b.n = now.n - 1
      LEFT JOIN kept.player_game was ON was.id = now.id AND was.n = now.n - 1 AND was.player_id = now.player_id
      WHERE now.player_id NOT IN (SELECT id FROM kept.erased)
    ), growth AS (
      SELECT *, (CASE WHEN last_played_at > from_at AND last_played_at <= to_at THEN last_played_at ELSE to_at END AT TIME ZONE 'UTC')::date AS day,
        playtime_seconds - CASE WHEN was_there THEN former WHEN first_played_at > from_at THEN 0 ELSE playtime_seconds END AS seconds
      FROM pairs
    ), days AS (
      SELECT day, player_id, game_id, platform, sum(seconds)::bigint AS seconds, min(from_at) AS from_at, max(to_at) AS to_at
      FROM growth WHERE seconds > 0 GROUP BY 1, 2, 3, 4
    )
    SELECT days.*, s.n AS to_n, g.studio_id FROM days JOIN kept.snapshot s ON s.taken_at = days.to_at
      LEFT JOIN kept.game g ON g.id = days.game_id AND g.n = s.n;
    CREATE INDEX ON kept.activity (day, studio_id);
    ANALYZE kept.library; ANALYZE kept.activity; ANALYZE kept.player_game`)
}
