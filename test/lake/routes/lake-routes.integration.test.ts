import { randomUUID } from 'node:crypto'
import type { AthenaClient } from '@aws-sdk/client-athena'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { lakeTrail } from '../../../src/commands/lake-audit.ts'
import type { Database } from '../../../src/database/database.ts'
import { QueryRunner } from '../../../src/lake/athena/query-runner.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { datasets } from '../../../src/lake/datasets.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { lakeRoutes } from '../../../src/lake/lake-routes.ts'
import { LakeService, type VerifyResult } from '../../../src/lake/lake-service.ts'
import type { LakeStarter } from '../../../src/lake/lake-starter.ts'
import { canonicalJson, sha256Hex } from '../../../src/lake/manifest.ts'
import { PROBLEM_GUIDE } from '../../../src/lake/problem-guide.ts'
import { QueryService } from '../../../src/lake/query-service.ts'
import { createTestApi, type TestApi } from '../../support/api.ts'
import { manifestFor } from '../lake-fixture.ts'

const HEALTHY: VerifyResult = { files: 9, rows: 12, findings: [] }
const PUBLISHED = '20261122t020000z-00000001'

const started: string[] = []
let startFails = false
let startHangs: Promise<void> = Promise.resolve()
let recover = async () => {}
let verify: (id: string, signal?: AbortSignal) => Promise<VerifyResult> = async () => HEALTHY

const starter: LakeStarter = {
  async snapshot(id) {
    if (startFails) throw new Error('spawn ENOENT')
    started.push(id)
    await startHangs
  },
  recover: () => recover(),
  async retention() {},
}

let api: TestApi
let database: Database

beforeAll(async () => {
  const unreachable = new QueryRunner({} as AthenaClient, {
    workgroup: 'none',
    database: 'none',
    curatedDatabase: 'none',
  })
  api = await createTestApi({
    groups: (db) => [
      lakeRoutes(
        new LakeService({ database: db, starter, verify: (id, signal) => verify(id, signal), trail: lakeTrail }),
        new QueryService(unreachable, []),
      ),
    ],
  })
  database = api.database
})

afterAll(async () => {
  await api?.close()
})

afterEach(async () => {
  await database.prisma.lakeHold.deleteMany()
  await database.prisma.lakeSnapshotTable.deleteMany()
  await database.prisma.lakeSnapshot.deleteMany()
  started.length = 0
  startFails = false
  startHangs = Promise.resolve()
  recover = async () => {}
  verify = async () => HEALTHY
})

/** A published snapshot with its manifest and counts. */
async function publish(id = PUBLISHED) {
  const manifest = manifestFor({ id, sequence: 1 })
  const body = canonicalJson(manifest)
  await database.prisma.lakeSnapshot.create({
    data: {
      ...{ id, requestedBy: 'test', state: 'published', publishedAt: new Date(), endedAt: new Date() },
      ...{
        manifest: body,
        manifestSha256: sha256Hex(body),
        totalRows: 12n,
        totalBytes: 3456n,
        source: manifest.source,
      },
      tables: {
        create: contracts.map((c, i) => ({ tableName: c.name, state: 'verified', rowsEncoded: i, bytes: 10 })),
      },
    },
  })
}

async function fail(id: string) {
  const problem = { code: 'cancelled', message: 'ended', phase: 'planning' }
  await database.prisma.lakeSnapshot.update({ where: { id }, data: { state: 'failed', endedAt: new Date(), problem } })
}

