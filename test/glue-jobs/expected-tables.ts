/**
 * What each curated table must hold, as Athena SQL over the raw tables of the snapshots, written from the definitions in
 * docs/curated.md and not from the jobs: every key at every snapshot, and versions wherever neighbours differ.
 */

export interface TakenSnapshot {
  readonly id: string
  /** `2026-11-23 13:14:25.123`, UTC. */
  readonly takenAt: string
}

export interface ExpectedTable {
  readonly name: string
  readonly keys: readonly string[]
  /** In the table's order. */
  readonly columns: readonly string[]
  readonly sql: string
}

const HISTORY = ['is_deleted', 'valid_from', 'valid_to', 'is_current']
const PERSONAL = ['email_verified', 'birth_year', 'country', 'language']
const PLAYER = [...PERSONAL, 'status', 'closed_at', 'erased_at', 'created_at']
const STUDIO = ['slug', 'name', 'country', 'website', 'status', 'status_changed_at', 'external_ref', 'created_at']
const GAME = [
  ...['studio_id', 'slug', 'title', 'genres', 'min_age', 'release_date', 'release_precision'],
  ...['status', 'status_changed_at', 'external_ref', 'created_at'],
]
const ENTRY = ['player_ref', 'game_id', 'platform', 'playtime_seconds', 'first_played_at', 'last_played_at']
const LIBRARY = [
  ...['player_ref', 'game_id', 'platform', 'studio_id', 'source', 'acquired_at', 'expires_at', 'revoked_at'],
  ...['revoke_reason', 'is_owned', 'playtime_seconds', 'first_played_at', 'last_played_at', 'as_of'],
]

/** `snap`: number, id, instant. Then each table's rows with the number of their snapshot, erased persons apart. */
function shown(snapshots: readonly TakenSnapshot[]): string {
  const values = snapshots.map(({ id, takenAt }, i) => `(${i + 1}, '${id}', TIMESTAMP '${takenAt}')`)
  const rows = (table: string) =>
    `SELECT s.n, r.* FROM rocketgames_raw.${table} AS r JOIN snap AS s ON s.id = r.snapshot_id`
  return `snap (n, id, taken_at) AS (VALUES ${values.join(', ')}),
  newest AS (SELECT n, taken_at FROM snap WHERE n = ${snapshots.length}),
  erased AS (SELECT DISTINCT r.player_ref FROM rocketgames_raw.players AS r JOIN snap AS s ON s.id = r.snapshot_id WHERE r.status = 'erased'),
  all_players AS (
    SELECT p.n, p.player_ref AS k, ${PLAYER.map((c) => (PERSONAL.includes(c) ? `CASE WHEN e.player_ref IS NULL THEN p.${c} END AS ${c}` : `p.${c}`)).join(', ')}
    FROM (${rows('players')}) AS p LEFT JOIN erased AS e ON e.player_ref = p.player_ref),
  all_studios AS (SELECT n, id AS k, ${STUDIO.join(', ')} FROM (${rows('studios')}) AS r),
  all_games AS (SELECT n, id AS k, ${GAME.join(', ')} FROM (${rows('games')}) AS r),
  all_entries AS (SELECT r.* FROM (${rows('player_games')}) AS r),
  played_entries AS (
    SELECT r.n, r.id AS k, ${ENTRY.map((c) => `r.${c}`).join(', ')}
    FROM all_entries AS r WHERE r.player_ref NOT IN (SELECT player_ref FROM erased))`
}

