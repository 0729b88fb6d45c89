import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseToken } from '../../../src/accounts/api-keys/api-key.ts'
import { createTestApi, type TestApi } from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const path = (id: string, rest = '') => `/v1/api-keys/${id}${rest}`
const newKey = async (fields: object = {}) => {
  const answer = await api.admin.post('/v1/api-keys').send({ name: 'CI', scopes: ['games:read'], ...fields })
  expect(answer.status).toBe(201)
  return answer.body
}
const statusOf = async (token: string) => (await api.as(token).get('/v1/whoami')).status
const rotate = (id: string, agent = api.admin) => agent.post(path(id, '/rotate'))
const events = (id: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId: id }, orderBy: { seq: 'asc' } })
const hoursLeft = ({ expiresAt }: { expiresAt: string }) => (Date.parse(expiresAt) - Date.now()) / 3_600_000

describe('a key that is made', () => {
  it('shows its secret once, works, and is stored nowhere on the way', async () => {
    const answer = await api.admin
      .post('/v1/api-keys')
      .send({ name: ' CI  job ', scopes: ['games:read'], validDays: 7 })
    expect(answer.status).toBe(201)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { id, token, ...key } = answer.body
    expect(answer.headers.location).toBe(path(id))
    expect(key).toMatchObject({
      name: 'CI job',
      scopes: ['games:read'],
      lastUsedAt: null,
      revokedAt: null,
      replacedBy: null,
    })
    expect(Math.round(hoursLeft(key))).toBe(7 * 24)
    expect(await statusOf(token)).toBe(200)
    const again = await api.admin.get(path(id))
    expect(again.body).toMatchObject({ id, name: 'CI job' })
    const everywhere = again.text + (await api.admin.get('/v1/api-keys?limit=200')).text + api.log()
    expect(everywhere).toContain(id)
    expect(everywhere).not.toContain(parseToken(token)?.secret)
    expect(await events(id)).toMatchObject([{ action: 'api_key.create', actorType: 'api_key', entityType: 'api_key' }])
  })

  it('has no scope that its maker lacks', async () => {
    const maker = api.as(await api.token('keys:manage', 'games:read'))
    const make = (...scopes: string[]) => maker.post('/v1/api-keys').send({ name: 'x', scopes })
    expect((await make('games:read', 'keys:manage')).status).toBe(201)
    const refused = await make('games:read', 'games:write', 'players:read')
    expect(refused.body).toMatchObject({ status: 403, scope: 'games:write' })
    expect(refused.body.detail).toContain('games:write, players:read')
  })

  it.each([
    [{}, ['/name', '/scopes']],
    [{ name: '', scopes: ['games:read'] }, ['/name']],
    [{ name: 'x'.repeat(101), scopes: ['games:read'] }, ['/name']],
    [{ name: 'x', scopes: [] }, ['/scopes']],
    [{ name: 'x', scopes: ['games:read', 'all'] }, ['/scopes/1']],
    [{ name: 'x', scopes: ['games:read', 'games:read'] }, ['/scopes/1']],
    [{ name: 'x', scopes: ['games:read'], validDays: 0 }, ['/validDays']],
    [{ name: 'x', scopes: ['games:read'], validDays: 367 }, ['/validDays']],
    [{ name: 'x', scopes: ['games:read'], validDays: 1.5 }, ['/validDays']],
    [{ name: 'x', scopes: ['games:read'], secret: 'x' }, ['/secret']],
    [{ name: 'a\u0000b', scopes: ['games:read'] }, ['/name']],
  ])('is refused for %j', async (body, pointers) => {
    const answer = await api.admin.post('/v1/api-keys').send(body)
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers)
  })

  it('is not made again by an Idempotency-Key: its secret would have to be kept', async () => {
    const body = { name: 'x', scopes: ['games:read'] }
    const { id } = await newKey()
    for (const request of [api.admin.post('/v1/api-keys').send(body), rotate(id)]) {
      const answer = await request.set('Idempotency-Key', '12345678')
      expect(answer.body).toMatchObject({
        status: 400,
        code: 'malformed-header',
        errors: [{ header: 'Idempotency-Key' }],
      })
    }
    expect((await api.admin.get(path(id))).body.replacedBy).toBeNull()
  })

  it('lives 366 days at most', async () => {
    expect(Math.round(hoursLeft(await newKey({ validDays: 366 })))).toBe(366 * 24)
    expect(Math.round(hoursLeft(await newKey()))).toBe(365 * 24)
  })
})

