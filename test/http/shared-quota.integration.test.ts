import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestApi, NO_LIMITS, type TestApi } from '../support/api.ts'

const QUOTA = 60
const limits = {
  ...NO_LIMITS,
  requests: { count: QUOTA, windowSeconds: 3_600 },
  bulk: { count: 3, windowSeconds: 3_600 },
}

let one: TestApi
let two: TestApi

beforeAll(async () => {
  one = await createTestApi({ limits, sharesCounts: true })
  two = await createTestApi({ limits, sharesCounts: true, replicaOf: one })
})

afterAll(async () => {
  await two.app.limits.stop()
  await two.close()
  await one.app.limits.stop()
  await one.close()
})

/** Asks each in turn, until both refuse. @returns how many requests were answered */
async function hammer(token: string, apis: readonly TestApi[]): Promise<number> {
  let answered = 0
  for (let refused = 0, turn = 0; refused < 2 * apis.length; turn++) {
    const { status, headers } = await (apis[turn % apis.length] as TestApi).as(token).get('/v1/whoami')
    if (status === 200) answered++
    else expect([status, Number(headers['retry-after']) > 3_000]).toEqual([429, true])
    refused = status === 429 ? refused + 1 : 0
  }
  return answered
}

it('a key that asks two replicas gets one quota, and a replica that starts gives it nothing more', async () => {
  const token = await one.token('studios:read')
  const answered = await hammer(token, [one, two])
  expect(answered).toBeGreaterThanOrEqual(QUOTA)
  // What reached either one until the next two exchanges.
  expect(answered).toBeLessThan(1.5 * QUOTA)
  const started = await createTestApi({ limits, sharesCounts: true, replicaOf: one })
  const [first] = [await started.as(token).get('/v1/whoami')]
  expect(first?.status).toBe(200)
  await expect.poll(async () => (await started.as(token).get('/v1/whoami')).status).toBe(429)
  await started.app.limits.stop()
  await started.close()
})

it('of exports not one too many is let through, however they are spread', async () => {
  const token = await one.token()
  const asked = Array.from({ length: 8 }, (_, i) =>
    (i % 2 === 0 ? one : two).as(token).get('/v1/studios').set('Accept', 'application/x-ndjson'),
  )
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(3)
  expect(statuses.filter((status) => status === 429)).toHaveLength(5)
})
