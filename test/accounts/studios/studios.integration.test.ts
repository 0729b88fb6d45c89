import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTestApi,
  newActiveStudio,
  newMember,
  newOwner,
  newStudio,
  type TestApi,
  takeSteps,
  unique,
} from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId }, orderBy: { seq: 'asc' } })

describe('a studio', () => {
  it('is created as a prospect, with its address, version and an audit event', async () => {
    const slug = unique('acme')
    const answer = await api.admin
      .post('/v1/studios')
      .set('X-Request-Id', 'request-0001')
      .send({ slug, name: ' Acme   Games ', country: 'DE', website: 'https://acme.example' })
    expect(answer.status).toBe(201)
    expect(answer.headers.location).toBe(`/v1/studios/${answer.body.id}`)
    expect(answer.headers.etag).toBe('"1"')
    expect(answer.body).toMatchObject({
      slug,
      name: 'Acme Games',
      legalName: null,
      country: 'DE',
      website: 'https://acme.example',
      status: 'prospect',
      externalRef: null,
      version: 1,
    })
    const [event] = await auditOf(answer.body.id)
    expect(event).toMatchObject({
      action: 'studio.create',
      actorType: 'api_key',
      requestId: 'request-0001',
      entityType: 'studio',
      studioId: answer.body.id,
    })
    expect(event?.changes).toMatchObject({ slug: { from: null, to: slug }, status: { from: null, to: 'prospect' } })
  })

  it('is found by id and by slug', async () => {
    const studio = await newStudio(api)
    const byId = await api.admin.get(`/v1/studios/${studio.id.toUpperCase()}`)
    const bySlug = await api.admin.get(`/v1/studios/slug:${studio.slug}`)
    expect(byId.body).toEqual(studio)
    expect(bySlug.body).toEqual(studio)
    expect(byId.headers.etag).toBe('"1"')
    const unknown = await api.admin.get('/v1/studios/slug:nobody')
    expect(unknown.body).toMatchObject({ status: 404, code: 'not-found' })
  })

  it('keeps its slug and external reference for itself', async () => {
    const studio = await newStudio(api, { externalRef: unique('crm') })
    const slug = await api.admin.post('/v1/studios').send({ slug: studio.slug, name: 'Other' })
    expect(slug.body).toMatchObject({ status: 409, code: 'slug-taken', errors: [{ pointer: '/slug' }] })
    const other = await newStudio(api)
    const ref = await api.admin
      .patch(`/v1/studios/${other.id}`)
      .set('If-Match', '"1"')
      .send({ externalRef: studio.externalRef })
    expect(ref.body).toMatchObject({ status: 409, code: 'conflict', errors: [{ pointer: '/externalRef' }] })
  })

  it('goes to one of two who create it at the same moment', async () => {
    const slug = unique('race')
    const create = () => api.admin.post('/v1/studios').send({ slug, name: 'Race' })
    const answers = await Promise.all([create(), create(), create()])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
  })

  it('is patched: absent stays, null empties, nothing changed keeps the version and the trail', async () => {
    const studio = await newStudio(api, { country: 'DE', legalName: 'Acme GmbH' })
    const patch = (version: string, body: object) =>
      api.admin.patch(`/v1/studios/${studio.id}`).set('If-Match', version).send(body)
    const first = await patch('"1"', { name: 'New Name', country: null })
    expect(first.headers.etag).toBe('"2"')
    expect(first.body).toMatchObject({ name: 'New Name', country: null, legalName: 'Acme GmbH', version: 2 })
    const second = await patch('"2"', { name: 'New Name' })
    expect(second.status).toBe(200)
    expect(second.headers.etag).toBe('"2"')
    const events = await auditOf(studio.id)
    expect(events.map(({ action }) => action)).toEqual(['studio.create', 'studio.update'])
    expect(events[1]?.changes).toEqual({
      name: { from: 'Acme Games', to: 'New Name' },
      country: { from: 'DE', to: null },
    })
  })

  it('keeps its slug while accounts of players are linked under it', async () => {
    const studio = await newStudio(api)
    const player = await newPlayer(api, { email: `${unique('s')}@players.example` })
    const identities = `/v1/players/${player.id}/identities`
    const account = { provider: 'studio', namespace: studio.slug, subject: '1' }
    const linked = (await api.admin.post(identities).send(account)).body
    const patch = (body: object) => api.admin.patch(`/v1/studios/${studio.id}`).set('If-Match', '"1"').send(body)
    const refused = await patch({ slug: unique('renamed') })
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'conflict',
      errors: [{ pointer: '/slug' }],
    })
    expect(refused.body.detail).toContain('provider studio')
    expect((await patch({ slug: studio.slug })).status).toBe(200)
    expect((await api.admin.delete(`${identities}/${linked.id}`).set('If-Match', '"1"')).status).toBe(204)
    expect((await patch({ slug: unique('renamed') })).status).toBe(200)
  })

  it('changes its slug before or after an account is linked under it, never at the same moment', async () => {
    const [studio, player, slug] = [await newStudio(api), await newPlayer(api), unique('renamed')]
    const rename = { sql: 'UPDATE studio SET slug = $2 WHERE id = $1', values: [studio.id, slug] }
    const link = (namespace: string) =>
      api.admin.post(`/v1/players/${player.id}/identities`).send({ provider: 'studio', namespace, subject: '1' })
    const late = await duringChange(api, rename, () => link(studio.slug))
    expect(late.body).toMatchObject({ status: 422, errors: [{ pointer: '/namespace', code: 'not-found' }] })
    const linking = {
      sql: `WITH held AS (SELECT id FROM studio WHERE slug = $2 FOR SHARE)
        INSERT INTO player_identity (id, player_id, provider, namespace, subject)
        SELECT gen_random_uuid(), $1, 'studio', $2, '2' FROM held`,
      values: [player.id, slug],
    }
    const renaming = () =>
      api.admin.patch(`/v1/studios/${studio.id}`).set('If-Match', '"2"').send({ slug: studio.slug })
    expect((await duringChange(api, linking, renaming)).body).toMatchObject({ status: 409, code: 'conflict' })
  })

  it('takes only changes that know its version; * overwrites and is audited as such', async () => {
    const studio = await newStudio(api)
    const patch = (ifMatch: string | undefined, name: string) => {
      const request = api.admin.patch(`/v1/studios/${studio.id}`)
      return (ifMatch === undefined ? request : request.set('If-Match', ifMatch)).send({ name })
    }
    expect((await patch(undefined, 'A')).body).toMatchObject({ status: 428, code: 'precondition-required' })
    const stale = await patch('"7"', 'A')
    expect(stale.body).toMatchObject({ status: 412, code: 'version-mismatch' })
    expect(stale.headers.etag).toBe('"1"')
    expect((await patch('"9", W/"1"', 'Weak')).headers.etag).toBe('"2"')
    expect((await patch('nonsense', 'A')).body).toMatchObject({ status: 400, code: 'malformed-header' })
    expect((await patch('"not-ours"', 'A')).status).toBe(412)
    expect((await patch('*', 'Forced')).headers.etag).toBe('"3"')
    expect((await auditOf(studio.id)).at(-1)?.changes).toMatchObject({ $ifMatch: '*' })
  })

  it('is changed by one of two who saw the same version', async () => {
    const studio = await newStudio(api)
    const patch = (name: string) => api.admin.patch(`/v1/studios/${studio.id}`).set('If-Match', '"1"').send({ name })
    const answers = await Promise.all([patch('One'), patch('Two')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
  })

  it('answers 304 to a caller who has its version', async () => {
    const studio = await newStudio(api)
    const again = await api.admin.get(`/v1/studios/${studio.id}`).set('If-None-Match', '"1"')
    expect(again.status).toBe(304)
    expect(again.text).toBe('')
    expect((await api.admin.get(`/v1/studios/${studio.id}`).set('If-None-Match', '"2"')).status).toBe(200)
  })

  it('is not deleted: 405 names the step to take', async () => {
    const studio = await newStudio(api)
    const answer = await api.admin.delete(`/v1/studios/${studio.id}`)
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, PATCH, HEAD, OPTIONS')
    expect(answer.body.detail).toContain('transitions {"to": "closed"}')
  })
})

