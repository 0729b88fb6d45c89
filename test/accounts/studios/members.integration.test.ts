import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newMember, newOwner, newStudio, type TestApi } from '../../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const at = (studioId: string, ownerId: string) => `/v1/studios/${studioId}/members/${ownerId}`

describe('a member of a studio', () => {
  it('is invited, joins, leaves and is invited again', async () => {
    const studio = await newStudio(api)
    const owner = await newOwner(api)
    const path = at(studio.id, owner.id)
    const put = await api.admin.put(path).send({ role: 'admin' })
    expect(put.status).toBe(201)
    expect(put.headers.location).toBe(path)
    expect(put.body).toMatchObject({ status: 'invited', joinedAt: null, leftAt: null, ownershipPercent: null })
    const joined = await api.admin.patch(path).set('If-Match', '"1"').send({ status: 'active' })
    expect(joined.body).toMatchObject({ status: 'active', leftAt: null, version: 2 })
    expect(joined.body.joinedAt).not.toBeNull()
    const left = await api.admin.delete(path).set('If-Match', '"2"')
    expect(left.status).toBe(204)
    expect(left.headers.etag).toBe('"3"')
    const again = await api.admin.put(path).set('If-Match', '"3"').send({ role: 'viewer' })
    expect(again.status).toBe(200)
    expect(again.body).toMatchObject({ status: 'invited', role: 'viewer', joinedAt: null, leftAt: null })
  })

  it('takes only the steps that exist', async () => {
    const studio = await newStudio(api)
    const owner = await newOwner(api)
    await newMember(api, studio.id, owner.id)
    const path = at(studio.id, owner.id)
    const back = await api.admin.patch(path).set('If-Match', '"1"').send({ status: 'invited' })
    expect(back.body).toMatchObject({ status: 409, code: 'invalid-transition', from: 'active', allowed: ['left'] })
    await api.admin.delete(path).set('If-Match', '"1"')
    const rejoin = await api.admin.put(path).set('If-Match', '"2"').send({ role: 'owner', status: 'active' })
    expect(rejoin.body).toMatchObject({ status: 409, code: 'invalid-transition', from: 'left', allowed: ['invited'] })
  })

  it('whose invitation is withdrawn has left without having joined, and gives up the share', async () => {
    const studio = await newStudio(api)
    const owner = await newOwner(api)
    const path = at(studio.id, owner.id)
    await newMember(api, studio.id, owner.id, { status: 'invited', ownershipPercent: 100 })
    expect((await api.admin.delete(path).set('If-Match', '"1"')).status).toBe(204)
    const { body } = await api.admin.get(path)
    expect(body).toMatchObject({ status: 'left', joinedAt: null, ownershipPercent: null, version: 2 })
    expect(body.leftAt).not.toBeNull()
    const other = await newOwner(api)
    await newMember(api, studio.id, other.id, { ownershipPercent: 100 })
    const again = await api.admin.patch(path).set('If-Match', '"2"').send({ status: 'invited' })
    expect(again.body).toMatchObject({ status: 'invited', joinedAt: null, leftAt: null })
  })

  it('is replaced only with If-Match, created only once with If-None-Match', async () => {
    const studio = await newStudio(api)
    const owner = await newOwner(api)
    const path = at(studio.id, owner.id)
    expect((await api.admin.put(path).set('If-Match', '"1"').send({ role: 'admin' })).status).toBe(412)
    expect((await api.admin.put(path).set('If-None-Match', '*').send({ role: 'admin' })).status).toBe(201)
    expect((await api.admin.put(path).set('If-None-Match', '*').send({ role: 'admin' })).status).toBe(412)
    const bare = await api.admin.put(path).send({ role: 'viewer' })
    expect(bare.body).toMatchObject({ status: 428, code: 'precondition-required' })
    expect(bare.headers.etag).toBe('"1"')
    expect((await api.admin.put(path).set('If-Match', '"1"').send({ role: 'viewer' })).body.role).toBe('viewer')
  })

  it('must be an owner that exists', async () => {
    const studio = await newStudio(api)
    const answer = await api.admin.put(at(studio.id, crypto.randomUUID())).send({ role: 'admin' })
    expect(answer.body).toMatchObject({ status: 404, code: 'not-found' })
  })

  it('is listed with the others, by role', async () => {
    const studio = await newStudio(api)
    const [a, b] = [await newOwner(api), await newOwner(api)]
    await newMember(api, studio.id, a.id, { role: 'owner' })
    await newMember(api, studio.id, b.id, { role: 'viewer' })
    const all = await api.admin.get(`/v1/studios/slug:${studio.slug}/members`)
    expect(all.body.data.map((m: { ownerId: string }) => m.ownerId)).toEqual([a.id, b.id])
    const viewers = await api.admin.get(`/v1/studios/${studio.id}/members?role=viewer`)
    expect(viewers.body.data).toHaveLength(1)
    const studios = await api.admin.get(`/v1/owners/${b.id}/studios?expand=studio`)
    expect(studios.body.data).toMatchObject([{ role: 'viewer', studioId: studio.id, studio: { slug: studio.slug } }])
    const owners = api.as(await api.token('owners:read'))
    expect((await owners.get(`/v1/owners/${b.id}/studios`)).body.data[0]).not.toHaveProperty('studio')
  })
})