describe('the tables of the lake', () => {
  it('show what is exported, how, and what is withheld', async () => {
    const { body } = await api.admin.get('/v1/lake/tables').expect(200)
    expect(body.data.map((table: { name: string }) => table.name)).toEqual(contracts.map((c) => c.lakeTable))
    const { body: players } = await api.admin.get('/v1/lake/tables/players').expect(200)
    expect(players.columns).toContainEqual({
      ...{ name: 'player_ref', type: 'string', nullable: false, class: 'internal', action: 'pseudonymise' },
      ...{ source: 'id', reason: null, unit: null, values: null, deprecated: false },
      description: datasets.player.columns.id.description,
    })
    const { body: library } = await api.admin.get('/v1/lake/tables/player_games').expect(200)
    expect(library.columns.find((c: { name: string }) => c.name === 'playtime_seconds').unit).toBe('seconds')
    expect(library.columns.find((c: { name: string }) => c.name === 'source').values).toContain('purchase')
    for (const { columns } of body.data) {
      for (const column of columns) expect(column.description, column.name).toEqual(expect.any(String))
    }
    expect(players.columns.find((c: { name: string }) => c.name === 'country').reason).toMatch(/coarse/)
    expect(players.withheld).toContainEqual({ source: 'email', class: 'personal' })
    expect(players.columns.map((c: { name: string }) => c.name)).not.toContain('email')
    expect(players.lastSnapshot).toBeNull()
  })

  it('name the last published snapshot with its rows', async () => {
    await publish()
    const { body } = await api.admin.get('/v1/lake/tables/games').expect(200)
    const rows = contracts.findIndex((c) => c.name === 'games')
    expect(body.lastSnapshot).toEqual({ id: PUBLISHED, takenAt: '2026-11-22T02:00:00.000Z', rows, bytes: 10 })
  })

  it('are 404 for other names and 403 without lake:read', async () => {
    await api.admin.get('/v1/lake/tables/api_key').expect(404)
    await api.admin.get('/v1/lake/tables/No%20Table').expect(404)
    await api
      .as(await api.token('players:read'))
      .get('/v1/lake/tables')
      .expect(403)
  })
})

describe('requesting a snapshot', () => {
  it('answers 202 with its place and starts one process', async () => {
    const { headers, body } = await api.admin.post('/v1/lake/snapshots').expect(202)
    expect(headers.location).toBe(`/v1/lake/snapshots/${body.id}`)
    expect(headers['retry-after']).toBe('5')
    expect(body).toMatchObject({ state: 'requested', problem: null })
    expect(started).toEqual([body.id])
    await api.admin.get(headers.location as string).expect(200)
  })

  it('answers 409 naming the one that runs', async () => {
    const { body: first } = await api.admin.post('/v1/lake/snapshots').expect(202)
    const { body } = await api.admin.post('/v1/lake/snapshots').expect(409)
    expect(body).toMatchObject({ code: 'snapshot-running', snapshotId: first.id, state: 'requested' })
    expect(started).toHaveLength(1)
  })

  it('is one request however often it is sent with one Idempotency-Key', async () => {
    const key = randomUUID()
    const ask = () => api.admin.post('/v1/lake/snapshots').set('Idempotency-Key', key)
    const answers = await Promise.all(Array.from({ length: 5 }, ask))
    const done = answers.filter(({ status }) => status === 202)
    expect(
      answers.filter(({ status, body }) => status === 409 && body.code === 'idempotency-in-progress'),
    ).toHaveLength(answers.length - done.length)
    const again = await ask().expect(202)
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true', 'retry-after': '5' })
    for (const each of done) expect(each.text).toBe(again.text)
    await fail(again.body.id)
    expect((await ask().expect(202)).body.id).toBe(again.body.id)
    expect(await database.prisma.lakeSnapshot.count()).toBe(1)
    expect(started).toEqual([again.body.id])
  })

  it('starts the process that a dead service could not start any more, for the same snapshot', async () => {
    const key = randomUUID()
    const ask = () => api.admin.post('/v1/lake/snapshots').set('Idempotency-Key', key)
    const { promise: paused, resolve: wake } = Promise.withResolvers<void>()
    startHangs = paused
    const first = ask().then((answer) => answer)
    while (started.length === 0) await database.ping()
    startHangs = Promise.resolve()
    await database.prisma
      .$executeRaw`UPDATE idempotency_key SET locked_until = now() - interval '1 second' WHERE key = ${key}`
    const second = await ask().expect(202)
    wake()
    expect((await first).body.code).toBe('idempotency-in-progress')
    expect(started).toEqual([second.body.id, second.body.id])
    expect(await database.prisma.lakeSnapshot.count()).toBe(1)
  })

  it('may be sent again with the same Idempotency-Key when no process could be started', async () => {
    const key = randomUUID()
    const ask = () => api.admin.post('/v1/lake/snapshots').set('Idempotency-Key', key)
    startFails = true
    await ask().expect(503)
    startFails = false
    const { body } = await ask().expect(202)
    expect(started).toEqual([body.id])
    expect(await database.prisma.lakeSnapshot.groupBy({ by: ['state'], _count: true })).toHaveLength(2)
  })

  it('recovers a snapshot whose process is gone, then takes the new one', async () => {
    const gone = '20261122t020000z-00000002'
    await database.prisma.lakeSnapshot.create({
      data: { id: gone, requestedBy: 'test', state: 'uploading', fence: 1n },
    })
    recover = () => fail(gone)
    const { body } = await api.admin.post('/v1/lake/snapshots').expect(202)
    expect(started).toEqual([body.id])
  })

  it('answers 409 when recovery cannot be started either', async () => {
    const gone = '20261122t020000z-00000002'
    await database.prisma.lakeSnapshot.create({
      data: { id: gone, requestedBy: 'test', state: 'uploading', fence: 1n },
    })
    recover = () => Promise.reject(new Error('spawn ENOENT'))
    const { body } = await api.admin.post('/v1/lake/snapshots').expect(409)
    expect(body).toMatchObject({ code: 'snapshot-running', snapshotId: gone, abandoned: true })
  })

  it('starts exactly one of many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.admin.post('/v1/lake/snapshots')))
    expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409, 409, 409, 409, 409, 409])
    expect(started).toHaveLength(1)
  })

  it('fails the snapshot at once when no process can be started, and the next one may come', async () => {
    startFails = true
    const { body, headers } = await api.admin.post('/v1/lake/snapshots').expect(503)
    expect(body.code).toBe('unavailable')
    expect(headers['retry-after']).toBeDefined()
    const [row] = await database.prisma.lakeSnapshot.findMany()
    expect(row).toMatchObject({ state: 'failed', problem: { code: 'not_started' } })
    startFails = false
    await api.admin.post('/v1/lake/snapshots').expect(202)
  })

  it('needs the scope lake:snapshot', async () => {
    await api
      .as(await api.token('lake:read'))
      .post('/v1/lake/snapshots')
      .expect(403)
    expect(started).toEqual([])
  })
})

