import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, takeSteps, unique } from '../../support/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const at = (ref: string) => `/v1/studios/by-ref/${encodeURIComponent(ref)}`
const events = (id: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId: id }, orderBy: { seq: 'asc' } })

describe('a studio that is put by the reference of another system', () => {
  it('is created, then replaced: absent fields are emptied, the state stays', async () => {
    const ref = unique('crm')
    const body = { slug: unique('acme'), name: 'Acme', legalName: 'Acme Ltd', country: 'SE' }
    const created = await api.admin.put(at(ref)).send(body)
    expect(created.status).toBe(201)
    expect(created.headers).toMatchObject({ location: `/v1/studios/${created.body.id}`, etag: '"1"' })
    expect(created.body).toMatchObject({ ...body, externalRef: ref, status: 'prospect', version: 1 })
    await takeSteps(api, `/v1/studios/${created.body.id}`, 'in_review')
    const replaced = await api.admin.put(at(ref)).send({ slug: body.slug, name: 'Acme Games' })
    expect(replaced.status).toBe(200)
    expect(replaced.headers.etag).toBe('"3"')
    expect(replaced.body).toMatchObject({ name: 'Acme Games', legalName: null, country: null, status: 'in_review' })
    const [first, , last] = await events(created.body.id)
    expect(first).toMatchObject({ action: 'studio.create', studioId: created.body.id })
    expect(last).toMatchObject({
      action: 'studio.update',
      changes: { name: { from: 'Acme', to: 'Acme Games' }, country: { from: 'SE', to: null } },
    })
  })

  it('changes nothing when it is said again, neither version nor trail', async () => {
    const ref = unique('crm')
    const body = { slug: unique('acme'), name: 'Acme', website: 'https://acme.example/' }
    const first = await api.admin.put(at(ref)).send(body)
    const again = await api.admin.put(at(ref)).send(body)
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    expect(await events(first.body.id)).toHaveLength(1)
  })

  it('honours If-None-Match and If-Match', async () => {
    const ref = unique('crm')
    const body = { slug: unique('acme'), name: 'Acme' }
    expect((await api.admin.put(at(ref)).set('If-Match', '"1"').send(body)).body.code).toBe('version-mismatch')
    expect((await api.admin.put(at(ref)).set('If-None-Match', '*').send(body)).status).toBe(201)
    const twice = await api.admin.put(at(ref)).set('If-None-Match', '*').send(body)
    expect([twice.status, twice.headers.etag]).toEqual([412, '"1"'])
    const stale = await api.admin
      .put(at(ref))
      .set('If-Match', '"7"')
      .send({ ...body, name: 'B' })
    expect([stale.status, stale.headers.etag]).toEqual([412, '"1"'])
    expect(
      (
        await api.admin
          .put(at(ref))
          .set('If-Match', '"1"')
          .send({ ...body, name: 'B' })
      ).body.version,
    ).toBe(2)
    const forced = await api.admin
      .put(at(ref))
      .set('If-Match', '*')
      .send({ ...body, name: 'C' })
    expect((await events(forced.body.id)).at(-1)?.changes).toMatchObject({ $ifMatch: '*' })
    expect((await api.admin.put(at(ref)).set('If-None-Match', '"1"').send(body)).status).toBe(400)
  })

  it('keeps references with any characters apart, and is not taken for a part of a studio', async () => {
    for (const ref of [
      'a/b',
      'a%2Fb',
      'games',
      'transitions',
      'Zoë & Co.',
      '日本',
      "'; DROP TABLE studio; --",
      '?q=1',
    ]) {
      const answer = await api.admin.put(at(ref)).send({ slug: unique('ref'), name: 'R' })
      expect([answer.status, answer.body.externalRef], ref).toEqual([201, ref])
    }
    const read = await api.admin.get(at('games'))
    expect([read.status, read.headers.allow]).toEqual([405, 'PUT, OPTIONS'])
  })

  it('refuses what is no reference, unknown fields, and a body with a reference of its own', async () => {
    const body = { slug: unique('acme'), name: 'Acme' }
    expect((await api.admin.put(at('x'.repeat(129))).send(body)).status).toBe(404)
    expect((await api.admin.put(at('x'.repeat(128))).send(body)).status).toBe(201)
    expect((await api.admin.put(at(' x')).send(body)).status).toBe(404)
    expect((await api.admin.put('/v1/studios/by-ref/%00x').send(body)).status).toBe(404)
    expect((await api.admin.put('/v1/studios/by-ref/%ff').send(body)).status).toBe(400)
    const own = await api.admin.put(at(unique('crm'))).send({ ...body, externalRef: 'other', status: 'active' })
    expect(own.status).toBe(422)
    expect(own.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/externalRef', '/status'])
    expect((await api.admin.put(at(unique('crm'))).send({ name: 'Acme' })).body.errors).toMatchObject([
      { pointer: '/slug', code: 'required' },
    ])
  })

  it('does not take the slug of another studio, neither new nor there', async () => {
    const { slug } = await newStudio(api)
    const ref = unique('crm')
    const taken = await api.admin.put(at(ref)).send({ slug, name: 'Acme' })
    expect(taken.body).toMatchObject({ status: 409, code: 'slug-taken', errors: [{ pointer: '/slug' }] })
    await api.admin.put(at(ref)).send({ slug: unique('acme'), name: 'Acme' })
    expect((await api.admin.put(at(ref)).send({ slug, name: 'Acme' })).body.code).toBe('slug-taken')
  })

  it('put by many at the same moment is one studio', async () => {
    const ref = unique('crm')
    const body = { slug: unique('acme'), name: 'Acme' }
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.admin.put(at(ref)).send(body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
    expect(await events(answers[0]?.body.id)).toHaveLength(1)
  })

  it('needs studios:write', async () => {
    const reader = api.as(await api.token('studios:read', 'games:write'))
    const answer = await reader.put(at(unique('crm'))).send({ slug: unique('acme'), name: 'Acme' })
    expect(answer.body).toMatchObject({ status: 403, scope: 'studios:write' })
  })
})