describe('a key that is rotated', () => {
  it('lives a day more beside one with the same name and scopes, made for as long', async () => {
    const old = await newKey({ name: 'Store', scopes: ['games:read', 'players:read'], validDays: 30 })
    const answer = await rotate(old.id)
    expect(answer.status).toBe(201)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers.location).toBe(path(answer.body.id))
    expect(answer.body).toMatchObject({ name: 'Store', scopes: ['games:read', 'players:read'], replacedBy: null })
    expect(Math.round(hoursLeft(answer.body))).toBe(30 * 24)
    expect(answer.body.replaced).toMatchObject({ id: old.id, replacedBy: answer.body.id })
    expect(Math.round(hoursLeft(answer.body.replaced))).toBe(24)
    expect(answer.body.token).not.toBe(old.token)
    expect([await statusOf(old.token), await statusOf(answer.body.token)]).toEqual([200, 200])
    const trail = (await events(old.id)).at(-1)
    expect(trail).toMatchObject({
      action: 'api_key.rotate',
      changes: { replacedBy: { from: null, to: answer.body.id } },
    })
    expect(await events(answer.body.id)).toMatchObject([{ action: 'api_key.create' }])
    await api.database.prisma.$executeRaw`
      UPDATE api_key SET created_at = created_at - interval '2 days', expires_at = now() - interval '1 ms' WHERE id = ${old.id}`
    expect([await statusOf(old.token), await statusOf(answer.body.token)]).toEqual([401, 200])
  })

  it('does not live longer than it would have', async () => {
    const old = await newKey({ validDays: 1 })
    await api.database.prisma
      .$executeRaw`UPDATE api_key SET expires_at = now() + interval '2 hours' WHERE id = ${old.id}`
    expect(Math.round(hoursLeft((await rotate(old.id)).body.replaced))).toBe(2)
  })

  it('is rotated once; its successor can be', async () => {
    const old = await newKey()
    const first = await rotate(old.id)
    const again = await rotate(old.id)
    expect(again.body).toMatchObject({ status: 409, code: 'conflict', replacedBy: first.body.id })
    expect((await rotate(first.body.id)).status).toBe(201)
  })

  it('is valid and there', async () => {
    const revoked = await newKey()
    await api.admin.delete(path(revoked.id))
    expect((await rotate(revoked.id)).body).toMatchObject({ status: 409, code: 'conflict' })
    expect((await rotate('000000000000')).status).toBe(404)
    expect((await rotate('x')).status).toBe(404)
    expect((await rotate(revoked.id).send({ validDays: 1 })).status).toBe(415)
  })

  it('by a weaker key is refused: it would get a stronger one', async () => {
    const strong = await newKey({ scopes: ['games:read', 'audit:read', 'keys:manage'] })
    const weak = api.as(await api.token('keys:manage', 'games:read'))
    expect((await rotate(strong.id, weak)).body).toMatchObject({ status: 403, scope: 'audit:read' })
    expect((await api.admin.get(path(strong.id))).body.replacedBy).toBeNull()
    const itself = await api.as(strong.token).post(path(strong.id, '/rotate'))
    expect(itself.status).toBe(201)
  })

  it('by many at once has one successor', async () => {
    const old = await newKey()
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(old.id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
  })

  it('while it is being revoked is refused, and revoked while it is being rotated ends at once', async () => {
    const one = await newKey()
    const revoking = { sql: 'UPDATE api_key SET revoked_at = now() WHERE id = $1', values: [one.id] }
    expect((await duringChange(api, revoking, () => rotate(one.id))).body.code).toBe('conflict')
    const other = await newKey()
    const rotating = {
      sql: "UPDATE api_key SET expires_at = now() + interval '1 day' WHERE id = $1",
      values: [other.id],
    }
    expect((await duringChange(api, rotating, () => api.admin.delete(path(other.id)))).status).toBe(204)
    expect(await statusOf(other.token)).toBe(401)
    for (let round = 0; round < 20; round++) {
      const key = await newKey()
      const [rotated, revoked] = await Promise.all([rotate(key.id), api.admin.delete(path(key.id))])
      expect(revoked.status).toBe(204)
      expect([201, 409]).toContain(rotated.status)
      expect(await statusOf(key.token)).toBe(401)
      if (rotated.status === 201) expect(await statusOf(rotated.body.token)).toBe(200)
    }
  })
})

describe('a key that is revoked', () => {
  it('ends with the next request; again it is 204, and told once', async () => {
    const key = await newKey()
    expect((await api.admin.delete(path(key.id))).status).toBe(204)
    expect(await statusOf(key.token)).toBe(401)
    expect((await api.admin.delete(path(key.id))).status).toBe(204)
    expect((await events(key.id)).map(({ action }) => action)).toEqual(['api_key.create', 'api_key.revoke'])
    expect((await api.admin.get(path(key.id))).body.revokedAt).not.toBeNull()
    expect((await api.admin.delete(path('000000000000'))).status).toBe(404)
  })

  it('may be the one that asks', async () => {
    const key = await newKey({ scopes: ['keys:manage'] })
    expect((await api.as(key.token).delete(path(key.id))).status).toBe(204)
    expect(await statusOf(key.token)).toBe(401)
  })
})

describe('the list of keys', () => {
  it('goes page by page, and is filtered', async () => {
    const made: string[] = []
    for (let i = 0; i < 5; i++) made.push((await newKey()).id)
    await api.admin.delete(path(made[0] ?? ''))
    const seen: string[] = []
    let next: string | null = null
    do {
      const url = `/v1/api-keys?limit=2&sort=createdAt&revokedAt[isNull]=true${next === null ? '' : `&cursor=${next}`}`
      const { body } = await api.admin.get(url)
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      next = body.page.next
    } while (next !== null)
    expect(seen.slice(-4)).toEqual(made.slice(1))
    expect(seen).not.toContain(made[0])
  })

  it.each(['get', 'post', 'delete'] as const)('and every operation on keys needs keys:manage: %s', async (method) => {
    const { id } = await newKey()
    const agent = api.as(await api.token('audit:read', 'players:read.personal'))
    const paths = { get: ['/v1/api-keys', path(id)], post: ['/v1/api-keys', path(id, '/rotate')], delete: [path(id)] }[
      method
    ]
    for (const each of paths) expect((await agent[method](each)).body.scope, each).toBe('keys:manage')
  })
})
