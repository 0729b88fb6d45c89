import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { ensureLake } from '../../src/lake/lake-setup.ts'
import { tickName } from '../../src/lake/schedule-tick.ts'
import { requestSnapshot } from '../../src/lake/snapshot/snapshots.ts'
import { until } from '../jobs/job-bench.ts'
import { testPlace } from '../lake/lake-fixture.ts'
import { seedAccounts } from '../lake/snapshot/seed.ts'
import { createTestApi, expectStatus, takeSteps } from '../support/api.ts'
import { createOwnedDatabase } from '../support/database-users.ts'
import { lakeEnvironment } from '../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { newEntitlement, newPlayer } from '../support/records.ts'
import { runCommand } from '../support/service.ts'

/** The tasks of production: each command as its own user of the database, with the settings that it uses and no others. */

const place = testPlace('users')
let database: Awaited<ReturnType<typeof createOwnedDatabase>>
let aws: TestAws

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createOwnedDatabase(), startTestAws()])
  await database.ensure()
  await seedAccounts(database.adminUrl, 50)
  await ensureLake(place, aws, { owned: true })
})
afterAll(() => Promise.all([database?.drop(), aws?.stop()]))

/** Of the tasks that write the lake. */
function exporterEnvironment(): Record<string, string> {
  const { API_KEY_PEPPER: _pepper, CURSOR_KEY: _cursors, ...rest } = lakeEnvironment(database.exporterUrl, aws, place)
  return { ...rest, LAKE_SCHEDULER: 'none', LAKE_SCHEDULE: '0 2 1 1 *' }
}

it('migrate needs the database alone, and makes both users without showing a password', async () => {
  const { exporter, service } = database
  const { code, stderr, stdout } = await runCommand(['migrate'], {
    DATABASE_URL: database.url,
    DATABASE_SERVICE_USER: service.user,
    DATABASE_SERVICE_PASSWORD: service.password,
    DATABASE_EXPORTER_USER: exporter.user,
    DATABASE_EXPORTER_PASSWORD: exporter.password,
    LOG_LEVEL: 'trace',
  })
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `The database is up to date.\nuser ${service.user}: password and rights are set\nuser ${exporter.user}: password and rights are set\n`,
  })
  for (const { password } of [service, exporter, database.owner]) expect(stdout + stderr).not.toContain(password)
})

it('the exporter takes the snapshot of a tick once, cares for the lake and verifies it, without the keys of the API', async () => {
  const env = exporterEnvironment()
  const due = new Date()
  const start = () => runCommand(['snapshot', '--json', '--scheduled', due.toISOString()], env)
  const first = await start()
  expect([first.code, JSON.parse(first.stdout)]).toMatchObject([0, { state: 'published' }])
  const [again, care, verify] = await Promise.all([
    start(),
    runCommand(['care', '--json'], env),
    runCommand(['verify', '--json'], env),
  ])
  expect([again.code, JSON.parse(again.stdout)]).toEqual([0, { result: 'over' }])
  expect([care.code, care.stderr]).toEqual([0, expect.not.stringContaining('denied')])
  expect(JSON.parse(care.stdout)).toMatchObject({
    recovery: { snapshots: [] },
    retention: { retiring: [] },
    problems: [],
  })
  expect([verify.code, JSON.parse(verify.stdout)]).toMatchObject([0, { findings: [], snapshots: [expect.any(String)] }])
  const admin = openDatabase({ url: database.adminUrl, poolSize: 1 })
  const rows = await admin.prisma.lakeSnapshot.findMany({ select: { requestedBy: true, state: true } })
  const trail = await admin.prisma.auditEvent.findMany({ where: { entityType: 'snapshot' } })
  await admin.close()
  expect(rows).toEqual([{ requestedBy: tickName(due), state: 'published' }])
  expect(trail).toMatchObject([{ action: 'snapshot.request', actorId: 'schedule' }])
})

it('a snapshot that was asked for says in its row that its process has no key of pseudonyms', async () => {
  const admin = openDatabase({ url: database.adminUrl, poolSize: 1 })
  const { id } = await requestSnapshot(admin, 'somebody')
  const { LAKE_PSEUDONYM_KEY: _key, ...env } = exporterEnvironment()
  const { code, stderr } = await runCommand(['snapshot', '--json', '--id', id], env)
  const row = await admin.prisma.lakeSnapshot.findUnique({ where: { id } })
  await admin.close()
  expect([code, stderr]).toEqual([2, expect.stringContaining('LAKE_PSEUDONYM_KEY')])
  expect(row).toMatchObject({ state: 'failed', problem: { code: 'not_started' } })
  expect(JSON.stringify(row?.problem)).toContain('LAKE_PSEUDONYM_KEY')
})

it('the API works as the user of the service: records, keys, jobs, idempotency, exports', async () => {
  const api = await createTestApi({ connect: async () => database.serviceUrl })
  try {
    const player = await newPlayer(api)
    await newEntitlement(api, { playerId: player.id })
    const create = () =>
      api.admin
        .post('/v1/studios')
        .set('Idempotency-Key', 'as-the-service-1')
        .send({ slug: 'as-the-service', name: 'S', country: 'DE' })
    const [first, second] = [await create(), await create()]
    expect([first.status, second.status, second.body]).toEqual([201, 201, first.body])
    await takeSteps(api, `/v1/studios/${first.body.id}`, 'in_review')
    const key = await api.keys.rotate((await api.keys.list(api.context))[0]?.id ?? '', api.context)
    await api.keys.revoke(key.key.id, api.context, null)
    const list = await api
      .as(await api.token())
      .get('/v1/players')
      .set('Accept', 'application/x-ndjson')
    expectStatus(list, 200)
    await api.worker.start()
    const admin = api.as(await api.token())
    const asked = await admin.post('/v1/exports').send({ resource: 'players' })
    expectStatus(asked, 202)
    const job = await until(async () => {
      const { body } = await admin.get(asked.headers.location ?? '')
      return ['queued', 'running'].includes(body.state) ? undefined : (body as { state: string })
    })
    expect(job).toMatchObject({ state: 'succeeded' })
  } finally {
    await api.close()
  }
  expect(api.log()).not.toContain('permission denied')
})
