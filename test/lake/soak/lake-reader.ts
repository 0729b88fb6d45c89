import { setTimeout as sleep } from 'node:timers/promises'
import type { WholeLake } from './whole-lake.ts'

/** Somebody who reads without pause while snapshots come and go. */
export interface LakeReader {
  readonly queries: number
  /** Whatever was not whole, one sentence each. */
  readonly complaints: readonly string[]
  stop(): Promise<void>
}

const TABLES = ['players', 'player_games', 'games', 'audit_events'] as const

/**
 * Reads the `_latest` views, the raw tables, and joins within the newest snapshot; each answer must show whole snapshots and
 * nothing else, rows counted as their manifests say.
 *
 * @param pauseMs between two queries.
 */
export function startReader(lake: WholeLake, pauseMs: number): LakeReader {
  const { database: views, rawDatabase: raw } = lake.place
  const complaints: string[] = []
  let queries = 0
  let stopped = false
  let highest = 0

  const select = async (sql: string) => {
    queries++
    return lake.select(sql)
  }
  /** Counts of an answer by snapshot, against the manifests; what is unknown or short is a complaint. */
  const compare = async (what: string, table: string, counted: readonly (readonly unknown[])[]) => {
    const manifests = await lake.manifests('committed', 'published', 'retiring', 'retired')
    for (const [id, count] of counted) {
      const rows = manifests.get(String(id))?.tables.find(({ name }) => name === table)?.rows
      if (rows !== Number(count)) complaints.push(`${what} shows ${count} rows of ${id}, whose manifest says ${rows}`)
    }
    return manifests
  }
  const latest = async (table: string) => {
    const sql = `SELECT snapshot_id, count(*) FROM ${views}.${table}_latest GROUP BY snapshot_id`
    const rows = await select(sql)
    if (rows.length !== 1) complaints.push(`${table}_latest shows ${rows.length} snapshots`)
    const manifests = await compare(`${table}_latest`, table, rows)
    const sequence = manifests.get(String(rows[0]?.[0]))?.sequence ?? 0
    if (table === 'players' && sequence < highest) complaints.push(`players_latest went back to ${rows[0]?.[0]}`)
    if (table === 'players') highest = sequence
  }
  const rawTable = async (table: string) => {
    await compare(
      `${raw}.${table}`,
      table,
      await select(`SELECT snapshot_id, count(*) FROM ${raw}.${table} GROUP BY 1`),
    )
  }
  const join = async () => {
    const [newest] = await select(`SELECT max_by(snapshot_id, sequence) FROM ${views}.snapshots`)
    const orphans = await orphansOf(lake, String(newest?.[0]))
    queries++
    if (orphans !== 0) complaints.push(`${orphans} games of ${newest?.[0]} have no player`)
  }

  const reading = (async () => {
    for (let turn = 0; !stopped; turn++) {
      const table = TABLES[turn % TABLES.length] ?? 'players'
      const kind = turn % 5
      await sleep(pauseMs)
      await (kind === 3 ? rawTable(table) : kind === 4 ? join() : latest(kind === 0 ? 'players' : table))
    }
  })()
  const ended = reading.catch((error: unknown) => void complaints.push(`a query failed: ${error}`))
  return {
    get queries() {
      return queries
    },
    complaints,
    async stop() {
      stopped = true
      await ended
    },
  }
}

/** Games of one snapshot whose player is not in it. */
export async function orphansOf(lake: WholeLake, id: string): Promise<number> {
  const table = (name: string) => `(SELECT * FROM ${lake.place.rawDatabase}.${name} WHERE snapshot_id = '${id}')`
  const [row] = await lake.select(`
    SELECT count(*) - count(p.player_ref)
      FROM ${table('player_games')} g LEFT JOIN ${table('players')} p
        ON p.player_ref = g.player_ref AND p.snapshot_id = g.snapshot_id`)
  return Number(row?.[0])
}
