import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../src/database/migrate.ts'
import { ensureLake } from '../../src/lake/lake-setup.ts'
import { testPlace } from '../lake/lake-fixture.ts'
import { lakeEnvironment } from '../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { type Finished, freePort, removeFolder, runCommand, type Service, startService } from '../support/service.ts'
import { ArchivedPostgres } from './archived-postgres.ts'

/** The procedures "Restore the database" and "Replay" of docs/operations.md, as they stand there. */
const full = process.env.PROOF === 'full'

const closers: (() => Promise<unknown>)[] = []
const dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-restore-'))
let aws: TestAws
let database: ArchivedPostgres
let env: Record<string, string>
let service: Service | undefined
let port: number

beforeAll(async () => {
  if (!full) return
  ;[aws, database, port] = await Promise.all([startTestAws(), ArchivedPostgres.start(dir), freePort()])
  closers.push(
    () => aws.stop(),
    () => database.stop(),
  )
  await migrate({ url: database.url })
  const place = testPlace('restore')
  await ensureLake(place, aws, { owned: true })
  env = { ...lakeEnvironment(database.url, aws, place), LAKE_RETIRE_GRACE: '1s', LAKE_SCHEDULER: 'none' }
})

afterAll(async () => {
  await service?.stop()
  for (const close of closers.reverse()) await close()
  await removeFolder(dir)
})

async function rocketgames(...args: readonly string[]): Promise<Finished> {
  return runCommand(args, env)
}

async function serve(): Promise<void> {
  service = await startService({ dir: path.join(dir, 'service'), port, env })
  await service.saw(/"msg":"listening"/)
}

async function stopServing(): Promise<void> {
  await service?.stop()
  service = undefined
}

/** The last line of standard output: a token, an id. */
const said = ({ stdout }: Finished) => stdout.trim().split('\n').at(-1) ?? ''

interface Write {
  readonly key: string
  readonly path: string
  readonly body: object
}

const studio = (name: string): Write => ({ key: `studio-${name}`, path: '/v1/studios', body: { slug: name, name } })

