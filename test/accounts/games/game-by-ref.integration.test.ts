import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi, takeSteps, unique } from '../../support/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const at = (ref: string) => `/v1/games/by-ref/${encodeURIComponent(ref)}`

describe('a game that is put by the reference of another system', () => {
  it('is created as a draft, then replaced: absent fields are emptied', async () => {
    const { id: studioId } = await newStudio(api)
    const ref = unique('erp')
    const body = { studioId, slug: unique('haul'), title: 'Star Haul', genres: ['rpg'], minAge: 7 }
    const created = await api.admin
      .put(at(ref))
      .send({ ...body, releaseDate: '2026-02-10', releasePrecision: 'quarter' })
    expect(created.status).toBe(201)
    expect(created.headers.location).toBe(`/v1/games/${created.body.id}`)
    expect(created.body).toMatchObject({ ...body, externalRef: ref, status: 'draft', releaseDate: '2026-03-31' })
    const replaced = await api.admin.put(at(ref)).send({ studioId, slug: body.slug, title: 'Star Haul II' })
    expect([replaced.status, replaced.headers.etag]).toEqual([200, '"2"'])
    expect(replaced.body).toMatchObject({ genres: [], minAge: null, releaseDate: null, releasePrecision: 'tba' })
    const again = await api.admin.put(at(ref)).send({ studioId, slug: body.slug, title: 'Star Haul II' })
    expect(again.body).toEqual(replaced.body)
    const trail = await api.database.prisma.auditEvent.findMany({ where: { entityId: created.body.id } })
    expect(trail.map(({ action }) => action).sort()).toEqual(['game.create', 'game.update'])
  })

  it('keeps what its state needs', async () => {
    const { studio } = await newActiveStudio(api)
    const ref = unique('erp')
    const facts = { genres: ['rpg'], minAge: 7, releaseDate: '2026-02-10' }
    const body = { studioId: studio.id, slug: unique('haul'), title: 'Star Haul' }
    const { id } = (await api.admin.put(at(ref)).send({ ...body, ...facts })).body
    await takeSteps(api, `/v1/games/${id}`, 'submitted', 'in_review', 'approved', 'announced', 'released')
    const emptied = await api.admin.put(at(ref)).send(body)
    expect(emptied.status).toBe(422)
    expect(emptied.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/minAge',
      '/releaseDate',
      '/genres',
    ])
    expect((await api.admin.put(at(ref)).send({ ...body, ...facts, title: 'New' })).body.status).toBe('released')
  })

  it('does not change its studio: that is a transfer', async () => {
    const [one, other] = [await newStudio(api), await newStudio(api)]
    const ref = unique('erp')
    const body = { studioId: one.id, slug: unique('haul'), title: 'Star Haul' }
    const { id } = (await api.admin.put(at(ref)).send(body)).body
    const moved = await api.admin.put(at(ref)).send({ ...body, studioId: other.id })
    expect(moved.body).toMatchObject({
      ...{ status: 409, code: 'conflict', gameId: id, studioId: one.id },
      errors: [{ pointer: '/studioId', code: 'needs-transfer' }],
    })
  })

  it('needs a studio that is there and open, and a free slug', async () => {
    const { id: studioId } = await newStudio(api)
    const closed = await newStudio(api)
    await takeSteps(api, `/v1/studios/${closed.id}`, 'closed')
    const nobody = '0193aaaa-0000-7000-8000-000000000001'
    const body = { slug: unique('haul'), title: 'Star Haul' }
    const put = async (more: object) => (await api.admin.put(at(unique('erp'))).send({ ...body, ...more })).body
    expect(await put({ studioId: nobody })).toMatchObject({ status: 422, errors: [{ pointer: '/studioId' }] })
    expect(await put({ studioId: closed.id })).toMatchObject({ status: 409, errors: [{ code: 'closed' }] })
    expect((await put({ studioId })).status).toBe('draft')
    expect(await put({ studioId })).toMatchObject({ status: 409, code: 'slug-taken' })
    expect(await put({ studioId, slug: unique('x'), externalRef: 'x', releaseDate: null })).toMatchObject({
      ...{ status: 422, errors: [{ pointer: '/externalRef', code: 'unknown-field' }] },
    })
  })

  it('honours If-None-Match and If-Match; put by many at the same moment it is one game', async () => {
    const { id: studioId } = await newStudio(api)
    const ref = unique('erp')
    const body = { studioId, slug: unique('haul'), title: 'Star Haul' }
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.admin.put(at(ref)).send(body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201])
    expect((await api.admin.put(at(ref)).set('If-None-Match', '*').send(body)).status).toBe(412)
    expect((await api.admin.put(at(ref)).set('If-Match', '"2"').send(body)).headers.etag).toBe('"1"')
    expect(
      (
        await api.admin
          .put(at(unique('erp')))
          .set('If-Match', '*')
          .send(body)
      ).status,
    ).toBe(412)
  })
})
