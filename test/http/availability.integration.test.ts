import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, unique } from '../support/api.ts'
import { createGate, type Gate } from '../support/gate.ts'

let gate: Gate
let api: TestApi
beforeAll(async () => {
  api = await createTestApi({
    async connect(databaseUrl) {
      gate = await createGate(databaseUrl)
      return gate.url
    },
  })
})
afterAll(async () => {
  await api.close()
  await gate.close()
})

describe('without its database', () => {
  it('the service is alive but not ready, answers 503 with Retry-After, and recovers by itself', async () => {
    const studio = await newStudio(api)
    expect((await api.anonymous.get('/readyz')).body).toMatchObject({
      status: 'ready',
      checks: [{ name: 'database', ok: true }],
    })

    gate.shut()
    expect((await api.anonymous.get('/healthz')).status).toBe(200)
    const unready = await api.anonymous.get('/readyz')
    expect(unready.body).toMatchObject({
      status: 503,
      code: 'unavailable',
      checks: [{ name: 'database', ok: false }],
    })
    for (const answer of [
      await api.admin.get(`/v1/studios/${studio.id}`),
      await api.admin.get('/v1/studios'),
      await api.admin.post('/v1/studios').send({ slug: unique('away'), name: 'Away' }),
    ]) {
      expect(answer.body).toMatchObject({ status: 503, code: 'unavailable' })
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(answer.text).not.toMatch(/127\.0\.0\.1|SELECT|ECONN/)
    }

    gate.open()
    expect((await api.anonymous.get('/readyz')).status).toBe(200)
    expect((await api.admin.get(`/v1/studios/${studio.id}`)).body).toEqual(studio)
  })
})
