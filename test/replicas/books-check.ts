import type { Database } from '../../src/database/database.ts'
import type { Books } from './load.ts'

/**
 * Holds what callers were told against the rows and the audit trail: what was acknowledged is there exactly once, and nothing of
 * what was not is there twice or in part. Sentences about what is wrong.
 */
export async function wrongEntries(database: Database, books: Books): Promise<string[]> {
  return [
    ...books.complaints,
    ...(await wrongCreations(database, books)),
    ...(await wrongNames(database, books)),
    ...(await wrongTotals(database, books)),
  ]
}

interface CreationRow {
  readonly username: string
  readonly rows: number
  readonly events: number
}

async function wrongCreations(database: Database, { created }: Books): Promise<string[]> {
  const found = await database.query<CreationRow>({
    text: `SELECT username, count(DISTINCT player.id)::int AS rows, count(audit_event.seq)::int AS events
           FROM player LEFT JOIN audit_event
             ON entity_type = 'player' AND entity_id = player.id::text AND action = 'player.create'
           WHERE username = ANY($1) GROUP BY username`,
    values: [[...created.keys()]],
  })
  const byName = new Map(found.map((row) => [row.username, row]))
  return [...created].flatMap(([username, { acknowledged }]) => {
    const { rows, events } = byName.get(username) ?? { rows: 0, events: 0 }
    if (rows === events && (acknowledged ? rows === 1 : rows <= 1)) return []
    return [`${username}, acknowledged: ${acknowledged}: ${rows} rows, ${events} events`]
  })
}

async function wrongNames(database: Database, { renamed }: Books): Promise<string[]> {
  const wrong: string[] = []
  const events = await database.query<{ request_id: string; events: number }>({
    text: `SELECT request_id, count(*)::int AS events FROM audit_event
           WHERE action = 'player.update' AND request_id = ANY($1) GROUP BY request_id`,
    values: [[...renamed.keys()]],
  })
  const byRequest = new Map(events.map((row) => [row.request_id, row.events]))
  const versions = new Map<string, { changes: number; names: Set<string> }>()
  for (const [requestId, { acknowledged, playerId, name }] of renamed) {
    const count = byRequest.get(requestId) ?? 0
    if (acknowledged ? count !== 1 : count > 1)
      wrong.push(`${requestId}, acknowledged: ${acknowledged}: ${count} events`)
    const player = versions.get(playerId) ?? { changes: 0, names: new Set() }
    player.changes += count
    // Of one writer, one after the other: the last one that happened is the name.
    if (count > 0) player.names = new Set([name])
    versions.set(playerId, player)
  }
  const players = await database.query<{ id: string; version: number; display_name: string | null }>({
    text: 'SELECT id, version, display_name FROM player WHERE id = ANY($1::uuid[])',
    values: [[...versions.keys()]],
  })
  for (const { id, version, display_name } of players) {
    const { changes, names } = versions.get(id) ?? { changes: 0, names: new Set() }
    if (version !== 1 + changes) wrong.push(`${id} has version ${version} after ${changes} changes`)
    if (changes > 0 && !names.has(display_name ?? '')) wrong.push(`${id} is called ${display_name}`)
  }
  return wrong
}

async function wrongTotals(database: Database, { played }: Books): Promise<string[]> {
  const rows = await database.query<{ player_id: string; total: number }>({
    text: 'SELECT player_id, playtime_seconds::int AS total FROM player_game WHERE player_id = ANY($1::uuid[])',
    values: [[...played.keys()]],
  })
  return rows.flatMap(({ player_id, total }) => {
    const { acknowledged = 0, sent = 0 } = played.get(player_id) ?? {}
    return total >= acknowledged && total <= sent
      ? []
      : [`${player_id} played ${total} s; acknowledged ${acknowledged}, sent ${sent}`]
  })
}
