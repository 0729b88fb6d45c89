import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi, unique } from '../../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

async function newStudio(fields: Record<string, unknown> = {}) {
  const answer = await api.admin.post('/v1/studios').send({ slug: unique('studio'), name: 'Acme Games', ...fields })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer
}

describe('a studio', () => {
  it('is created as a prospect, with its address and version', async () => {
    const slug = unique('acme')
    const answer = await newStudio({ slug, name: ' Acme   Games ', country: 'DE', website: 'https://acme.example' })
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
  })

  it('is found by id and by slug', async () => {
    const { body: studio } = await newStudio()
    const byId = await api.admin.get(`/v1/studios/${studio.id}`)
    const bySlug = await api.admin.get(`/v1/studios/slug:${studio.slug}`)
    expect(byId.body).toEqual(studio)
    expect(bySlug.body).toEqual(studio)
    expect(byId.headers.etag).toBe('"1"')
  })

  it('is patched: absent stays, null empties, nothing changed keeps the version', async () => {
    const { body: studio } = await newStudio({ country: 'DE', legalName: 'Acme GmbH' })
    const patch = (version: number, body: object) =>
      api.admin.patch(`/v1/studios/${studio.id}`).set('If-Match', `"${version}"`).send(body)
    const first = await patch(1, { name: 'New Name', country: null })
    expect(first.status).toBe(200)
    expect(first.headers.etag).toBe('"2"')
    expect(first.body).toMatchObject({ name: 'New Name', country: null, legalName: 'Acme GmbH', version: 2 })
    const second = await patch(2, { name: 'New Name' })
    expect(second.headers.etag).toBe('"2"')
  })
})