async function send(token: string, { body, key, path: where }: Write) {
  const answer = await fetch(`http://127.0.0.1:${port}${where}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      'If-Match': '*',
    },
    body: JSON.stringify(body),
  })
  const replayed = answer.headers.get('Idempotency-Replayed') === 'true'
  return { status: answer.status, replayed, body: (await answer.json()) as { id: string } }
}

const FILE = Array.from({ length: 50 }, (_, i) => JSON.stringify({ username: `crew-${i}`, country: 'SE' })).join('\n')

/** The totals of an import. */
async function sendFile(token: string, mode = 'upsert'): Promise<object> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/imports/players?matchBy=username&mode=${mode}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' },
    body: FILE,
  })
  return JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '{}')
}

async function sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client(env.DATABASE_URL)
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

const slugs = async () => (await sql<{ slug: string }>('SELECT slug FROM studio ORDER BY slug')).map((row) => row.slug)
const status = async (token: string) =>
  (await fetch(`http://127.0.0.1:${port}/v1/studios`, { headers: { Authorization: `Bearer ${token}` } })).status

/** As in the runbook, of the instance before. */
const WHAT_IS_OWED = `
  SELECT action, entity_id, changes #>> '{status,to}' AS status FROM audit_event
  WHERE occurred_at > '<T>' AND (entity_type = 'api_key' OR action IN ('player.transition', 'owner.transition'))
  ORDER BY seq`

interface Found {
  readonly findings: readonly { readonly code: string }[]
}

async function findings(): Promise<string[]> {
  const report = JSON.parse((await rocketgames('verify', '--all', '--json')).stdout) as Found
  return [...new Set(report.findings.map(({ code }) => code))].sort()
}

async function snapshot(): Promise<{ id: string; sequence: number }> {
  const done = await rocketgames('snapshot', '--json')
  expect(done.code, done.stderr).toBe(0)
  const { id, sequence } = JSON.parse(done.stdout) as { id: string; sequence: number }
  return { id, sequence }
}

test.runIf(full)(
  'a database is restored to an instant: the lake goes on, callers replay, and nothing is there twice',
  async () => {
    const admin = said(await rocketgames('keys', 'create', '--name', 'admin'))
    const leaked = said(await rocketgames('keys', 'create', '--name', 'leaked'))
    await serve()
    const before = [studio('before-copy')]
    const first = await send(admin, studio('before-copy'))
    const kept = await snapshot()
    await database.takeBaseCopy()
    before.push(studio('after-copy'))
    const second = await send(admin, studio('after-copy'))
    const person = await send(admin, {
      key: 'person-0001',
      path: '/v1/players',
      body: { username: 'leaver', country: 'SE' },
    })
    const [now] = await sql<{ instant: string }>('SELECT clock_timestamp()::text AS instant')
    const instant = now?.instant ?? ''

    const lost = [studio('lost-one'), studio('lost-two')]
    for (const write of lost) expect((await send(admin, write)).status).toBe(201)
    const close = { to: 'closed', reason: 'asked for it' }
    const closing = { key: 'close-0001', path: `/v1/players/${person.body.id}/transitions`, body: close }
    expect((await send(admin, closing)).status).toBe(200)
    expect(await sendFile(admin)).toMatchObject({ _end: { created: 50 } })
    const young = said(await rocketgames('keys', 'create', '--name', 'young'))
    await rocketgames('keys', 'revoke', leaked.split('_')[2] ?? '')
    expect(await status(leaked)).toBe(401)
    // More numbers than a restored sequence leaves out by itself.
    await sql(`SELECT nextval(pg_get_serial_sequence('lake_snapshots', 'sequence')) FROM generate_series(1, 40)`)
    const newest = [await snapshot(), await snapshot()]
    const [, last = kept] = newest

    expect(await sql(WHAT_IS_OWED.replace('<T>', instant))).toEqual([
      { action: 'player.transition', entity_id: person.body.id, status: 'closed' },
      { action: 'api_key.create', entity_id: young.split('_')[2], status: null },
      { action: 'api_key.revoke', entity_id: leaked.split('_')[2], status: null },
    ])
    await stopServing()
    const restored = await database.restore(instant)
    closers.push(() => restored.stop())
    env = { ...env, DATABASE_URL: restored.url }
    expect(await slugs()).toEqual(['after-copy', 'before-copy'])

    expect((await rocketgames('recover')).code).toBe(0)
    expect((await rocketgames('recover', '--after-restore')).code).toBe(2)
    expect(await findings()).toEqual(
      ['extra_partition', 'pointer_mismatch', 'stray_manifest', 'stray_object', 'view_drift'].sort(),
    )
    const next = await snapshot()
    expect(next.sequence).toBeGreaterThan(last.sequence)
    expect(await findings()).toEqual(['extra_partition', 'stray_manifest', 'stray_object'])
    const counted = await rocketgames(
      'query',
      `SELECT action, count(*) AS times FROM ${env.LAKE_RAW_DATABASE}.audit_events WHERE snapshot_id = '${last.id}'
       AND occurred_at > timestamp '${instant.slice(0, 23)}' GROUP BY action ORDER BY action`,
      '--csv',
    )
    expect(counted.code, counted.stderr).toBe(0)
    expect(counted.stdout.trim().split(/\s+/)).toEqual([
      'action,times',
      'api_key.create,1',
      'api_key.revoke,1',
      'player.create,50',
      'player.transition,1',
      'snapshot.request,2',
      'studio.create,2',
    ])

    await serve()
    expect(await status(leaked)).toBe(200)
    expect(await status(young)).toBe(401)
    for (const round of [1, 2]) {
      const old = await Promise.all(before.map((write) => send(admin, write)))
      expect(old).toMatchObject([
        { status: 201, replayed: true, body: { id: first.body.id } },
        { status: 201, replayed: true, body: { id: second.body.id } },
      ])
      const again = await Promise.all(lost.map((write) => send(admin, write)))
      expect(again).toMatchObject(lost.map(() => ({ status: 201, replayed: round > 1 })))
      expect(await sendFile(admin)).toMatchObject({ _end: round > 1 ? { unchanged: 50 } : { created: 50 } })
    }
    expect(await slugs()).toEqual(['after-copy', 'before-copy', 'lost-one', 'lost-two'])
    expect(await sql(`SELECT count(*)::int AS players FROM player`)).toEqual([{ players: 51 }])

    const told = await rocketgames('recover', '--after-restore')
    expect([told.code, told.stdout.split('\n').filter(Boolean).length]).toEqual([0, 2])
    for (const { id } of newest) expect(told.stdout).toContain(id)
    expect((await rocketgames('retention')).code).toBe(0)
    await expect
      .poll(() => rocketgames('retention').then(({ stdout }) => stdout), { timeout: 30_000 })
      .toMatch(/Nothing/)
    expect(await findings()).toEqual([])
  },
)
