import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newOwner, type TestApi, unique } from '../../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const PERSONAL = ['fullName', 'email', 'emailVerifiedAt', 'country', 'authSubject', 'externalRef']

describe('an owner', () => {
  it('is created, and an address is taken in any letter case', async () => {
    const local = unique('zoe')
    const owner = await newOwner(api, { fullName: 'Zoë  Q', email: ` ${local}@Bücher.example`, country: 'FR' })
    expect(owner).toMatchObject({
      fullName: 'Zoë Q',
      email: `${local}@Bücher.example`,
      status: 'active',
      country: 'FR',
    })
    expect(owner).not.toHaveProperty('emailKey')
    const twin = await api.admin
      .post('/v1/owners')
      .send({ fullName: 'Twin', email: `${local.toUpperCase()}@xn--bcher-kva.EXAMPLE` })
    expect(twin.body).toMatchObject({ status: 409, code: 'email-taken', errors: [{ pointer: '/email' }] })
  })

  it('hides what is personal from a caller without the scope: absent, not null, also after a write', async () => {
    const owner = await newOwner(api, { country: 'FR' })
    const writer = api.as(await api.token('owners:read', 'owners:write'))
    const read = await writer.get(`/v1/owners/${owner.id}`)
    const patched = await writer.patch(`/v1/owners/${owner.id}`).set('If-Match', '"1"').send({ country: 'DE' })
    const listed = await writer.get('/v1/owners')
    expect(patched.headers.etag).toBe('"2"')
    for (const shown of [read.body, patched.body, listed.body.data[0]]) {
      expect(Object.keys(shown).filter((field) => PERSONAL.includes(field))).toEqual([])
      expect(shown).toHaveProperty('status')
    }
  })

  it('cannot be guessed by asking: filters, sorts and q on personal fields answer 403', async () => {
    const reader = api.as(await api.token('owners:read'))
    for (const query of ['country=FR', 'country[in]=FR,DE', 'emailVerifiedAt[isNull]=true', 'sort=fullName', 'q=Zo']) {
      const answer = await reader.get(`/v1/owners?${query}`)
      expect(answer.body, query).toMatchObject({ status: 403, code: 'forbidden', scope: 'owners:read.personal' })
    }
    const allowed = api.as(await api.token('owners:read', 'owners:read.personal'))
    const olga = await newOwner(api, { fullName: unique('Searched') })
    const found = await allowed.get(`/v1/owners?q=${olga.fullName.toUpperCase()}&sort=fullName`)
    expect(found.body.data.map((o: { id: string }) => o.id)).toEqual([olga.id])
  })

  it('has an address that counts as not verified once it is another one', async () => {
    const verified = '2026-01-31T12:00:00.000Z'
    const owner = await newOwner(api, { emailVerifiedAt: verified })
    const patch = (version: number, body: object) =>
      api.admin.patch(`/v1/owners/${owner.id}`).set('If-Match', `"${version}"`).send(body)
    const sameMailbox = await patch(1, { email: owner.email.toUpperCase() })
    expect(sameMailbox.body.emailVerifiedAt).toBe(verified)
    const other = await patch(2, { email: `${unique('new')}@owners.example` })
    expect(other.body.emailVerifiedAt).toBeNull()
  })

  it('is audited without a single personal value', async () => {
    const owner = await newOwner(api, { fullName: 'Paula Private' })
    await api.admin.patch(`/v1/owners/${owner.id}`).set('If-Match', '"1"').send({ fullName: 'Petra Private' })
    const events = await api.database.prisma.auditEvent.findMany({ where: { entityId: owner.id } })
    expect(events).toHaveLength(2)
    expect(events[1]?.changes).toEqual({ fullName: 'changed' })
    const stored = JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    expect(stored).not.toMatch(/Private|owners\.example/)
  })

  it('is disabled and made active again, but not as the last owner of an active studio', async () => {
    const { studio, owner } = await newActiveStudio(api)
    const step = (to: string, version: number) =>
      api.admin.post(`/v1/owners/${owner.id}/transitions`).set('If-Match', `"${version}"`).send({ to })
    const steps = await api.admin.get(`/v1/owners/${owner.id}/transitions`)
    expect(steps.body.allowed).toEqual([{ to: 'disabled', ready: false, missing: ['other-active-owner'] }])
    expect((await step('disabled', 1)).body).toMatchObject({ code: 'last-owner', studioIds: [studio.id] })
    expect((await step('erased', 1)).body).toMatchObject({ code: 'invalid-transition', allowed: ['disabled'] })
    const free = await newOwner(api)
    const path = `/v1/owners/${free.id}/transitions`
    expect((await api.admin.post(path).set('If-Match', '"1"').send({ to: 'disabled' })).body.status).toBe('disabled')
    expect((await api.admin.post(path).set('If-Match', '"2"').send({ to: 'active' })).body.status).toBe('active')
  })

  it('is not deleted: 405 names the step to take', async () => {
    const answer = await api.admin.delete(`/v1/owners/${crypto.randomUUID()}`)
    expect(answer.status).toBe(405)
    expect(answer.body.detail).toContain('transitions {"to": "disabled"}')
  })

  it('with invalid fields is refused with a pointer to each, and never their values', async () => {
    const answer = await api.admin
      .post('/v1/owners')
      .send({ fullName: '', email: 'secret-name@nowhere', country: 'de', emailVerifiedAt: 'yesterday', x: 1 })
    expect(answer.body).toMatchObject({ status: 422, code: 'validation', detail: '5 fields are invalid' })
    const pointers = answer.body.errors.map((e: { pointer: string; code: string }) => `${e.pointer} ${e.code}`)
    expect(pointers.sort()).toEqual([
      '/country format',
      '/email format',
      '/emailVerifiedAt format',
      '/fullName too-short',
      '/x unknown-field',
    ])
    expect(answer.text).not.toMatch(/secret-name|yesterday/)
  })
})
