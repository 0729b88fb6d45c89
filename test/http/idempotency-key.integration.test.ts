import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ok } from '../../src/http/answer.ts'
import { jsonBody } from '../../src/http/body.ts'
import { route } from '../../src/http/route.ts'
import { createTestApi, newActiveStudio, newOwner, newStudio, type TestApi, unique } from '../support/api.ts'

let api: TestApi
let key: string
/** What the handler of the test's own operation does. */
let act: () => Promise<unknown>
let acted = 0

beforeAll(async () => {
  api = await createTestApi({
    groups: () => [
      {
        routes: [
          route({
            operation: 'act',
            method: 'post',
            path: '/v1/test/act',
            tag: 'test',
            summary: 'Does what the test says',
            access: 'key',
            body: jsonBody(z.strictObject({})),
            answers: { 200: { description: 'Done' } },
            async handle() {
              acted += 1
              return ok({ made: await act() })
            },
          }),
        ],
      },
    ],
  })
})

beforeEach(() => {
  key = randomUUID()
  acted = 0
})

afterAll(() => api.close())

const create = (slug: string, agent = api.admin) =>
  agent.post('/v1/studios').set('Idempotency-Key', key).send({ slug, name: 'Twice' })
const rows = () => api.database.prisma.idempotencyKey.findMany({ where: { key } })
const eventsOf = (entityId: string) => api.database.prisma.auditEvent.count({ where: { entityId } })

