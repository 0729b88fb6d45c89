/** How large the lake is, and what moves in it from snapshot to snapshot. */
export interface LakeSize {
  /** Of the first snapshot. */
  readonly players: number
  /** Library entries of the first snapshot. */
  readonly entries: number
  readonly snapshots: number
}

export interface RawTable {
  readonly name: string
  /** Rows of snapshot `at`, 0 the first. */
  readonly rows: (at: number) => number
  /** SQL of DuckDB for each column of row `i` in snapshot `at`. */
  readonly values: (at: number) => Readonly<Record<string, string>>
}

/** Of a thousand rows one is new in each snapshot, and of a hundred one has changed. */
const grown = (rows: number) => (at: number) => rows + Math.floor((rows * at) / 1000)
const STUDIOS = 1_000
const GAMES = 10_000
const LATER = "INTERVAL '1 day'"
const BORN = "TIMESTAMPTZ '2022-01-01 00:00:00+00'"
/** Of the first snapshot. */
export const FIRST_TAKEN_AT = Date.UTC(2026, 10, 20, 2)

export const takenAt = (at: number): string => new Date(FIRST_TAKEN_AT + at * 86_400_000).toISOString()
const instant = (at: number) => `TIMESTAMPTZ '${takenAt(at)}'`

/** A number from 0 to `below` - 1 that only row and salt decide. */
const dice = (salt: string, below: number, row = 'i') => `(hash(${row}, '${salt}') % ${below})`
/** How often the row has changed up to this snapshot. */
const changes = (salt: string, at: number) =>
  at === 0
    ? '0'
    : Array.from({ length: at }, (_, t) => `CAST(${dice(`${salt}-${t + 1}`, 100)} = 0 AS INTEGER)`).join(' + ')
const uuid = (salt: string, row = 'i') =>
  `format('{:08x}-{:04x}-7', (CAST(${row} AS BIGINT) + 1700000000) // 16, (CAST(${row} AS BIGINT) * 37) % 65536)
     || substr(md5('${salt}' || ${row}), 1, 3) || '-8' || substr(md5('${salt}' || ${row}), 4, 3) || '-' || substr(md5('${salt}' || ${row}), 7, 12)`
const made = (rows: number) =>
  `${BORN} + to_milliseconds(CAST(i * ${Math.floor((1_700 * 86_400_000) / rows)} AS BIGINT))`
const code = (from: string, count: number) =>
  `chr(65 + CAST((${from}) % ${count} AS INTEGER)) || chr(65 + CAST((${from}) // ${count} AS INTEGER))`
const updated = (salt: string, at: number, rows: number) =>
  `CASE WHEN ${changes(salt, at)} > 0 THEN ${instant(at)} - ${LATER} ELSE ${made(rows)} END`

function players(size: LakeSize): RawTable {
  return {
    name: 'players',
    rows: grown(size.players),
    values(at) {
      // One in ten thousand is erased between two snapshots.
      const erased = `${dice('erased', 10_000)} < ${at}`
      const closed = `${dice('closed', 50)} = 0`
      const shown = (value: string) => `CASE WHEN NOT ${erased} THEN ${value} END`
      const changed = changes('player', at)
      return {
        player_ref: "md5('player' || i)",
        email_verified: `NOT ${erased} AND ${dice('verified', 10)} < 8`,
        birth_year: shown(
          `CASE WHEN ${dice('minor', 12)} = 0 THEN 'under_18' ELSE CAST(1950 + ${dice('born', 55)} AS VARCHAR) END`,
        ),
        country: shown(code(`${dice('country', 49)} * 5 + ${changed}`, 16)),
        language: shown(`lower(${code(dice('language', 25), 5)})`),
        status: `CASE WHEN ${erased} THEN 'erased' WHEN ${closed} THEN 'closed' ELSE 'active' END`,
        closed_at: `CASE WHEN ${closed} OR ${erased} THEN ${instant(0)} - ${LATER} END`,
        erased_at: `CASE WHEN ${erased} THEN ${instant(0)} END`,
        version: `1 + ${changed}`,
        created_at: made(size.players),
        updated_at: updated('player', at, size.players),
      }
    },
  }
}

function entries(size: LakeSize): RawTable {
  return {
    name: 'player_games',
    rows: grown(size.entries),
    values(at) {
      const played = changes('entry', at)
      const acquired = made(size.entries)
      return {
        id: uuid('entry'),
        player_ref: `md5('player' || ${dice('of', size.players)})`,
        // Few games have most of the players.
        game_id: uuid('game', `(${dice('game', GAMES)} * ${dice('again', GAMES)} // ${GAMES})`),
        platform: `['pc', 'console', 'mobile'][1 + CAST(${dice('platform', 3)} AS INTEGER)]`,
        source: `['purchase', 'gift', 'bundle'][1 + CAST(${dice('source', 3)} AS INTEGER)]`,
        acquired_at: acquired,
        revoked_at: `CASE WHEN ${dice('revoked', 40)} = 0 THEN ${acquired} + ${LATER} END`,
        revoke_reason: `CASE WHEN ${dice('revoked', 40)} = 0 THEN 'refund' END`,
        playtime_seconds: `CAST(${dice('played', 400_000)} + 3600 * (${played}) AS BIGINT)`,
        first_played_at: `${acquired} + INTERVAL '1 hour'`,
        last_played_at: `CASE WHEN ${played} > 0 THEN ${instant(at)} - INTERVAL '5 hours' ELSE ${acquired} + INTERVAL '2 hours' END`,
        version: `1 + ${played}`,
        created_at: acquired,
        updated_at: updated('entry', at, size.entries),
      }
    },
  }
}

function studios(): RawTable {
  return {
    name: 'studios',
    rows: grown(STUDIOS),
    values: (at) => ({
      ...{ id: uuid('studio'), slug: "'studio-' || i", name: `'Studio ' || i || '.' || (${changes('studio', at)})` },
      ...{ country: code(dice('country', 100), 10), status: "'active'", status_changed_at: made(STUDIOS) },
      ...{
        version: `1 + ${changes('studio', at)}`,
        created_at: made(STUDIOS),
        updated_at: updated('studio', at, STUDIOS),
      },
    }),
  }
}

function games(): RawTable {
  return {
    name: 'games',
    rows: grown(GAMES),
    values: (at) => ({
      ...{ id: uuid('game'), studio_id: uuid('studio', dice('studio', STUDIOS)), slug: "'game-' || i" },
      ...{ title: `'Game ' || i || '.' || (${changes('game', at)})`, genres: `'["action"]'`, min_age: '12' },
      ...{
        release_date: "DATE '2024-05-01'",
        release_precision: "'day'",
        status: "'released'",
        status_changed_at: made(GAMES),
      },
      ...{ version: `1 + ${changes('game', at)}`, created_at: made(GAMES), updated_at: updated('game', at, GAMES) },
    }),
  }
}

/** The lake tables that the curated ones are made of. */
export function rawTables(size: LakeSize): readonly RawTable[] {
  return [players(size), studios(), games(), entries(size)]
}