/** Versions of the rows of `from`: a grid of every key and snapshot, and of it what differs from the snapshot before. */
function versions(from: string, columns: readonly string[]): string {
  const differs = columns.map((c) => `g.${c} IS DISTINCT FROM b.${c}`).join(' OR ')
  return `
  grid AS (
    SELECT k.k, s.n, s.taken_at, r.k IS NOT NULL AS here, ${columns.map((c) => `r.${c}`).join(', ')}
    FROM (SELECT DISTINCT k FROM ${from}) AS k CROSS JOIN snap AS s LEFT JOIN ${from} AS r ON r.k = k.k AND r.n = s.n),
  change AS (
    SELECT g.* FROM grid AS g LEFT JOIN grid AS b ON b.k = g.k AND b.n = g.n - 1
    WHERE (b.k IS NULL AND g.here) OR (b.k IS NOT NULL AND (g.here <> b.here OR ${differs}))),
  ending AS (
    SELECT c.k, c.n, min(d.taken_at) AS valid_to FROM change AS c LEFT JOIN change AS d ON d.k = c.k AND d.n > c.n GROUP BY c.k, c.n)
  SELECT c.k, ${columns.map((c) => `c.${c}`).join(', ')}, NOT c.here, c.taken_at, e.valid_to, e.valid_to IS NULL
  FROM change AS c JOIN ending AS e ON e.k = c.k AND e.n = c.n`
}

const LIBRARY_SQL = `
  SELECT l.player_ref, l.game_id, l.platform, g.studio_id, l.source, l.acquired_at, l.expires_at, l.revoked_at, l.revoke_reason,
    l.revoked_at IS NULL AND coalesce(l.expires_at > n.taken_at, true), l.playtime_seconds, l.first_played_at, l.last_played_at, n.taken_at
  FROM all_entries AS l JOIN newest AS n ON n.n = l.n LEFT JOIN all_games AS g ON g.n = l.n AND g.k = l.game_id`

/** Growth between neighbours, one row an entry and pair; then a day. */
const ACTIVITY = `
  growth AS (
    SELECT
      CASE WHEN c.last_played_at > b.taken_at AND c.last_played_at <= t.taken_at
        THEN CAST(c.last_played_at AS date) ELSE CAST(t.taken_at AS date) END AS activity_date,
      c.player_ref, c.game_id, c.platform, b.taken_at AS observed_from, t.taken_at AS observed_to,
      c.playtime_seconds - CASE WHEN p.k IS NOT NULL THEN p.playtime_seconds
        WHEN c.first_played_at > b.taken_at THEN 0 ELSE c.playtime_seconds END AS seconds
    FROM played_entries AS c
    JOIN snap AS t ON t.n = c.n
    JOIN snap AS b ON b.n = c.n - 1
    LEFT JOIN played_entries AS p ON p.k = c.k AND p.n = c.n - 1 AND p.player_ref = c.player_ref),
  daily AS (
    SELECT activity_date, player_ref, game_id, platform, sum(seconds) AS seconds, min(observed_from) AS observed_from,
      max(observed_to) AS observed_to
    FROM growth WHERE seconds > 0 GROUP BY activity_date, player_ref, game_id, platform),
  activity AS (
    SELECT d.activity_date, d.player_ref, d.game_id, d.platform, g.studio_id, d.seconds, d.observed_from, d.observed_to
    FROM daily AS d JOIN snap AS s ON s.taken_at = d.observed_to LEFT JOIN all_games AS g ON g.n = s.n AND g.k = d.game_id)`

const hidden = (persons: string, k: number) => `(${persons} BETWEEN 1 AND ${k - 1})`
const cell = (measure: string, persons: string, k: number) => `CASE WHEN NOT ${hidden(persons, k)} THEN ${measure} END`

function registrations(k: number): string {
  return `
  seen AS (SELECT k, max(n) AS n FROM all_players GROUP BY k),
  counts AS (
    SELECT CAST(p.created_at AS date) AS day, coalesce(p.country, 'ZZ') AS country, count(*) AS r, count_if(p.email_verified) AS v,
      count_if(p.status = 'active' AND p.n = (SELECT n FROM newest)) AS a
    FROM all_players AS p JOIN seen AS s ON s.k = p.k AND s.n = p.n GROUP BY CAST(p.created_at AS date), coalesce(p.country, 'ZZ'))
  SELECT day, country, ${cell('r', 'r', k)}, ${cell('v', 'v', k)}, ${cell('a', 'a', k)},
    ${hidden('r', k)} OR ${hidden('v', k)} OR ${hidden('a', k)} FROM counts`
}