describe('an Idempotency-Key', () => {
  it('lets a POST act once and answers every repeat with the same status, headers and bytes', async () => {
    const slug = unique('once')
    const first = await create(slug)
    const again = await create(slug)
    expect(first.status).toBe(201)
    expect(first.headers).not.toHaveProperty('idempotency-replayed')
    expect(again.status).toBe(201)
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.text).toBe(first.text)
    for (const name of ['location', 'etag', 'content-type', 'content-length', 'cache-control', 'vary']) {
      expect([name, again.headers[name]]).toEqual([name, first.headers[name]])
    }
    expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id'])
    expect(again.headers.ratelimit).toMatch(/^"default";r=\d+;t=\d+$/)
    expect(await eventsOf(first.body.id)).toBe(1)
  })

  it('lets a PATCH act once: the repeat gets its answer though somebody else has changed the record since', async () => {
    const studio = await newStudio(api)
    const patch = () =>
      api.admin
        .patch(`/v1/studios/${studio.id}`)
        .set('Idempotency-Key', key)
        .set('If-Match', `"${studio.version}"`)
        .send({ name: 'New' })
    const first = await patch()
    const path = `/v1/studios/${studio.id}`
    const since = await api.admin
      .patch(path)
      .set('If-Match', first.headers.etag as string)
      .send({ name: 'Newer' })
    const again = await patch()
    expect([first.status, since.status, again.status]).toEqual([200, 200, 200])
    expect(again.text).toBe(first.text)
    expect(again.headers.etag).toBe(`"${studio.version + 1}"`)
    expect((await api.admin.get(path)).body).toEqual(since.body)
  })

  it('is one key whether it is quoted or bare', async () => {
    const slug = unique('quoted')
    expect((await create(slug)).status).toBe(201)
    const quoted = await api.admin.post('/v1/studios').set('Idempotency-Key', `"${key}"`).send({ slug, name: 'Twice' })
    expect(quoted.headers['idempotency-replayed']).toBe('true')
  })

  it.each([
    ['too short', '1234567'],
    ['too long', 'k'.repeat(256)],
    ['with a space', 'a key of mine'],
    ['quoted on one side', '"a-key-of-mine'],
    ['a list', '"a-key-of-mine", "another-one"'],
    ['empty', '""'],
  ])('that is %s is refused, and nothing is done', async (_what, header) => {
    const slug = unique('refused')
    const refused = await api.admin.post('/v1/studios').set('Idempotency-Key', header).send({ slug, name: 'No' })
    expect(refused.status).toBe(400)
    expect(refused.body).toMatchObject({ code: 'malformed-header', errors: [{ header: 'Idempotency-Key' }] })
    expect((await api.admin.get(`/v1/studios/slug:${slug}`)).status).toBe(404)
  })

  it('that came with another request before is refused: body, path, query, If-Match and content type count', async () => {
    const { id, version } = await newStudio(api)
    const patch = (path: string, ifMatch: string, type: string, body: object) =>
      api.admin
        .patch(`/v1/studios/${path}`)
        .set({ 'Idempotency-Key': key, 'If-Match': ifMatch, 'Content-Type': type })
        .send(JSON.stringify(body))
    const merge = 'application/merge-patch+json'
    const etag = `"${version}"`
    expect((await patch(id, etag, merge, { name: 'A' })).status).toBe(200)
    const others = [
      patch(id, etag, merge, { name: 'B' }),
      patch(id, '*', merge, { name: 'A' }),
      patch(id, etag, 'application/json', { name: 'A' }),
      patch((await newStudio(api)).id, etag, merge, { name: 'A' }),
    ]
    for (const answer of await Promise.all(others)) {
      expect(answer.status).toBe(422)
      expect(answer.body).toMatchObject({ code: 'idempotency-mismatch', errors: [{ header: 'Idempotency-Key' }] })
    }
    expect((await patch(id, etag, merge, { name: 'A' })).headers['idempotency-replayed']).toBe('true')
  })

  it('belongs to its caller: another one with the same text acts for itself', async () => {
    const other = api.as(await api.token())
    const mine = await create(unique('mine'))
    const theirs = await create(unique('theirs'), other)
    expect([mine.status, theirs.status]).toEqual([201, 201])
    expect(theirs.body.id).not.toBe(mine.body.id)
  })

  it('is of no use to a key that has been revoked since', async () => {
    const { token, key: apiKey } = await api.keys.create({ name: 'soon gone', scopes: ['studios:write'] }, api.context)
    const slug = unique('revoked')
    expect((await create(slug, api.as(token))).status).toBe(201)
    await api.keys.revoke(apiKey.id, api.context)
    expect((await create(slug, api.as(token))).status).toBe(401)
  })

  it('is free again after an error, which is not stored: the same or another request may follow', async () => {
    const slug = unique('freed')
    await newStudio(api, { slug })
    expect((await create(slug)).status).toBe(409)
    expect((await create(slug)).status).toBe(409)
    expect((await create(`${slug}-other`)).status).toBe(201)
    expect((await create(`${slug}-other`)).headers['idempotency-replayed']).toBe('true')
  })

  it('is kept for 24 hours and then counts as new', async () => {
    const first = await create(unique('day'))
    const [row] = await rows()
    const hours = (Number(row?.expiresAt) - Number(row?.createdAt)) / 3_600_000
    expect(hours).toBeCloseTo(24, 1)
    await api.database.prisma.$executeRaw`UPDATE idempotency_key SET expires_at = now() WHERE key = ${key}`
    const later = await create(unique('next-day'))
    expect(later.status).toBe(201)
    expect(later.body.id).not.toBe(first.body.id)
  })

  it('is ignored where the method or the operation is idempotent already', async () => {
    const { studio } = await newActiveStudio(api)
    const owner = await newOwner(api)
    const at = `/v1/studios/${studio.id}/members/${owner.id}`
    const put = await api.admin.put(at).set('Idempotency-Key', key).send({ role: 'viewer' })
    const get = await api.admin.get(at).set('Idempotency-Key', 'short')
    const gone = await api.admin
      .delete(at)
      .set('Idempotency-Key', key)
      .set('If-Match', put.headers.etag as string)
    expect([put.status, get.status, gone.status]).toEqual([201, 200, 204])
    expect(await rows()).toEqual([])
  })

  it('is refused by an import, which is safe to repeat by its own keys', async () => {
    const refused = await api.admin
      .post('/v1/imports/studios')
      .set({ 'Idempotency-Key': key, 'Content-Type': 'application/x-ndjson' })
      .send('{}\n')
    expect(refused.status).toBe(400)
    expect(refused.body.errors).toMatchObject([{ header: 'Idempotency-Key', code: 'not-allowed' }])
  })

  it('stores an answer that nobody can read in the table, and never writes it into the log', async () => {
    const email = `${unique('private')}@owners.example`
    const made = await api.admin.post('/v1/owners').set('Idempotency-Key', key).send({ fullName: 'Olga Secret', email })
    expect(made.body.email).toBe(email)
    const [row] = await rows()
    const stored = Buffer.from(row?.responseBody ?? []).toString('latin1')
    expect(stored.length).toBeGreaterThan(100)
    expect(stored).not.toContain(email)
    expect(stored).not.toContain('Olga')
    const again = await api.admin
      .post('/v1/owners')
      .set('Idempotency-Key', key)
      .send({ fullName: 'Olga Secret', email })
    expect(again.text).toBe(made.text)
    expect(api.log()).not.toContain(email)
  })
})