describe('the steps of a studio', () => {
  it('say what is missing: an active studio needs an active owner', async () => {
    const { id } = await newStudio(api)
    await takeSteps(api, `/v1/studios/${id}`, 'in_review')
    const steps = await api.admin.get(`/v1/studios/${id}/transitions`)
    expect(steps.body).toEqual({
      status: 'in_review',
      allowed: [
        { to: 'active', ready: false, missing: ['active-owner'] },
        { to: 'rejected', ready: true, missing: [] },
        { to: 'prospect', ready: true, missing: [] },
      ],
    })
    const blocked = await api.admin.post(`/v1/studios/${id}/transitions`).set('If-Match', '"2"').send({ to: 'active' })
    expect(blocked.body).toMatchObject({ status: 422, code: 'transition-blocked', missing: ['active-owner'] })
    await newMember(api, id, (await newOwner(api)).id)
    expect(await takeSteps(api, `/v1/studios/${id}`, 'active')).toMatchObject({ status: 'active' })
  })

  it('that do not exist are refused with those that do', async () => {
    const { id } = await newStudio(api)
    const answer = await api.admin.post(`/v1/studios/${id}/transitions`).set('If-Match', '"1"').send({ to: 'active' })
    expect(answer.body).toMatchObject({
      status: 409,
      code: 'invalid-transition',
      allowed: ['in_review', 'rejected', 'closed'],
    })
  })

  it('carry a reason into the audit trail and move statusChangedAt', async () => {
    const studio = await newStudio(api)
    const answer = await api.admin
      .post(`/v1/studios/${studio.id}/transitions`)
      .set('If-Match', '"1"')
      .send({ to: 'rejected', reason: 'no fit' })
    expect(answer.body.status).toBe('rejected')
    expect(Date.parse(answer.body.statusChangedAt)).toBeGreaterThanOrEqual(Date.parse(studio.statusChangedAt))
    expect((await auditOf(studio.id)).at(-1)).toMatchObject({
      action: 'studio.transition',
      reason: 'no fit',
      changes: { status: { from: 'prospect', to: 'rejected' } },
    })
  })

  it('close a studio only when its games have ended', async () => {
    const { studio } = await newActiveStudio(api)
    const game = { id: crypto.randomUUID(), studioId: studio.id, slug: unique('game'), title: 'G' } as const
    await api.database.prisma.game.create({ data: { ...game, status: 'announced' } })
    const close = () =>
      api.admin
        .post(`/v1/studios/${studio.id}/transitions`)
        .set('If-Match', `"${studio.version}"`)
        .send({ to: 'closed' })
    expect((await close()).body).toMatchObject({ code: 'transition-blocked', missing: ['games-ended'] })
    await api.database.prisma.game.update({ where: { id: game.id }, data: { status: 'cancelled' } })
    expect((await close()).body.status).toBe('closed')
  })
})
