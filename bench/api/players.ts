import pg from 'pg'

/** Synthetic players of the bench, one a number from 1 on: whoever knows the number knows the id, so nothing has to be read first. */

const FIRST_MS = Date.UTC(2021, 0, 1)
const STEP_MS = 137_000

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/** As a version 7 UUID made when the player registered. */
export function playerId(n: number): string {
  const time = hex(FIRST_MS + n * STEP_MS, 12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hex(n, 12)}`
}

export const COUNTRIES = ['DE', 'US', 'FR', 'JP', 'BR', 'GB', 'IN', 'PL'] as const

/** Players whose numbers are so far apart have the same country and locale, and both or neither a verified address. */
export const KINDS = 24

const ROWS = `
  INSERT INTO player (id, username, username_key, display_name, email, email_key, email_verified_at, birth_date, country, locale,
                      status, closed_at, version, created_at, updated_at)
  SELECT (lpad(to_hex(${FIRST_MS} + n * ${STEP_MS}), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
         'player' || n, 'player' || n, 'Player ' || n, 'p' || n || '@example.com', 'p' || n || '@example.com',
         CASE WHEN n % 3 > 0 THEN t END, DATE '1950-01-01' + (n * 7919 % 19000)::int, ($2::text[])[1 + n % 8],
         (ARRAY['de-DE', 'en-US', 'fr', 'ja', 'pt-BR', 'en-GB', 'hi', 'pl'])[1 + n % 8],
         (CASE WHEN n % 50 = 0 THEN 'closed' ELSE 'active' END)::player_status,
         CASE WHEN n % 50 = 0 THEN t + interval '30 days' END, 1, t, t
    FROM (SELECT n, to_timestamp((${FIRST_MS} + n * ${STEP_MS}) / 1000.0) AS t FROM generate_series(1::bigint, $1::bigint) n) g`

/** Fast: no triggers, and the indexes are made after the rows. */
export async function seedPlayers(url: string, count: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows: indexes } = await client.query<{ name: string; definition: string; constraint: string | null }>(
      `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition, c.conname AS constraint
         FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
        WHERE i.indrelid = 'player'::regclass`,
    )
    const plain = indexes.filter(({ constraint }) => constraint === null)
    await client.query("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
    for (const { name } of plain) await client.query(`DROP INDEX ${name}`)
    await client.query(ROWS, [count, COUNTRIES])
    for (const { definition } of plain) await client.query(definition)
    await client.query('VACUUM (ANALYZE, FREEZE) player')
  } finally {
    await client.end()
  }
}
