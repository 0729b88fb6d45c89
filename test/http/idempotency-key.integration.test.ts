import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestApi, type TestApi, unique } from '../support/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api.close())

it('refuses an Idempotency-Key instead of ignoring it, and does nothing', async () => {
  const slug = unique('twice')
  const refused = await api.admin
    .post('/v1/studios')
    .set('Idempotency-Key', '"a-key-of-mine"')
    .send({ slug, name: 'Twice' })
  expect(refused.status).toBe(400)
  expect(refused.body).toMatchObject({ code: 'malformed-header', errors: [{ header: 'Idempotency-Key' }] })
  expect((await api.admin.get(`/v1/studios/slug:${slug}`)).status).toBe(404)
})
