import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSavedQueries } from '../../../src/lake/athena/saved-queries.ts'
import { lakeRoutes } from '../../../src/lake/lake-routes.ts'
import { LakeService } from '../../../src/lake/lake-service.ts'
import { ensureLake, lakeParts } from '../../../src/lake/lake-setup.ts'
import { publishedSnapshot } from '../../../src/lake/publication.ts'
import { QueryService } from '../../../src/lake/query-service.ts'
import { type LocalAws, startLocalAws } from '../../../src/local/aws/launcher.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestApi, type TestApi } from '../../support/api.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace, writeSnapshot } from '../lake-fixture.ts'

const place = testPlace('queries')
const starter = { snapshot: async () => {}, recover: async () => {}, retention: async () => {} }

let aws: TestAws
let api: TestApi
let restarted: LocalAws | undefined

beforeAll(async () => {
  aws = await startTestAws()
  await ensureLake(place, aws, { owned: true })
  const { publisher, runner } = lakeParts(place, aws)
  const manifest = await writeSnapshot(aws.s3, place.bucket, {
    ...{ id: '20261121t020000z-00000001', sequence: 1 },
    rows: {
      players: Array.from({ length: 12 }, (_, i) => ({
        ...{ player_ref: `'p${String(i).padStart(2, '0')}'`, status: "'active'" },
        ...(i === 3 ? {} : { country: i === 4 ? "'=1+1'" : "'DE'" }),
      })),
    },
  })
  await publisher.register(manifest)
  await publisher.publishViews([publishedSnapshot(manifest)])
  api = await createTestApi({
    groups: (database) => [
      lakeRoutes(
        new LakeService({ database, starter, verify: async () => ({ files: 0, rows: 0, findings: [] }) }),
        new QueryService(runner, loadSavedQueries()),
      ),
    ],
  })
})

afterAll(async () => {
  await api?.close()
  await restarted?.stop()
  await aws?.stop()
})

/** Follows a run until it has ended. */
async function ended(location: string) {
  for (;;) {
    const { body, headers } = await api.admin.get(location).expect(200)
    if (body.completedAt !== null) return body
    expect(headers['retry-after']).toBe('1')
  }
}

async function run(request: object) {
  const { headers, body } = await api.admin.post('/v1/lake/queries').send(request).expect(202)
  expect(headers.location).toBe(`/v1/lake/queries/${body.id}`)
  return ended(headers.location as string)
}

describe('a query', () => {
  it('of one reading statement runs, and tells what it read', async () => {
    const done = await run({ sql: 'SELECT count(*) AS n FROM players_latest; -- all' })
    expect(done).toMatchObject({ state: 'succeeded', name: null, sql: 'SELECT count(*) AS n FROM players_latest' })
    expect(done.bytesScanned).toBeGreaterThan(0)
    const { body } = await api.admin.get(`/v1/lake/queries/${done.id}/results`).expect(200)
    expect(body).toEqual({
      columns: [{ name: 'n', type: 'bigint' }],
      data: [[12]],
      page: { limit: 100, hasMore: false, next: null, prev: null },
    })
  })

  it('is one run however often it is sent with one Idempotency-Key, also when the answer was lost with the service', async () => {
    const key = randomUUID()
    const ask = (sql = 'SELECT 7 AS n') => api.admin.post('/v1/lake/queries').set('Idempotency-Key', key).send({ sql })
    const first = await ask().expect(202)
    expect((await ask().expect(202)).text).toBe(first.text)
    await api.database.prisma.$executeRaw`
      UPDATE idempotency_key SET locked_until = now() - interval '1 second', response_status = NULL WHERE key = ${key}`
    const afterCrash = await ask().expect(202)
    expect(afterCrash.headers).not.toHaveProperty('idempotency-replayed')
    expect(afterCrash.body.id).toBe(first.body.id)
    await ask('SELECT 8 AS n').expect(422)
    await api.database.prisma.$executeRaw`UPDATE idempotency_key SET expires_at = now() WHERE key = ${key}`
    expect((await ask().expect(202)).body.id).not.toBe(first.body.id)
  })

  it('that is saved runs with its parameters', async () => {
    const done = await run({ name: 'players-by-country', params: { min_players: 10 } })
    expect(done).toMatchObject({ state: 'succeeded', name: 'players-by-country' })
    const { body } = await api.admin.get(`/v1/lake/queries/${done.id}/results`).expect(200)
    expect(body.data).toEqual([['DE', 10, 10, 83.33]])
  })

  it.each([
    [{ sql: 'DROP TABLE players' }, 422, 'query-not-allowed'],
    [{ sql: 'SELECT 1; SELECT 2' }, 422, 'query-not-allowed'],
    [{ sql: '' }, 422, 'validation'],
    [{ sql: 'SELECT 1', name: 'players-by-country' }, 422, 'validation'],
    [{ sql: 'SELECT 1', params: {} }, 422, 'validation'],
    [{}, 422, 'validation'],
    [{ name: 'players-by-country', params: { min_players: 0 } }, 422, 'validation'],
    [{ name: 'players-by-country', params: { other: 1 } }, 422, 'validation'],
    [{ name: 'no-such-query' }, 404, 'not-found'],
  ])('%j is refused', async (request, status, code) => {
    const { body } = await api.admin.post('/v1/lake/queries').send(request).expect(status)
    expect(body.code).toBe(code)
  })

  it('needs the scope lake:query', async () => {
    const reader = api.as(await api.token('lake:read'))
    await reader.post('/v1/lake/queries').send({ sql: 'SELECT 1' }).expect(403)
    await reader.get('/v1/lake/queries').expect(403)
  })

  it('that fails tells the engine’s code, and has no results', async () => {
    const done = await run({ sql: 'SELECT * FROM no_such_table' })
    expect(done).toMatchObject({ state: 'failed', problem: { code: 'query-failed', engineCode: 'TABLE_NOT_FOUND' } })
    const { body } = await api.admin.get(`/v1/lake/queries/${done.id}/results`).expect(409)
    expect(body).toMatchObject({ code: 'conflict', state: 'failed' })
  })

  it('can be stopped; one that has ended stays as it is', async () => {
    const sql =
      'SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 100)) c(z)'
    const { headers } = await api.admin.post('/v1/lake/queries').send({ sql }).expect(202)
    await api.admin.delete(headers.location as string).expect(204)
    expect((await ended(headers.location as string)).state).toBe('cancelled')
    const done = await run({ sql: 'SELECT 1' })
    await api.admin.delete(`/v1/lake/queries/${done.id}`).expect(204)
    await api.admin.get(`/v1/lake/queries/${done.id}/results`).expect(200)
  })

  it('that nobody started is not found', async () => {
    await api.admin.get(`/v1/lake/queries/${randomUUID()}`).expect(404)
    await api.admin.get('/v1/lake/queries/1').expect(404)
  })
})

