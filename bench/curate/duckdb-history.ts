/**
 * The versions of players and library entries as DuckDB makes them out of the same files on disk: `node duckdb-history.ts <order>`,
 * JSON. Prints how many of each there are.
 */
import { DuckDBInstance } from '@duckdb/node-api'

export interface HistoryOrder {
  /** Ascending; paths by table. */
  readonly snapshots: readonly {
    readonly takenAt: string
    readonly files: Readonly<Record<string, readonly string[]>>
  }[]
  readonly memory: string
  readonly threads: number
  readonly dir: string
}

const PLAYER = ['email_verified', 'birth_year', 'country', 'language', 'status', 'closed_at', 'erased_at', 'created_at']
const PERSONAL = ['email_verified', 'birth_year', 'country', 'language']
const ENTRY = ['player_ref', 'game_id', 'platform', 'playtime_seconds', 'first_played_at', 'last_played_at']

/** Observations of all snapshots, and the instants at which rows that were there are there no more. */
function versions(
  order: HistoryOrder,
  table: string,
  key: string,
  attributes: readonly string[],
  seen: string,
): string {
  const { snapshots } = order
  const observed = snapshots
    .map(({ files, takenAt }, index) => {
      const next = snapshots[index + 1]
      const gone = next === undefined ? 'NULL::TIMESTAMPTZ' : `TIMESTAMPTZ '${next.takenAt}'`
      const list = files[table]?.map((file) => `'${file}'`).join(', ')
      return `SELECT ${[key, ...attributes].join(', ')}, TIMESTAMPTZ '${takenAt}' AS seen_at, ${gone} AS gone_at FROM read_parquet([${list}])`
    })
    .join(' UNION ALL ')
  const state = `(${attributes.join(', ')})`
  return `
    WITH observed AS (${observed}), shown AS (${seen}),
    beside AS (
      SELECT *, row${state} AS state, lag(row${state}) OVER w AS former, lag(gone_at) OVER w AS former_gone, lead(seen_at) OVER w AS next_at
        FROM shown WINDOW w AS (PARTITION BY ${key} ORDER BY seen_at)),
    changes AS (
      SELECT ${key}, ${attributes.join(', ')}, false AS is_deleted, seen_at AS valid_from FROM beside
       WHERE former IS NULL OR former_gone < seen_at OR state IS DISTINCT FROM former
      UNION ALL
      SELECT ${key}, ${attributes.map(() => 'NULL').join(', ')}, true, gone_at FROM beside
       WHERE gone_at IS NOT NULL AND (next_at IS NULL OR next_at > gone_at))
    SELECT *, lead(valid_from) OVER (PARTITION BY ${key} ORDER BY valid_from) AS valid_to FROM changes ORDER BY ${key}, valid_from`
}

async function main(order: HistoryOrder): Promise<void> {
  const settings = { threads: String(order.threads), memory_limit: order.memory, temp_directory: `${order.dir}/spill` }
  const instance = await DuckDBInstance.create(':memory:', settings)
  const connection = await instance.connect()
  const erased = `bool_or(status = 'erased') OVER (PARTITION BY player_ref)`
  const bare = PERSONAL.map((name) => `CASE WHEN NOT ${erased} THEN ${name} END AS ${name}`).join(', ')
  const players = versions(order, 'players', 'player_ref', PLAYER, `SELECT * REPLACE (${bare}) FROM observed`)
  const file = (name: string) => `${order.dir}/${name}.parquet`
  const write = (sql: string, name: string) =>
    connection.run(`COPY (${sql}) TO '${file(name)}' (FORMAT parquet, COMPRESSION zstd)`)
  await write(players, 'dim_player')
  const gone = `SELECT player_ref FROM '${file('dim_player')}' WHERE status = 'erased'`
  const kept = `SELECT * FROM observed WHERE player_ref NOT IN (${gone})`
  await write(versions(order, 'player_games', 'id', ENTRY, kept), 'library_history')
  for (const name of ['dim_player', 'library_history']) {
    const result = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM '${file(name)}'`)
    process.stdout.write(`${JSON.stringify({ table: name, rows: result.getRows()[0]?.[0] })}\n`)
  }
  connection.closeSync()
  instance.closeSync()
}

await main(JSON.parse(process.argv[2] ?? '{}') as HistoryOrder)
