import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi, takeSteps, unique } from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'
import { newGame, newGameIn } from '../../support/records.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId }, orderBy: { seq: 'asc' } })

const step = (id: string, version: number, body: object) =>
  api.admin.post(`/v1/games/${id}/transitions`).set('If-Match', `"${version}"`).send(body)

const patch = (id: string, version: number, body: object) =>
  api.admin.patch(`/v1/games/${id}`).set('If-Match', `"${version}"`).send(body)

describe('a game', () => {
  it('is created as a draft of its studio, with an audit event', async () => {
    const studio = await newStudio(api)
    const slug = unique('game')
    const answer = await api.admin.post('/v1/games').send({
      studioId: studio.id,
      slug,
      title: 'Star Haul',
      summary: 'Haul.\nStars.',
      genres: ['simulation', 'idle'],
      minAge: 0,
      releaseDate: '2026-02-01',
      releasePrecision: 'quarter',
    })
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ location: `/v1/games/${answer.body.id}`, etag: '"1"' })
    expect(answer.body).toMatchObject({
      studioId: studio.id,
      slug,
      summary: 'Haul.\nStars.',
      genres: ['simulation', 'idle'],
      minAge: 0,
      releaseDate: '2026-03-31',
      releasePrecision: 'quarter',
      status: 'draft',
      externalRef: null,
      version: 1,
    })
    expect((await auditOf(answer.body.id))[0]).toMatchObject({
      action: 'game.create',
      entityType: 'game',
      studioId: studio.id,
      changes: {
        releaseDate: { from: null, to: '2026-03-31' },
        genres: { from: null, to: ['simulation', 'idle'] },
      },
    })
    expect((await api.admin.get(`/v1/games/${answer.body.id}`)).body).toEqual(answer.body)
    expect((await api.admin.get(`/v1/games/slug:${slug}`)).body).toEqual(answer.body)
  })

  it('needs a studio that is there and open', async () => {
    const body = { slug: unique('game'), title: 'T' }
    const nobody = await api.admin.post('/v1/games').send({ ...body, studioId: '0193aaaa-0000-7000-8000-000000000001' })
    expect(nobody.body).toMatchObject({ status: 422, errors: [{ pointer: '/studioId', code: 'not-found' }] })
    const { id: studioId } = await newStudio(api)
    await takeSteps(api, `/v1/studios/${studioId}`, 'closed')
    expect((await api.admin.post('/v1/games').send({ ...body, studioId })).body).toMatchObject({
      status: 409,
      code: 'conflict',
    })
  })

  it('waits for a studio that is being closed, and is refused', async () => {
    const { id: studioId } = await newStudio(api)
    const close = { sql: "UPDATE studio SET status = 'closed' WHERE id = $1", values: [studioId] }
    const create = () => api.admin.post('/v1/games').send({ slug: unique('game'), title: 'T', studioId })
    expect((await duringChange(api, close, create)).body).toMatchObject({ status: 409, code: 'conflict' })
  })

  it('keeps its slug and reference for itself', async () => {
    const game = await newGame(api, { externalRef: unique('erp') })
    const body = { studioId: game.studioId, title: 'T' }
    const slug = await api.admin.post('/v1/games').send({ ...body, slug: game.slug })
    expect(slug.body).toMatchObject({ status: 409, code: 'slug-taken', errors: [{ pointer: '/slug' }] })
    const ref = await api.admin.post('/v1/games').send({ ...body, slug: unique('g'), externalRef: game.externalRef })
    expect(ref.body).toMatchObject({ status: 409, code: 'conflict', errors: [{ pointer: '/externalRef' }] })
    const taken = { ...body, slug: unique('race') }
    const answers = await Promise.all([1, 2].map(() => api.admin.post('/v1/games').send(taken)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  })

  it('is patched, and the date follows its precision', async () => {
    const { id } = await newGame(api, { minAge: 7 })
    const first = await patch(id, 1, { releasePrecision: 'year', genres: ['card'], minAge: null })
    expect(first.body).toMatchObject({ releaseDate: '2026-12-31', genres: ['card'], minAge: null, version: 2 })
    const same = await patch(id, 2, { releaseDate: '2026-01-01', genres: ['card'] })
    expect(same.headers.etag).toBe('"2"')
    expect((await patch(id, 2, { releasePrecision: 'day' })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/releaseDate', code: 'required' }],
    })
    expect((await patch(id, 2, { studioId: id })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/studioId', code: 'unknown-field' }],
    })
    expect((await patch(id, 1, { title: 'Stale' })).body).toMatchObject({ status: 412, code: 'version-mismatch' })
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(['game.create', 'game.update'])
  })

  it('keeps what the public knows once it is released', async () => {
    const game = await newGameIn(api, 'released')
    const answer = await patch(game.id, game.version, { minAge: null, releasePrecision: 'month', genres: [] })
    expect(answer.body).toMatchObject({
      status: 422,
      code: 'validation',
      errors: [{ pointer: '/minAge' }, { pointer: '/releaseDate' }, { pointer: '/genres' }],
    })
    expect((await patch(game.id, game.version, { minAge: 16 })).status).toBe(200)
  })

  it('is not deleted, and 404 when there is none', async () => {
    const { id } = await newGame(api)
    const answer = await api.admin.delete(`/v1/games/${id}`)
    expect(answer.body).toMatchObject({ status: 405, code: 'method-not-allowed' })
    expect(answer.body.detail).toContain('transitions')
    expect((await api.admin.get('/v1/games/slug:nobody')).status).toBe(404)
    expect((await api.admin.get('/v1/games/42')).status).toBe(404)
  })

  it('asks for its scopes', async () => {
    const { id } = await newGame(api)
    const reader = api.as(await api.token('games:read'))
    const writer = api.as(await api.token('games:write'))
    expect((await reader.get(`/v1/games/${id}`)).status).toBe(200)
    expect((await reader.post('/v1/games').send({})).body).toMatchObject({ status: 403, scope: 'games:write' })
    expect((await writer.get(`/v1/games/${id}`)).body).toMatchObject({ status: 403, scope: 'games:read' })
    const transition = await writer.post(`/v1/games/${id}/transitions`).set('If-Match', '"1"').send({ to: 'submitted' })
    expect(transition.body).toMatchObject({ status: 403, scope: 'games:transition' })
    expect((await api.anonymous.get('/v1/games')).status).toBe(401)
  })
})

