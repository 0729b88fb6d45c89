import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted } from '../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { ROOT, removeFolder, run, type Service, startService } from '../support/service.ts'

/** What the next release adds to the database, as every migration has to: nothing that is there changes. */
const NEXT_MIGRATION = '20991231000000_add_release_note'
const SQL = `
CREATE TABLE release_note (id bigint PRIMARY KEY, said text NOT NULL);
ALTER TABLE studio ADD COLUMN release_note_id bigint NULL REFERENCES release_note (id);
`
const NOWHERE = 'http://127.0.0.1:9'

let folder: string
let next: string
let database: TestDatabase
let env: Record<string, string>
let token: string
const running: Service[] = []

/** The repository with one migration more, as the next release will be. */
function nextRelease(): string {
  const copy = path.join(folder, 'next')
  for (const part of ['src', 'prisma', 'docs', 'package.json']) {
    cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true })
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  const migration = path.join(copy, 'prisma/migrations', NEXT_MIGRATION)
  mkdirSync(migration)
  writeFileSync(path.join(migration, 'migration.sql'), SQL)
  return path.join(copy, 'src/main.ts')
}

const CURRENT = path.join(ROOT, 'src/main.ts')
const command = (main: string, ...words: string[]) => run(process.execPath, [main, ...words], env)

async function start(main: string): Promise<Service> {
  const service = await startService({ main, env, dir: folder })
  running.push(service)
  return service
}

async function status({ port }: Service, place: string): Promise<{ code: number; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${place}`)
  return { code: answer.status, body: await answer.text() }
}

/** As a load balancer asks, only oftener. */
async function untilReady(service: Service): Promise<void> {
  for (;;) {
    if (service.child.exitCode !== null) throw new Error(service.output())
    const answer = await status(service, '/readyz').catch(() => undefined)
    if (answer?.code === 200) return
    await delay(50)
  }
}

async function makesKey({ port }: Service, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, scopes: ['players:read'] }),
  })
  return answer.status
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-release-'))
  next = nextRelease()
  database = await createTestDatabase()
  env = {
    DATABASE_URL: database.url,
    API_KEY_PEPPER: randomBytes(32).toString('hex'),
    CURSOR_KEY: randomBytes(32).toString('hex'),
    MIGRATE_AT_START: 'off',
    LAKE_SCHEDULER: 'none',
    LAKE_RUNNER: 'ecs',
    LAKE_ECS_CLUSTER: 'none',
    LAKE_ECS_SNAPSHOT_TASK: 'snapshot',
    LAKE_ECS_CARE_TASK: 'care',
    LAKE_ECS_CONTAINER: 'accounts',
    LAKE_ECS_SUBNETS: 'subnet-1',
    LAKE_ECS_SECURITY_GROUPS: 'sg-1',
    LAKE_BUCKET: 'lake-nowhere',
    LAKE_RESULTS: 's3://results-nowhere/',
    AWS_ENDPOINT_URL: NOWHERE,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    LOG_LEVEL: 'info',
  }
  const made = await command(CURRENT, 'keys', 'create', '--name', 'test')
  expect(made.code, made.stderr).toBe(0)
  token = made.stdout.trim()
})

afterAll(async () => {
  for (const service of running) await service.stop()
  await database?.drop()
  removeFolder(folder)
})

// Seven processes: docs/deploy.md, tried out, and not in every `npm test`.
describe.runIf(counted(0, 1) === 1)('a release and the way back (npm run proof -- release)', () => {
  let before: Service
  let after: Service

  it('does not get ready before its migrations, while the release before goes on', async () => {
    before = await start(CURRENT)
    await untilReady(before)
    after = await start(next)
    await after.saw(/waiting for \\"rocketgames migrate\\"/)
    expect((await status(after, '/healthz')).code).toBe(200)
    const { body, code } = await status(after, '/readyz')
    expect(code).toBe(503)
    expect(JSON.parse(body).checks).toContainEqual(expect.objectContaining({ name: 'migrations', ok: false }))
    expect(await makesKey(before, 'while the next one waits')).toBe(201)
  })

  it('is ready once it has migrated, and both write beside each other', async () => {
    const migrated = await command(next, 'migrate')
    expect(migrated.stdout, migrated.stderr).toContain(`applied ${NEXT_MIGRATION}`)
    await untilReady(after)
    expect((await status(before, '/readyz')).code).toBe(200)
    expect([await makesKey(before, 'old beside new'), await makesKey(after, 'new beside old')]).toEqual([201, 201])
    expect(await before.stop()).toBe(0)
    expect(await makesKey(after, 'new alone')).toBe(201)
  })

  it('makes room again for the one before, which leaves the newer tables alone', async () => {
    const back = await start(CURRENT)
    await untilReady(back)
    expect(await after.stop()).toBe(0)
    expect(await makesKey(back, 'old again')).toBe(201)
    const refused = await command(CURRENT, 'migrate')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain(NEXT_MIGRATION)
    expect(refused.stderr).toContain('older than the database')
    const listed = await command(CURRENT, 'keys', 'list', '--json')
    expect((JSON.parse(listed.stdout) as unknown[]).length).toBe(6)
  })
})