describe('shares in a studio', () => {
  it('belong to owners, have two decimals, and are never more than the whole', async () => {
    const studio = await newStudio(api)
    const [a, b] = [await newOwner(api), await newOwner(api)]
    await newMember(api, studio.id, a.id, { ownershipPercent: 66.67 })
    const put = (body: object) => api.admin.put(at(studio.id, b.id)).send({ role: 'owner', ...body })
    expect((await put({ ownershipPercent: 33.34 })).body).toMatchObject({
      status: 409,
      code: 'conflict',
      availablePercent: 33.33,
      errors: [{ pointer: '/ownershipPercent', code: 'over-100-percent' }],
    })
    expect((await put({ ownershipPercent: 1.005 })).body).toMatchObject({
      status: 422,
      errors: [{ code: 'precision' }],
    })
    expect((await put({ ownershipPercent: 5, role: 'admin' })).body.errors).toMatchObject([
      { code: 'needs-owner-role' },
    ])
    const added = await put({ ownershipPercent: 33.33 })
    expect(added.body.ownershipPercent).toBe(33.33)
  })

  it('are given up by who leaves, and audited', async () => {
    const { studio } = await newActiveStudio(api)
    const owner = await newOwner(api)
    await newMember(api, studio.id, owner.id, { ownershipPercent: 50 })
    await api.admin.delete(at(studio.id, owner.id)).set('If-Match', '"1"')
    expect((await api.admin.get(at(studio.id, owner.id))).body).toMatchObject({
      status: 'left',
      ownershipPercent: null,
    })
    const [event] = await api.database.prisma.auditEvent.findMany({
      where: { entityType: 'membership', entityId: studio.id },
      orderBy: { seq: 'desc' },
      take: 1,
    })
    expect(event?.changes).toMatchObject({
      ownerId: { to: owner.id },
      status: { from: 'active', to: 'left' },
      ownershipPercent: { from: 50, to: null },
    })
  })

  it('are refused for who has left or leaves: nothing that is asked for is dropped', async () => {
    const studio = await newStudio(api)
    const owner = await newOwner(api)
    const path = at(studio.id, owner.id)
    await newMember(api, studio.id, owner.id, { ownershipPercent: 50 })
    const refused = { status: 422, errors: [{ pointer: '/ownershipPercent', code: 'needs-membership' }] }
    const patch = (version: number, body: object) => api.admin.patch(path).set('If-Match', `"${version}"`).send(body)
    expect((await patch(1, { status: 'left', ownershipPercent: 50 })).body).toMatchObject(refused)
    expect((await patch(1, { status: 'left', ownershipPercent: null })).status).toBe(200)
    expect((await patch(2, { ownershipPercent: 5 })).body).toMatchObject(refused)
    expect((await patch(2, { status: 'invited', ownershipPercent: 5 })).body).toMatchObject({ ownershipPercent: 5 })
  })

  it('of two who are added at the same moment are judged one after the other', async () => {
    const studio = await newStudio(api)
    const owners = await Promise.all([newOwner(api), newOwner(api)])
    const answers = await Promise.all(
      owners.map((owner) => api.admin.put(at(studio.id, owner.id)).send({ role: 'owner', ownershipPercent: 60 })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  })
})

describe('the last owner of an active studio', () => {
  it('cannot leave or take another role', async () => {
    const { studio, owner } = await newActiveStudio(api)
    const path = at(studio.id, owner.id)
    const left = await api.admin.delete(path).set('If-Match', '"1"')
    expect(left.body).toMatchObject({ status: 409, code: 'last-owner' })
    const admin = await api.admin.patch(path).set('If-Match', '"1"').send({ role: 'admin' })
    expect(admin.body).toMatchObject({ status: 409, code: 'last-owner' })
  })

  it('is found when two leave at the same moment: one is refused', async () => {
    for (let round = 0; round < 3; round++) {
      const { studio, owner } = await newActiveStudio(api)
      const other = await newOwner(api)
      await newMember(api, studio.id, other.id)
      const leave = (ownerId: string) => api.admin.delete(at(studio.id, ownerId)).set('If-Match', '"1"')
      const answers = await Promise.all([leave(owner.id), leave(other.id)])
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
    }
  })

  it('is found when one leaves while the other is disabled: one is refused', async () => {
    for (let round = 0; round < 3; round++) {
      const { studio, owner } = await newActiveStudio(api)
      const other = await newOwner(api)
      await newMember(api, studio.id, other.id)
      const leave = api.admin.delete(at(studio.id, owner.id)).set('If-Match', '"1"')
      const disable = api.admin
        .post(`/v1/owners/${other.id}/transitions`)
        .set('If-Match', '"1"')
        .send({ to: 'disabled' })
      const statuses = (await Promise.all([leave, disable])).map(({ status }) => status)
      expect([
        [204, 409],
        [409, 200],
      ]).toContainEqual(statuses)
    }
  })
})