describe('snapshots', () => {
  it('are listed newest first, page by page', async () => {
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      const { body } = await api.admin.post('/v1/lake/snapshots').expect(202)
      await fail(body.id)
      ids.unshift(body.id)
    }
    const seen: string[] = []
    let next: string | null = null
    do {
      const cursor: string = next === null ? '' : `&cursor=${next}`
      const { body } = await api.admin.get(`/v1/lake/snapshots?limit=2${cursor}`).expect(200)
      seen.push(...body.data.map((row: { id: string }) => row.id))
      expect(body.page.hasMore).toBe(seen.length < 5)
      next = body.page.next
    } while (next !== null)
    expect(seen).toEqual(ids)
  })

  it('are filtered by state; other parameters and states are errors', async () => {
    await publish()
    const of = async (query: string) => (await api.admin.get(`/v1/lake/snapshots?${query}`).expect(200)).body.data
    expect(await of('state=published')).toHaveLength(1)
    expect(await of('state=failed')).toHaveLength(0)
    await api.admin.get('/v1/lake/snapshots?state=done').expect(400)
    await api.admin.get('/v1/lake/snapshots?limit=201').expect(400)
    await api.admin.get('/v1/lake/snapshots?sort=id').expect(400)
    const { body } = await api.admin.get('/v1/lake/snapshots?cursor=abc').expect(400)
    expect(body.code).toBe('invalid-cursor')
  })

  it('show their manifest: keys, rows, bytes and sums of every file', async () => {
    await publish()
    const { body } = await api.admin.get(`/v1/lake/snapshots/${PUBLISHED}`).expect(200)
    expect(body.state).toBe('published')
    expect(body.manifest.tables.map((table: { name: string }) => table.name)).toEqual(contracts.map((c) => c.name))
    expect(body.manifest.tables[0].files[0].key).toContain(`snapshot_id=${PUBLISHED}`)
    expect(sha256Hex(canonicalJson(body.manifest))).toBe(body.manifestSha256)
  })

  it('show where they are while they run: phase, times, and each table with what is expected of it', async () => {
    const id = '20261122t030000z-00000003'
    const measurements = {
      ...{
        phase: 'uploading',
        phasesMs: { planning: 250, uploading: 1000 },
        partsSent: 3,
        partsResent: 1,
        slowDowns: 2,
      },
      ...{ callsRepeated: 4, unrepresentable: 0, driftFindings: 0, readers: 2, cpuMs: 1500, peakRssBytes: 150_000_000 },
    }
    const table = (tableName: string, state: string, rowsEncoded: bigint | null) => ({
      ...{ tableName, state, rowsEncoded, estimatedRows: 1000n, bytes: rowsEncoded },
    })
    await database.prisma.lakeSnapshot.create({
      data: {
        ...{ id, requestedBy: 'test', state: 'uploading', fence: 1n, startedAt: new Date(), measurements },
        tables: { create: [table('games', 'copying', 400n), table('players', 'pending', null)] },
      },
    })
    const { body } = await api.admin.get(`/v1/lake/snapshots/${id}`).expect(200)
    expect(body).toMatchObject({
      ...{ state: 'uploading', phase: 'uploading', problem: null },
      measurements: { partsSent: 3, partsResent: 1, slowDowns: 2, callsRepeated: 4, readers: 2, cpuSeconds: 1.5 },
      tables: [
        { name: 'games', state: 'copying', estimatedRows: 1000, rowsEncoded: 400, bytes: 400 },
        { name: 'players', state: 'pending', estimatedRows: 1000, rowsEncoded: null },
      ],
    })
    expect(body.phases[0]).toEqual({ name: 'planning', seconds: 0.25 })
    // The phase under way goes on between two writes of the row.
    expect(body.phases[1]).toMatchObject({ name: 'uploading' })
    expect(body.phases[1].seconds).toBeGreaterThanOrEqual(1)
    expect(body.rowsPerSecond).toBeLessThanOrEqual(400)
    await fail(id)
    const { body: failed } = await api.admin.get(`/v1/lake/snapshots/${id}`).expect(200)
    expect(failed).toMatchObject({
      ...{ state: 'failed', phase: null, phases: [{}, { name: 'uploading', seconds: 1 }] },
      problem: { code: 'cancelled', phase: 'planning', next: PROBLEM_GUIDE.cancelled.next },
    })
  })

  it('tell that nobody works on one any more: its process is gone, or never began', async () => {
    const id = '20261122t030000z-00000004'
    const lease = (left: string) => database.prisma.$executeRaw`
      UPDATE lake_lease SET expires_at = now() + ${left}::interval, host = 'elsewhere' WHERE id = 1`
    const abandoned = async () => (await api.admin.get(`/v1/lake/snapshots/${id}`).expect(200)).body.abandoned
    await database.prisma.lakeSnapshot.create({ data: { id, requestedBy: 'test' } })
    expect(await abandoned()).toBe(false)
    await database.prisma.lakeSnapshot.update({ where: { id }, data: { fence: 1n } })
    expect(await abandoned()).toBe(true)
    await lease('1 hour')
    expect(await abandoned()).toBe(false)
    await lease('-1 second')
    await database.prisma.lakeSnapshot.update({ where: { id }, data: { state: 'uploading' } })
    const { body } = await api.admin.get('/v1/lake/snapshots').expect(200)
    expect(body.data).toMatchObject([{ id, state: 'uploading', abandoned: true }])
    await fail(id)
    expect(await abandoned()).toBe(false)
  })

  it('that do not exist are 404', async () => {
    await api.admin.get('/v1/lake/snapshots/20261122t020000z-zzzzzzzz').expect(404)
    await api.admin.get('/v1/lake/snapshots/1').expect(404)
  })
})