function studios(k: number): string {
  const since = (value: string) => `CASE WHEN day >= (SELECT CAST(min(taken_at) AS date) FROM snap) THEN ${value} END`
  return `${ACTIVITY},
  played AS (
    SELECT activity_date AS day, studio_id, count(DISTINCT player_ref) AS players, sum(seconds) AS seconds FROM activity GROUP BY 1, 2),
  entries AS (
    SELECT g.studio_id, l.player_ref, CAST(l.acquired_at AS date) AS day
    FROM all_entries AS l JOIN newest AS n ON n.n = l.n JOIN all_games AS g ON g.n = l.n AND g.k = l.game_id),
  acquired AS (
    SELECT e.day, e.studio_id, count(*) AS entries, count(DISTINCT e.player_ref) AS persons,
      count(DISTINCT CASE WHEN e.day = f.day THEN e.player_ref END) AS owners
    FROM entries AS e
    JOIN (SELECT studio_id, player_ref, min(day) AS day FROM entries GROUP BY 1, 2) AS f
      ON f.studio_id = e.studio_id AND f.player_ref = e.player_ref
    GROUP BY e.day, e.studio_id),
  cells AS (
    SELECT coalesce(p.day, a.day) AS day, coalesce(p.studio_id, a.studio_id) AS studio_id, coalesce(p.players, 0) AS players,
      coalesce(p.seconds, 0) AS seconds, coalesce(a.entries, 0) AS entries, coalesce(a.persons, 0) AS persons, coalesce(a.owners, 0) AS owners
    FROM played AS p FULL JOIN acquired AS a ON a.day = p.day AND a.studio_id = p.studio_id)
  SELECT day, studio_id, ${since(cell('players', 'players', k))}, ${since(cell('seconds', 'players', k))},
    ${cell('entries', 'persons', k)}, ${cell('owners', 'owners', k)},
    ${hidden('players', k)} OR ${hidden('persons', k)} OR ${hidden('owners', k)} FROM cells`
}

/** @param smallCell as the job was told; 10 by default. */
export function expectedTables(snapshots: readonly TakenSnapshot[], smallCell = 10): ExpectedTable[] {
  const table = (name: string, keys: readonly string[], columns: readonly string[], body: string): ExpectedTable => {
    const joined = /^\s*SELECT/.test(body) ? body : `,${body}`
    return { name, keys, columns, sql: `WITH ${shown(snapshots)}${joined}` }
  }
  const history = (name: string, key: string, from: string, columns: readonly string[]) =>
    table(name, [key, 'valid_from'], [key, ...columns, ...HISTORY], versions(from, columns))
  const activity = ['activity_date', 'player_ref', 'game_id', 'platform']
  return [
    history('dim_player', 'player_ref', 'all_players', PLAYER),
    history('dim_studio', 'studio_id', 'all_studios', STUDIO),
    history('dim_game', 'game_id', 'all_games', GAME),
    history('library_history', 'entry_id', 'played_entries', ENTRY),
    table('fact_library', ['player_ref', 'game_id', 'platform'], LIBRARY, LIBRARY_SQL),
    table(
      'fact_daily_activity',
      activity,
      [...activity, 'studio_id', 'seconds_played', 'observed_from', 'observed_to'],
      `${ACTIVITY} SELECT * FROM activity`,
    ),
    table(
      'agg_registrations_daily',
      ['registration_date', 'country'],
      ['registration_date', 'country', 'registrations', 'email_verified', 'still_active', 'is_suppressed'],
      registrations(smallCell),
    ),
    table(
      'agg_studio_daily',
      ['activity_date', 'studio_id'],
      [
        ...['activity_date', 'studio_id', 'active_players', 'seconds_played', 'new_entries', 'new_owners'],
        'is_suppressed',
      ],
      studios(smallCell),
    ),
  ]
}
