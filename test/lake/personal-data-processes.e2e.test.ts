import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { removeFolder, runCommand, type Service, startService } from '../support/service.ts'
import { idNeedles, MARKER, markEverything, markerNeedles } from './personal-markers.ts'
import { seedAccounts } from './snapshot/seed.ts'

/** What the program itself says, all of its processes, while a snapshot is made of marked rows. */

const PLAYERS = 30
const WAIT = { timeout: 60_000, interval: 100 }

let service: Service
let client: pg.Client
let token: string
let url: string
let needles: Map<string, Buffer>
/** Number of the last audit event before the program was asked for anything. */
let lastEvent: number

beforeAll(async () => {
  service = await startService({ env: { SAMPLE_DATA: 'off', LOG_LEVEL: 'trace' } })
  await service.saw(/ready to use/i)
  const local = { LOCAL_DATA_DIR: service.dir }
  const env = JSON.parse((await runCommand(['env', '--json'], local)).stdout) as Record<string, string>
  url = env.API_URL ?? ''
  await seedAccounts(env.DATABASE_URL ?? '', PLAYERS)
  client = new pg.Client({ connectionString: env.DATABASE_URL, options: '-c timezone=UTC' })
  await client.connect()
  expect((await markEverything(client)).length).toBeGreaterThan(20)
  const { rows } = await client.query<{ id: string }>('SELECT id FROM player UNION ALL SELECT id FROM studio_owner')
  needles = new Map([
    ...markerNeedles(),
    ...rows.flatMap(({ id }) => idNeedles(id).map((form, i): [string, Buffer] => [`an id in form ${i}`, form])),
  ])
  const { rows: last } = await client.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM audit_event')
  lastEvent = Number(last[0]?.seq)
  // Secrets of keys are marked, too: this one is made after that.
  token = (await runCommand(['keys', 'create', '--name', 'test'], local)).stdout.trim()
}, 180_000)

afterAll(async () => {
  await client?.end()
  await service?.stop()
  removeFolder(service.dir)
})

async function ask(address: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const headers = { authorization: `Bearer ${token}`, ...init.headers }
  const answer = await fetch(new URL(address, url), { ...init, headers })
  return { status: answer.status, text: await answer.text() }
}

/** Asks for a snapshot and waits for its end. */
async function snapshot(): Promise<{ id: string; state: string; text: string }> {
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const { status, text } = await ask('/v1/lake/snapshots', { method: 'POST', headers })
  expect(status, text).toBe(202)
  const { id } = JSON.parse(text) as { id: string }
  return await vi.waitFor(async () => {
    const { text: now } = await ask(`/v1/lake/snapshots/${id}`)
    const { state } = JSON.parse(now) as { state: string }
    expect(['published', 'failed']).toContain(state)
    return { id, state, text: now }
  }, WAIT)
}

/** Files of the data folder that hold words: logs, and what processes keep for each other. The database and the bucket are not among them. */
async function writtenFiles(): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const entry of await readdir(service.dir, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (entry.isFile() && /\.(log|json|ndjson|txt)$/.test(entry.name)) found.set(file, await readFile(file))
  }
  return found
}

async function haystacks(): Promise<Map<string, Buffer>> {
  const texts = new Map<string, Buffer>(await writtenFiles())
  for (const address of ['/metrics', '/v1/lake/snapshots', '/v1/lake/tables', '/v1/lake/queries']) {
    const { status, text } = await ask(address)
    expect(status, address).toBe(200)
    texts.set(address, Buffer.from(text))
  }
  const { rows } = await client.query<{ text: string }>(
    'SELECT row_to_json(e)::text AS text FROM audit_event e WHERE seq > $1',
    [lastEvent],
  )
  texts.set('audit trail', Buffer.from(rows.map(({ text }) => text).join('\n')))
  texts.set('said', Buffer.from(service.output()))
  return texts
}

const search = (places: ReadonlyMap<string, Buffer>, what: ReadonlyMap<string, Buffer>) =>
  [...places].flatMap(([name, bytes]) =>
    [...what].flatMap(([each, needle]) => (bytes.includes(needle) ? [`${each} in ${name}`] : [])),
  )

test('lake 27: … → none in what the API and the processes of its snapshots log, count, answer and keep in the audit trail', async () => {
  const players = await ask('/v1/players')
  expect(players.status, players.text).toBe(200)
  expect(players.text).toContain(MARKER)
  const done = await snapshot()
  expect(done.state, `${done.text}\n${service.output().slice(-4000)}`).toBe('published')

  const places = await haystacks()
  expect(search(places, needles)).toEqual([])
  // It is all there to be found: of the snapshot, and in each kind of place.
  const there = search(places, new Map([['it', Buffer.from(done.id)]])).join('\n')
  expect(there).toMatch(/in said/)
  expect(there).toMatch(/in audit trail/)
  expect(there).toMatch(/in \/v1\/lake\/snapshots/)
  expect(places.get('/metrics')?.toString()).toMatch(/lake_/)
})

test('lake 27: … → none where a row stops a snapshot of the API, but for the key of that row, told to who may read snapshots', async () => {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE player SET closed_at = 'infinity' WHERE id = (SELECT id FROM player LIMIT 1) RETURNING id`,
  )
  const key = rows[0]?.id ?? ''
  const { id, state, text } = await snapshot()
  expect(state).toBe('failed')
  expect(text).toContain('unrepresentable_value')
  expect(text).toContain(key)
  const found = search(await haystacks(), needles)
  expect(found.filter((each) => !each.endsWith('in /v1/lake/snapshots'))).toEqual([])
  expect(service.output()).toContain(id)
})