describe('verifying a snapshot', () => {
  it('tells what was found', async () => {
    await publish()
    const healthy = await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/verify`).expect(200)
    expect(healthy.body).toEqual({ healthy: true, ...HEALTHY })
    verify = async () => ({ ...HEALTHY, findings: [{ code: 'object_missing', message: 'gone', key: 'lake/v1/x' }] })
    const { body } = await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/verify`).expect(200)
    expect(body).toMatchObject({ healthy: false, findings: [{ code: 'object_missing' }] })
  })

  it('is 409 for one that is not published', async () => {
    const { body } = await api.admin.post('/v1/lake/snapshots').expect(202)
    const answer = await api.admin.post(`/v1/lake/snapshots/${body.id}/verify`).expect(409)
    expect(answer.body).toMatchObject({ code: 'conflict', state: 'requested' })
  })

  it('is 503 without a stack while the lake cannot be reached, and works when it is back', async () => {
    await publish()
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4566'), { code: 'ECONNREFUSED' })
    verify = async () => {
      throw new LakeProblem('storage_failed', 'HeadObject failed', {}, refused)
    }
    const { body, headers, text } = await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/verify`).expect(503)
    expect(body.code).toBe('unavailable')
    expect(headers['retry-after']).toBe('5')
    expect(text).not.toMatch(/ECONNREFUSED|\bat \//)
    verify = async () => HEALTHY
    await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/verify`).expect(200)
  })

  it('is done for two at once; a third one is asked to come again, and one whose client leaves makes room', async () => {
    await publish()
    const begun: AbortSignal[] = []
    const both = Promise.withResolvers<void>()
    const service = new LakeService({
      database,
      starter,
      verify: (_, signal) =>
        new Promise((resolve, reject) => {
          if (signal === undefined) return resolve(HEALTHY)
          signal.addEventListener('abort', () => reject(signal.reason))
          if (begun.push(signal) === 2) both.resolve()
        }),
    })
    const clients = [new AbortController(), new AbortController()]
    const asked = clients.map(({ signal }) => service.verify(PUBLISHED, signal).catch((error: unknown) => error))
    await both.promise
    await expect(service.verify(PUBLISHED)).rejects.toMatchObject({
      code: 'unavailable',
      headers: { 'Retry-After': '10' },
    })
    clients[0]?.abort(new Error('the client left'))
    expect(await asked[0]).toMatchObject({ code: 'unavailable' })
    expect(await service.verify(PUBLISHED)).toEqual(HEALTHY)
    clients[1]?.abort(new Error('the client left'))
    await asked[1]
  })

  it('ends when the client leaves', async () => {
    await publish()
    const ended = Promise.withResolvers<unknown>()
    const request = api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/verify`)
    verify = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          ended.resolve(signal.reason)
          reject(signal.reason)
        })
        request.abort()
      })
    request.end(() => undefined)
    expect(await ended.promise).toMatchObject({ message: 'the client left' })
  })
})

describe('holds', () => {
  const hold = (expiresAt: Date) => ({ holder: 'curate-job', reason: 'reads it', expiresAt: expiresAt.toISOString() })
  const inAnHour = () => new Date(Date.now() + 3_600_000)

  it('are made on a published snapshot and ended', async () => {
    await publish()
    const { headers, body } = await api.admin
      .post(`/v1/lake/snapshots/${PUBLISHED}/holds`)
      .send(hold(inAnHour()))
      .expect(201)
    expect(body).toMatchObject({ snapshotId: PUBLISHED, holder: 'curate-job' })
    await api.admin.delete(headers.location as string).expect(204)
    await api.admin.delete(headers.location as string).expect(404)
  })

  it('are listed until they run out or are released, newest first, page by page', async () => {
    await publish()
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      const made = await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/holds`).send(hold(inAnHour())).expect(201)
      ids.unshift(made.body.id)
    }
    const old = { holder: 'gone', reason: 'was read', createdAt: new Date(0), expiresAt: new Date(1000) }
    await database.prisma.lakeHold.create({ data: { id: randomUUID(), snapshotId: PUBLISHED, ...old } })
    const { body: first } = await api.admin.get('/v1/lake/holds?limit=2').expect(200)
    expect(first.data.map((each: { id: string }) => each.id)).toEqual(ids.slice(0, 2))
    expect(first.data[0]).toMatchObject({ snapshotId: PUBLISHED, holder: 'curate-job', reason: 'reads it' })
    const { body: second } = await api.admin
      .get('/v1/lake/holds')
      .query({ limit: 2, cursor: first.page.next })
      .expect(200)
    expect(second.data.map((each: { id: string }) => each.id)).toEqual(ids.slice(2))
    expect(second.page.hasMore).toBe(false)
    await api
      .as(await api.token('players:read'))
      .get('/v1/lake/holds')
      .expect(403)
  })

  it('are in the audit trail, as is who asked for a snapshot, once for all repeats of a request', async () => {
    await publish()
    const made = await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/holds`).send(hold(inAnHour()))
    await api.admin.delete(made.headers.location as string)
    await api.admin.delete(made.headers.location as string).expect(404)
    const ask = () => api.admin.post('/v1/lake/snapshots').set('Idempotency-Key', randomUUID())
    const { body: asked } = await ask().expect(202)
    await ask().expect(409)
    const actor = (await api.admin.get('/v1/whoami')).body.id
    const told = async (entityId: string) =>
      (await api.admin.get('/v1/audit-events').query({ entityType: 'snapshot', entityId, sort: 'seq' })).body.data
    const holdId = made.body.id
    expect((await told(PUBLISHED)).slice(-2)).toMatchObject([
      {
        ...{ action: 'snapshot.hold', actorId: actor, reason: 'reads it' },
        changes: { holdId: { from: null, to: holdId } },
      },
      { action: 'snapshot.release', actorId: actor, changes: { holdId: { from: holdId, to: null } } },
    ])
    expect(await told(asked.id)).toMatchObject([{ action: 'snapshot.request', actorId: actor }])
  })

  it('are refused on other snapshots and for other times', async () => {
    const { body } = await api.admin.post('/v1/lake/snapshots').expect(202)
    await api.admin.post(`/v1/lake/snapshots/${body.id}/holds`).send(hold(inAnHour())).expect(409)
    await fail(body.id)
    await publish()
    const path = `/v1/lake/snapshots/${PUBLISHED}/holds`
    for (const days of [-1, 8]) {
      const answer = await api.admin
        .post(path)
        .send(hold(new Date(Date.now() + days * 86_400_000)))
        .expect(422)
      expect(answer.body.errors).toMatchObject([{ pointer: '/expiresAt' }])
    }
    await api.admin
      .post(path)
      .send({ ...hold(inAnHour()), forever: true })
      .expect(422)
    await api.admin.delete(`${path}/${randomUUID()}`).expect(404)
  })

  it('keep no snapshot for more than 15 days, so that erased persons leave the lake in time', async () => {
    await publish()
    const day = 86_400_000
    const held = async (ageDays: number, days: number) => {
      const startedAt = new Date(Date.now() - ageDays * day)
      await database.prisma.lakeSnapshot.update({ where: { id: PUBLISHED }, data: { startedAt } })
      const body = hold(new Date(Date.now() + days * day))
      return (await api.admin.post(`/v1/lake/snapshots/${PUBLISHED}/holds`).send(body)).body
    }
    expect(await held(14, 0.9)).toMatchObject({ snapshotId: PUBLISHED })
    expect(await held(8, 7 - 0.01)).toMatchObject({ snapshotId: PUBLISHED })
    const latest = new Date(Date.now() + day).toISOString().slice(0, 10)
    const why = 'no snapshot is kept for more than 15 days, so that erased persons leave the lake in time'
    const late = {
      pointer: '/expiresAt',
      code: 'range',
      detail: expect.stringMatching(`^must be ${latest}.*: ${why}$`),
    }
    expect(await held(14, 1.1)).toMatchObject({ status: 422, errors: [late] })
    const detail = `cannot be met, this snapshot is too old to be held: ${why}; hold a newer one`
    expect(await held(16, 0.1)).toMatchObject({ status: 422, errors: [{ detail }] })
  })
})