describe('the steps of a game', () => {
  it('say what is missing for the release', async () => {
    const game = await newGameIn(api, 'announced', { minAge: null, releasePrecision: 'month' })
    expect((await api.admin.get(`/v1/games/slug:${game.slug}/transitions`)).body).toEqual({
      status: 'announced',
      allowed: [
        { to: 'released', ready: false, missing: ['min-age', 'exact-release-date'] },
        { to: 'early_access', ready: false, missing: ['min-age', 'exact-release-date'] },
        { to: 'cancelled', ready: true, missing: [] },
      ],
    })
    expect((await step(game.id, game.version, { to: 'released' })).body).toMatchObject({
      status: 422,
      code: 'transition-blocked',
      missing: ['min-age', 'exact-release-date'],
    })
    expect((await step(game.id, game.version, { to: 'draft' })).body).toMatchObject({
      status: 409,
      code: 'invalid-transition',
      allowed: ['released', 'early_access', 'cancelled'],
    })
  })

  it('go all the way, with a reason in the trail', async () => {
    const game = await newGameIn(api, 'delisted')
    const answer = await step(game.id, game.version, { to: 'retired', reason: 'licence ended' })
    expect(answer.body).toMatchObject({ status: 'retired', version: game.version + 1 })
    expect((await auditOf(game.id)).at(-1)).toMatchObject({
      action: 'game.transition',
      reason: 'licence ended',
      changes: { status: { from: 'delisted', to: 'retired' } },
    })
    expect((await api.admin.get(`/v1/games/${game.id}/transitions`)).body).toEqual({ status: 'retired', allowed: [] })
  })

  it('depend on the studio', async () => {
    const { id: studioId } = await newStudio(api)
    const game = await newGame(api, { studioId })
    expect((await step(game.id, 1, { to: 'submitted' })).body).toMatchObject({ missing: ['studio-in-review'] })
    await takeSteps(api, `/v1/studios/${studioId}`, 'in_review')
    const inReview = await takeSteps(api, `/v1/games/${game.id}`, 'submitted', 'in_review')
    expect((await step(game.id, inReview.version, { to: 'approved' })).body).toMatchObject({
      missing: ['active-studio'],
    })
  })

  it('wait for a studio that is being suspended, and then are frozen', async () => {
    const { studio } = await newActiveStudio(api)
    const game = await newGame(api, { studioId: studio.id })
    const suspend = { sql: "UPDATE studio SET status = 'suspended' WHERE id = $1", values: [studio.id] }
    const answer = await duringChange(api, suspend, () => step(game.id, 1, { to: 'submitted' }))
    expect(answer.body).toMatchObject({ status: 422, missing: ['active-studio'] })
  })

  it('and those of the studio pass each other without a deadlock', async () => {
    const { studio } = await newActiveStudio(api)
    const games = await Promise.all([1, 2, 3].map(() => newGame(api, { studioId: studio.id })))
    const suspend = api.admin
      .post(`/v1/studios/${studio.id}/transitions`)
      .set('If-Match', `"${studio.version}"`)
      .send({ to: 'suspended' })
    const [suspended, ...steps] = await Promise.all([
      suspend,
      ...games.map(({ id }) => step(id, 1, { to: 'submitted' })),
    ])
    expect(suspended.status).toBe(200)
    for (const { status } of steps) expect([200, 422]).toContain(status)
  })

  it('are made by one of two who saw the same version', async () => {
    const game = await newGame(api)
    const answers = await Promise.all(['submitted', 'withdrawn'].map((to) => step(game.id, 1, { to })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
  })
})