describe('one transaction', () => {
  const post = () => api.admin.post('/v1/test/act').set('Idempotency-Key', key).send({})
  const insert = (slug: string) =>
    api.database.transaction((tx) => tx.studio.create({ data: { id: randomUUID(), slug, name: slug } }))
  const exists = async (slug: string) => (await api.database.prisma.studio.count({ where: { slug } })) === 1

  it('holds all that a handler does, by whatever way, and its stored answer', async () => {
    const [a, b] = [unique('part-a'), unique('part-b')]
    act = async () => {
      await insert(a)
      await insert(b)
      throw new Error('a defect after two changes')
    }
    expect((await post()).status).toBe(500)
    expect([await exists(a), await exists(b)]).toEqual([false, false])
    act = async () => (await insert(a)).slug
    const done = await post()
    expect(done.body).toEqual({ made: a })
    expect((await post()).text).toBe(done.text)
    expect(acted).toBe(2)
  })

  it('runs the whole handler again after a deadlock', async () => {
    const slug = unique('again')
    act = async () => {
      await insert(`${slug}-${acted}`)
      if (acted === 1)
        await api.database.withClient((client) => client.query("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))
      return acted
    }
    const done = await post()
    expect(done.body).toEqual({ made: 2 })
    expect([await exists(`${slug}-1`), await exists(`${slug}-2`)]).toEqual([false, true])
  })

  it('answers with a problem when a deferred rule refuses the end, and frees the key', async () => {
    const { studio, owner } = await newActiveStudio(api)
    act = async () => {
      // Not a part of its own, so that only the commit hears of the rule.
      await api.database.prisma.$executeRaw`
        UPDATE studio_membership SET status = 'left', left_at = now() WHERE studio_id = ${studio.id}::uuid AND owner_id = ${owner.id}::uuid`
      return 'left'
    }
    const refused = await post()
    expect(refused.status).toBe(409)
    expect(refused.body.code).toBe('last-owner')
    act = async () => 'nothing'
    expect((await post()).body).toEqual({ made: 'nothing' })
  })

  it('ends without change when the answer is too large to be stored', async () => {
    const slug = unique('large')
    act = async () => {
      await insert(slug)
      return 'x'.repeat(1024 * 1024)
    }
    expect((await post()).status).toBe(500)
    expect(await exists(slug)).toBe(false)
  })

  it('takes one connection a request: as many requests as connections do not wait for each other', async () => {
    let entered = 0
    const all = Promise.withResolvers<void>()
    act = async () => {
      await api.database.transaction((tx) => tx.studio.count())
      entered += 1
      if (entered === 5) all.resolve()
      await all.promise
      return api.database.prisma.studio.count()
    }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.admin.post('/v1/test/act').set('Idempotency-Key', randomUUID()).send({})),
    )
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200])
  })

  it('is finished and stored also when the client leaves in its middle', async () => {
    const slug = unique('left')
    const entered = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    act = async () => {
      entered.resolve()
      await gone.promise
      return (await insert(slug)).slug
    }
    const request = post()
    const left = request.then(
      () => 'answered',
      () => 'gone',
    )
    await entered.promise
    request.abort()
    expect(await left).toBe('gone')
    gone.resolve()
    let again = await post()
    while (again.status === 409) again = await post()
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.body).toEqual({ made: slug })
    expect(acted).toBe(1)
  })
})