describe('results', () => {
  it('come page by page, each row once, and a cursor belongs to its result', async () => {
    const done = await run({ sql: 'SELECT player_ref FROM players_latest ORDER BY 1' })
    const other = await run({ sql: 'SELECT player_ref FROM players_latest ORDER BY 1' })
    const seen: string[] = []
    let next: string | null = null
    do {
      const cursor: string = next === null ? '' : `&cursor=${next}`
      const { body } = await api.admin.get(`/v1/lake/queries/${done.id}/results?limit=5${cursor}`).expect(200)
      seen.push(...body.data.flat())
      next = body.page.next
      if (next) await api.admin.get(`/v1/lake/queries/${other.id}/results?limit=5&cursor=${next}`).expect(400)
    } while (next !== null)
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')}`))
  })

  it('come whole as CSV: NULL empty, formulas disarmed', async () => {
    const done = await run({ sql: 'SELECT player_ref, country FROM players_latest ORDER BY 1 LIMIT 5' })
    const at = `/v1/lake/queries/${done.id}/results`
    const { text, headers } = await api.admin.get(at).set('Accept', 'text/csv').expect(200)
    expect(headers['content-type']).toBe('text/csv; charset=utf-8')
    expect(text).toBe("player_ref,country\r\np00,DE\r\np01,DE\r\np02,DE\r\np03,\r\np04,'=1+1\r\n")
    await api.admin.get(`${at}?limit=5`).set('Accept', 'text/csv').expect(400)
    await api.admin.get(at).set('Accept', 'application/xml').expect(406)
  })
})

describe('the list of queries', () => {
  it('has the saved ones with their parameters, and runs newest first without the service’s own', async () => {
    const done = await run({ name: 'players-by-country' })
    const { body } = await api.admin.get('/v1/lake/queries?limit=5').expect(200)
    const saved = body.saved.find((query: { name: string }) => query.name === 'active-players')
    expect(saved.parameters).toEqual([
      {
        ...{ name: 'days', type: 'integer', description: 'Days before the snapshot', default: 30, oneOf: null },
        ...{ min: 1, max: 3650 },
      },
    ])
    expect(body.data[0]).toMatchObject({ id: done.id, name: 'players-by-country' })
    let page = body.page
    const all = [...body.data]
    while (page.next !== null) {
      const answer = await api.admin.get(`/v1/lake/queries?limit=5&cursor=${page.next}`).expect(200)
      all.push(...answer.body.data)
      page = answer.body.page
    }
    expect(all.filter((each) => /VIEW|lake-upkeep/.test(`${each.sql} ${each.name}`))).toEqual([])
    expect(new Set(all.map((each) => each.id)).size).toBe(all.length)
  })
})

describe('while Athena is away', () => {
  it('queries are 503 with Retry-After and no stack, and work again when it is back', async () => {
    await aws.kill()
    const { body, headers, text } = await api.admin.post('/v1/lake/queries').send({ sql: 'SELECT 1' }).expect(503)
    expect(body.code).toBe('unavailable')
    expect(headers['retry-after']).toBe('5')
    expect(text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|\bat \//)
    await api.admin.get('/v1/lake/queries').expect(503)
    await api.admin.get('/v1/lake/tables').expect(200)
    const port = Number(new URL(aws.endpoint).port)
    restarted = await startLocalAws({ dir: aws.dir, port, log: createLogger({ level: 'warn' }) })
    await run({ sql: 'SELECT 1' })
  })
})
