import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemContext } from '../../src/caller.ts'
import { openDatabase } from '../../src/database/database.ts'
import { ImportService } from '../../src/imports/import-service.ts'
import { samplePeriod } from '../../src/local/sample/period.ts'
import { playerLine } from '../../src/local/sample/players.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { type ApiProcess, startApiProcess } from '../support/api-process.ts'
import { counted } from '../support/counts.ts'
import { createTestDatabase } from '../support/database.ts'

/** The service dies without a word, again and again, in the middle of imports over HTTP. */

const KILLS = counted(2, 10)
const LINES = counted(4_000, 20_000)
/** Lines that are sent and not yet answered: at a kill, the rest of the file is not even sent. */
const AHEAD = 1_200
const PERIOD = samplePeriod(Date.UTC(2026, 9, 1))

interface Line {
  readonly username: string
  readonly status: string
  readonly createdAt: string
}

const lines = Array.from({ length: LINES }, (_, i) => {
  const line = playerLine(PERIOD, i) as Line
  return line.status === 'closed' ? { ...line, closedAt: line.createdAt } : line
})

/** Everything of the players that comes from their lines. */
const CONTENTS = [
  `SELECT username, username_key, display_name, email, email_key, email_verified_at, birth_date, country, locale, status, closed_at,
    created_at, version FROM player ORDER BY username_key`,
  `SELECT p.username_key, i.provider, i.namespace, i.subject, i.provider_name, i.verified_at, i.unlinked_at
    FROM player_identity i JOIN player p ON p.id = i.player_id ORDER BY 2, 3, 4`,
  `SELECT p.username_key, a.action, a.changes - 'createdAt' - 'linkedAt' - 'closedAt' - 'updatedAt' - 'id' - 'playerId' FROM audit_event a
    JOIN player p ON p.id::text = a.entity_id ORDER BY 1, 2, 3`,
]

async function contents(url: string): Promise<string[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const copies: string[] = []
    for (const query of CONTENTS)
      copies.push((await buffer(client.query(copyTo(`COPY (${query}) TO STDOUT`)))).toString())
    return copies
  } finally {
    await client.end()
  }
}

/** The same file, in one go, into a database where nothing happens. */
async function undisturbed(): Promise<string[]> {
  const { url, drop } = await createTestDatabase()
  const database = openDatabase({ url, poolSize: 2 })
  try {
    const run = new ImportService(database).run('players', { objects: lines }, {}, systemContext('test', 'undisturbed'))
    for await (const answers of run) expect(answers.length).toBeGreaterThan(0)
    return await contents(url)
  } finally {
    await database.close()
    await drop()
  }
}

interface Answer {
  readonly line: number
  readonly status: string
  readonly id: string
}

let api: TestApi
let service: ApiProcess

const start = () => startApiProcess({ databaseUrl: api.databaseUrl, secret: api.secret })

/**
 * Sends the file, never far ahead of its answers, and reads these.
 *
 * @param onAnswer called with each line; the process may be gone after it
 * @returns the whole lines of the answer that arrived, and whether it came to its end
 */
async function send(onAnswer: (answer: Answer) => void): Promise<{ answers: Answer[]; end?: Record<string, number> }> {
  const request = http.request(`http://127.0.0.1:${service.port}/v1/imports/players`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${api.adminToken}`, 'Content-Type': 'application/x-ndjson' },
  })
  // The connection breaks while the body is still being sent.
  request.on('error', () => undefined)
  const answers: Answer[] = []
  let sent = 0
  const feed = () => {
    if (sent === LINES) return
    const until = Math.min(LINES, answers.length + AHEAD)
    request.write(
      lines
        .slice(sent, until)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    )
    sent = until
    if (sent === LINES) request.end()
  }
  feed()
  let end: Record<string, number> | undefined
  let rest = ''
  try {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    for await (const chunk of response) {
      const parts = (rest + String(chunk)).split('\n')
      rest = parts.pop() ?? ''
      for (const text of parts) {
        const answer = JSON.parse(text) as Answer & { _end?: Record<string, number> }
        if (answer._end !== undefined) end = answer._end
        else {
          answers.push(answer)
          onAnswer(answer)
        }
      }
      feed()
    }
  } catch {
    // Cut off: what has arrived counts.
  }
  return { answers, ...(end === undefined ? {} : { end }) }
}

beforeAll(async () => {
  api = await createTestApi()
  service = await start()
})

afterAll(async () => {
  await service?.kill()
  await api?.close()
})

it(`loses nothing that was answered to ${KILLS} kills, and the file sent again completes it`, {
  timeout: counted(120_000, 3_600_000),
}, async () => {
  const usernames = lines.map((line) => (line as Line).username)
  for (let kill = 1; kill <= KILLS; kill++) {
    // Each time further into the file, so that it dies while new lines are written.
    const deadline = Math.floor((LINES * kill) / (KILLS + 1))
    const { answers, end } = await send(({ line }) => {
      if (line === deadline) void service.kill()
    })
    expect(end).toBeUndefined()
    expect(answers.length).toBeGreaterThanOrEqual(deadline)
    await service.kill()
    service = await start()
    const client = new pg.Client(api.databaseUrl)
    await client.connect()
    const { rows } = await client.query<{ id: string; username: string; creations: number }>(
      `SELECT id, username, (SELECT count(*)::int FROM audit_event
          WHERE entity_type = 'player' AND entity_id = player.id::text AND action = 'player.create') AS creations
       FROM player`,
    )
    await client.end()
    const stored = Map.groupBy(rows, ({ username }) => username)
    const answered = answers.map(({ line, id, status }) => [usernames[line - 1], id, status !== 'error'])
    const found = answers.map(({ line }) => {
      const [row, more] = stored.get(usernames[line - 1] as string) ?? []
      return [row?.username, row?.id, row?.creations === 1 && more === undefined]
    })
    expect(found).toEqual(answered)
    expect(rows.length).toBeLessThan(LINES)
  }
  const { answers, end } = await send(() => undefined)
  expect(answers.map(({ line }) => line)).toEqual(lines.map((_, i) => i + 1))
  expect(end).toMatchObject({ lines: LINES, errors: 0, updated: 0 })
  expect((end?.created ?? 0) + (end?.unchanged ?? 0)).toBe(LINES)
  expect(end?.created).toBeGreaterThan(0)
  expect(await contents(api.databaseUrl)).toEqual(await undisturbed())
})
