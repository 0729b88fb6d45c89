import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi } from '../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi({ pool: { poolSize: 2, connectTimeoutMs: 1_000 } })
})
afterAll(() => api.close())

describe('a pool without a free connection', () => {
  it('is 503 with Retry-After for reads and writes, and the service works again once one is free', async () => {
    const studio = await newStudio(api)
    const free = Promise.withResolvers<void>()
    const taken = [0, 1].map(() => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const held = api.database.withClient(() => {
        resolve()
        return free.promise
      })
      return { promise, held }
    })
    await Promise.all(taken.map(({ promise }) => promise))
    expect(api.database.poolState()).toMatchObject({ total: 2, idle: 0 })
    try {
      const { id } = studio
      for (const answer of await Promise.all([
        api.admin.get(`/v1/studios/${id}`),
        api.admin.get('/v1/studios'),
        api.admin.patch(`/v1/studios/${id}`).set('If-Match', '*').send({ name: 'Never' }),
      ])) {
        expect(answer.body).toMatchObject({ status: 503, code: 'unavailable' })
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      }
      expect((await api.anonymous.get('/healthz')).status).toBe(200)
    } finally {
      free.resolve()
      await Promise.all(taken.map(({ held }) => held))
    }
    expect((await api.admin.get(`/v1/studios/${studio.id}`)).body).toEqual(studio)
    expect(api.database.poolState().waiting).toBe(0)
  })
})
