/**
 * The answer of each saved query over the curated tables, as SQL over what Postgres held at each snapshot (`kept.*`), written from the
 * query's description. Instants as Athena shows them.
 */

type Params = Readonly<Record<string, string | number>>

export interface ExpectedAnswer {
  readonly name: string
  /** Besides the defaults. */
  readonly others: readonly Params[]
  sql(params: Params): string
}

const instant = (sql: string) => `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')`
const rounded = (sql: string, digits: number) => `round((${sql})::numeric, ${digits})::float8`
const week = (sql: string) => `date_trunc('week', ${sql})::date`
const shown = (measure: string, persons: string, smallCell = 10) =>
  `CASE WHEN ${persons} = 0 OR ${persons} >= ${smallCell} THEN ${measure} END`

export const EXPECTED_ANSWERS: readonly ExpectedAnswer[] = [
  {
    name: 'retention-curve',
    others: [{ weeks: 100, more_weeks: 0, since: '2024-09-15' }],
    sql: ({ weeks, more_weeks, since }) => `
      WITH p AS MATERIALIZED (
        SELECT (SELECT max(l.last_played_at)::date FROM kept.library l WHERE l.player_id = p.id) - created_at::date AS days
        FROM kept.player p JOIN kept.newest USING (n)
        WHERE status <> 'erased' AND created_at >= '${since}' AND taken_at::date - created_at::date >= 7 * (${weeks} + ${more_weeks} + 1))
      SELECT w, count(*)::int, (count(*) FILTER (WHERE days >= 7 * w))::int, ${rounded('100.0 * count(*) FILTER (WHERE days >= 7 * w) / count(*)', 2)}
      FROM generate_series(0, ${weeks}) w JOIN p ON true GROUP BY w ORDER BY w`,
  },
  {
    name: 'weekly-players-by-studio',
    others: [{ min_players: 1 }],
    sql: ({ min_players }) => `
      SELECT ${week('a.day')}::text, s.name, count(DISTINCT a.player_id)::int, ${rounded('sum(seconds) / 3600.0', 1)}
      FROM kept.activity a JOIN kept.studio s ON s.id = a.studio_id JOIN kept.newest USING (n)
      GROUP BY 1, s.id, s.name HAVING count(DISTINCT a.player_id) >= ${min_players} ORDER BY 1, 3 DESC, s.id`,
  },
  {
    name: 'play-by-country-then',
    others: [{ min_players: 1 }],
    sql: ({ min_players }) => `
      WITH x AS (
        SELECT a.player_id, a.seconds, coalesce(was.country, 'unknown') AS then,
          CASE WHEN now.id IS NULL THEN coalesce(was.country, 'unknown') ELSE coalesce(now.country, 'unknown') END AS now
        FROM kept.activity a JOIN kept.player was ON was.id = a.player_id AND was.n = a.to_n
        LEFT JOIN (SELECT p.* FROM kept.player p JOIN kept.newest USING (n)) now ON now.id = a.player_id)
      SELECT x.then, count(DISTINCT player_id)::int, ${rounded('sum(seconds) / 3600.0', 1)},
        (count(DISTINCT player_id) FILTER (WHERE x.now <> x.then))::int
      FROM x GROUP BY 1 HAVING count(DISTINCT player_id) >= ${min_players} ORDER BY 2 DESC, x.then COLLATE "C"`,
  },
  {
    name: 'first-returned-churned',
    others: [{ pause_days: 7 }, { pause_days: 365 }],
    sql: ({ pause_days }) => `
      WITH active AS (
        SELECT ${week('day')} AS monday, player_id, min(day) AS day, min(from_at) AS from_at FROM kept.activity GROUP BY 1, 2),
      judged AS (
        SELECT monday, coalesce(b.seconds, 0) AS seconds, day - b.last AS pause FROM active a LEFT JOIN LATERAL (
          SELECT sum(l.playtime_seconds) AS seconds, max(l.last_played_at)::date AS last
          FROM kept.player_game l JOIN kept.snapshot s USING (n) WHERE l.player_id = a.player_id AND s.taken_at = a.from_at) b ON true),
      ended AS (
        SELECT ${week(`last + ${pause_days}`)} AS monday, count(*) AS players FROM (
          SELECT max(last_played_at)::date AS last FROM kept.library GROUP BY player_id) x
        WHERE last + ${pause_days} <= (SELECT taken_at::date FROM kept.newest) GROUP BY 1)
      SELECT j.monday::text, count(*)::int, (count(*) FILTER (WHERE seconds = 0))::int,
        (count(*) FILTER (WHERE seconds > 0 AND pause >= ${pause_days}))::int,
        (count(*) FILTER (WHERE seconds > 0 AND pause < ${pause_days}))::int,
        (count(*) FILTER (WHERE seconds > 0 AND pause IS NULL))::int, coalesce(max(e.players), 0)::int
      FROM judged j LEFT JOIN ended e USING (monday) GROUP BY j.monday ORDER BY 1`,
  },
  {
    name: 'country-moves',
    others: [{ min_players: 2 }],
    sql: ({ min_players }) => `
      SELECT coalesce(b.country, 'unknown'), coalesce(p.country, 'unknown'), count(DISTINCT p.id)::int,
        ${instant('min(s.taken_at)')}, ${instant('max(s.taken_at)')}
      FROM kept.player p
      JOIN kept.player b ON b.id = p.id AND b.n = (SELECT max(n) FROM kept.player o WHERE o.id = p.id AND o.n < p.n)
      JOIN kept.snapshot s ON s.n = p.n
      WHERE p.country IS DISTINCT FROM b.country AND p.id NOT IN (SELECT id FROM kept.erased)
      GROUP BY 1, 2 HAVING count(DISTINCT p.id) >= ${min_players}
      ORDER BY 3 DESC, coalesce(b.country, 'unknown') COLLATE "C", coalesce(p.country, 'unknown') COLLATE "C"`,
  },
  {
    name: 'announced-to-released',
    others: [],
    sql: () => `
      WITH t AS (
        SELECT id, min(status_changed_at) FILTER (WHERE status = 'announced') AS a, min(status_changed_at) FILTER (WHERE status = 'released') AS r
        FROM kept.game GROUP BY id)
      SELECT g.title, s.name, g.status::text, ${instant('a')}, ${instant('r')},
        greatest(0, floor(extract(epoch FROM coalesce(r, taken_at) - a) / 86400))::int
      FROM t JOIN kept.newest ON true JOIN kept.game g ON g.id = t.id AND g.n = newest.n JOIN kept.studio s ON s.id = g.studio_id AND s.n = newest.n
      WHERE a IS NOT NULL AND (r IS NULL OR r >= a) ORDER BY r NULLS LAST, a, g.id`,
  },
  {
    name: 'play-time-by-platform',
    others: [{ top: 1000 }],
    sql: ({ top }) => `
      SELECT g.title, l.platform::text, count(*)::int, ${rounded('100.0 * count(*) FILTER (WHERE playtime_seconds > 0) / count(*)', 2)},
        ${rounded('sum(playtime_seconds) / 3600.0 / count(*)', 1)},
        ${rounded('sum(playtime_seconds) / 3600.0 / nullif(count(*) FILTER (WHERE playtime_seconds > 0), 0)', 1)}
      FROM kept.library l JOIN kept.newest USING (n) JOIN kept.game g ON g.id = l.game_id AND g.n = newest.n
      WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > newest.taken_at)
      GROUP BY g.id, g.title, l.platform ORDER BY 3 DESC, g.id, l.platform::text COLLATE "C" LIMIT ${top}`,
  },
  {
    name: 'registrations-by-country',
    others: [{ days: 3000 }],
    sql: ({ days }) => `
      WITH seen AS (SELECT DISTINCT ON (id) * FROM kept.player ORDER BY id, n DESC),
      cells AS (
        SELECT created_at::date AS day, CASE WHEN id IN (SELECT id FROM kept.erased) THEN 'ZZ' ELSE coalesce(country, 'ZZ') END AS country, count(*) AS r
        FROM seen GROUP BY 1, 2)
      SELECT country, count(*)::int, (count(*) FILTER (WHERE r < 10))::int,
        (coalesce(sum(r) FILTER (WHERE r >= 10), 0) + count(*) FILTER (WHERE r < 10))::int AS least,
        (coalesce(sum(r) FILTER (WHERE r >= 10), 0) + count(*) FILTER (WHERE r < 10) * 9)::int
      FROM cells WHERE day > (SELECT max(day) FROM cells) - ${days} GROUP BY country ORDER BY least DESC, country COLLATE "C"`,
  },
  {
    name: 'owners-and-players-by-studio',
    others: [{ days: 365 }],
    sql: ({ days }) => `
      WITH entries AS MATERIALIZED (
        SELECT g.studio_id, l.player_id, l.acquired_at::date AS day FROM kept.library l JOIN kept.game g ON g.id = l.game_id AND g.n = l.n),
      firsts AS (SELECT studio_id, player_id, min(day) AS day FROM entries GROUP BY 1, 2),
      acquired AS (SELECT day, studio_id, count(*) AS entries, count(DISTINCT player_id) AS persons FROM entries GROUP BY 1, 2),
      owned AS (SELECT day, studio_id, count(*) AS owners FROM firsts GROUP BY 1, 2),
      played AS (
        SELECT day, studio_id, count(DISTINCT player_id) AS players, sum(seconds) AS seconds
        FROM kept.activity WHERE studio_id IS NOT NULL GROUP BY 1, 2),
      cells AS (
        SELECT day, studio_id, coalesce(players, 0) AS players, coalesce(seconds, 0) AS seconds, coalesce(entries, 0) AS entries,
          coalesce(persons, 0) AS persons, coalesce(owners, 0) AS owners, day >= (SELECT min(taken_at)::date FROM kept.snapshot) AS watched
        FROM played FULL JOIN acquired USING (day, studio_id) LEFT JOIN owned USING (day, studio_id)
        WHERE day > (SELECT greatest((SELECT max(day) FROM entries), (SELECT max(day) FROM kept.activity))) - ${days}),
      shown AS (
        SELECT day, studio_id, ${shown('players', 'players')} AS players, ${shown('seconds', 'players')} AS seconds, ${shown('entries', 'persons')} AS entries,
          ${shown('owners', 'owners')} AS owners, watched,
          players BETWEEN 1 AND 9 OR persons BETWEEN 1 AND 9 OR owners BETWEEN 1 AND 9 AS hidden FROM cells)
      SELECT s.name, count(*)::int, (count(*) FILTER (WHERE hidden))::int, sum(entries)::int, sum(owners)::int,
        ${rounded('avg(players) FILTER (WHERE watched AND players > 0)', 1)}, ${rounded('sum(seconds) FILTER (WHERE watched) / 3600.0', 1)} AS hours
      FROM shown JOIN kept.newest ON true JOIN kept.studio s ON s.id = studio_id AND s.n = newest.n
      GROUP BY s.id, s.name ORDER BY hours DESC NULLS LAST, s.id`,
  },
  {
    name: 'refund-rate-by-source',
    others: [{ min_entries: 100 }],
    sql: ({ min_entries }) => `
      SELECT date_trunc('month', acquired_at)::date::text, source::text, count(*)::int,
        (count(*) FILTER (WHERE revoke_reason IN ('refund', 'chargeback')))::int,
        ${rounded("100.0 * count(*) FILTER (WHERE revoke_reason IN ('refund', 'chargeback')) / count(*)", 2)}
      FROM kept.library GROUP BY 1, 2 HAVING count(*) >= ${min_entries} ORDER BY 1, source::text COLLATE "C"`,
  },
]
