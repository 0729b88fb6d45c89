import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { ensureLake } from '../../src/lake/lake-setup.ts'
import { PROBLEM_GUIDE } from '../../src/lake/problem-guide.ts'
import { Lease } from '../../src/lake/snapshot/lease.ts'
import { testPlace } from '../lake/lake-fixture.ts'
import { type S3Proxy, startS3Proxy } from '../lake/snapshot/s3-proxy.ts'
import { seedAccounts } from '../lake/snapshot/seed.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { lakeEnvironment } from '../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { ROOT, runCommand } from '../support/service.ts'

/** The program itself, as an operator or their scheduler calls it. */

const place = testPlace('commands')
let testDatabase: TestDatabase
let database: Database
let aws: TestAws
let proxy: S3Proxy
let env: Record<string, string>

beforeAll(async () => {
  ;[testDatabase, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(testDatabase.url, 50)
  await ensureLake(place, aws, { owned: true })
  proxy = await startS3Proxy(aws.endpoint)
  database = openDatabase({ url: testDatabase.url, poolSize: 2 })
  env = lakeEnvironment(testDatabase.url, { ...aws, endpoint: proxy.endpoint }, place)
})

afterAll(async () => {
  await database?.close()
  await proxy?.close()
  await Promise.all([testDatabase?.drop(), aws?.stop()])
})

const newest = () => database.prisma.lakeSnapshot.findFirstOrThrow({ orderBy: { sequence: 'desc' } })

test('a snapshot at the command line tells its steps and its cost, stands in the audit trail, and can be held', async () => {
  const done = await runCommand(['snapshot', '--json'], env)
  expect(done.code, done.stderr).toBe(0)
  const { id, measurements, phases, state } = JSON.parse(done.stdout)
  expect(state).toBe('published')
  expect(phases.map((phase: { name: string }) => phase.name)).toContain('crawl')
  expect(measurements.partsSent).toBeGreaterThan(0)
  const kinds = done.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).kind)
  expect(new Set(kinds)).toEqual(new Set(['state', 'phase', 'tables', 'table']))
  const [event] = await database.prisma.$queryRaw<{ action: string; actor_type: string; actor_id: string }[]>`
    SELECT action, actor_type, actor_id FROM audit_event WHERE entity_type = 'snapshot' AND entity_id = ${id}`
  expect(event).toEqual({ action: 'snapshot.request', actor_type: 'system', actor_id: 'command-line' })

  const held = await runCommand(['hold', id, '--reason', 'audit', '--for', '2d'], env)
  expect(held.code, held.stderr).toBe(0)
  const holdId = held.stdout.trim()
  const listed = JSON.parse((await runCommand(['holds', '--json'], env)).stdout)
  expect(listed).toMatchObject([{ id: holdId, snapshotId: id, reason: 'audit', holder: 'command line' }])
  const left = Date.parse(listed[0].expiresAt) - Date.now()
  expect(left).toBeGreaterThan(47 * 3_600_000)
  expect((await runCommand(['release', holdId], env)).code).toBe(0)
  expect((await runCommand(['release', holdId], env)).code).toBe(1)
  expect((await runCommand(['hold', id, '--reason', 'audit', '--for', '8d'], env)).code).toBe(2)
})

test('one that fails ends with 1 and two lines: what happened, and what to do', async () => {
  proxy.decide = ({ url }) => (url?.includes('partNumber=') ? 'refuse' : 'pass')
  const done = await runCommand(['snapshot'], { ...env, LOG_LEVEL: 'silent' })
  proxy.decide = () => 'pass'
  expect(done.code).toBe(1)
  expect(done.stdout).toBe('')
  const [what, next] = done.stderr.trim().split('\n').slice(-2)
  expect(what).toMatch(/^storage_denied: UploadPart of lake\/v1\//)
  expect(next).toBe(`What to do: ${PROBLEM_GUIDE.storage_denied.next}`)
  const listed = await runCommand(['snapshots', '--limit', '1'], env)
  expect(listed.stdout).toMatch(/│ failed +│.*│ storage_denied │/)
  expect(listed.stderr).toContain(PROBLEM_GUIDE.storage_denied.next)
})

test('one that is told to stop ends with 130 and leaves nothing behind', async () => {
  const uploading = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<'pass'>()
  proxy.decide = ({ url }) => {
    if (!url?.includes('partNumber=')) return 'pass'
    uploading.resolve()
    return stopped.promise
  }
  const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), 'snapshot'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const ended = once(child, 'exit')
  await uploading.promise
  child.kill('SIGTERM')
  stopped.resolve('pass')
  proxy.decide = () => 'pass'
  expect(await ended).toEqual([130, null])
  expect(await newest()).toMatchObject({ state: 'failed', problem: { code: 'cancelled' } })
  const pending = await database.prisma.lakeUpload.count({ where: { state: { in: ['open', 'uploaded'] } } })
  expect(pending).toBe(0)
})

test('tasks that wait for somebody end at once when they are told to stop, and leave their work to the next', async () => {
  const lease = await Lease.take(database, 60_000)
  const data = {
    id: '20261101t000000z-00000001',
    requestedBy: 'somebody',
    state: 'planning',
    fence: lease.fence,
  } as const
  await database.prisma.lakeSnapshot.create({ data: { ...data, requestedAt: new Date(Date.now() - 3_600_000) } })
  const stopped = async (...args: string[]) => {
    const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), ...args, '--json'], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(child, 'exit')
    for await (const line of createInterface(child.stderr)) if (line.includes('"kind":"waiting"')) child.kill('SIGTERM')
    return ended
  }
  const both = [stopped('snapshot', '--scheduled', new Date().toISOString()), stopped('care')]
  expect(await Promise.all(both)).toEqual([
    [130, null],
    [130, null],
  ])
  expect(await newest()).toMatchObject({ id: data.id, state: 'planning' })
  await database.prisma.lakeSnapshot.delete({ where: { id: data.id } })
  await lease.release()
})

test('one whose process was killed is shown as abandoned, with what to do', async () => {
  const killed = await runCommand(['snapshot'], { ...env, FAULT: 'before-UploadPart:kill' })
  expect(killed.code).not.toBe(0)
  const { id } = await newest()
  const listed = await runCommand(['snapshots', '--limit', '1'], env)
  expect(listed.stdout).toMatch(new RegExp(`│ ${id} │ uploading, abandoned │`))
  expect(listed.stderr).toContain(`${id}: its process is gone. "rocketgames recover"`)
})
