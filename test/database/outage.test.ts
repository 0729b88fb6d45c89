import type pg from 'pg'
import { afterEach, expect, it, vi } from 'vitest'
import { Outage } from '../../src/database/outage.ts'

afterEach(() => vi.restoreAllMocks())

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

it('a second outage is waited through with pauses, also when the patience of the first ended between two looks at the clock', async () => {
  let now = 0
  let step = 1
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += step
    return now
  })
  let attempts = 0
  let connect: () => Promise<pg.PoolClient> = () => Promise.reject(refused())
  const outage = new Outage(() => connect(), 1.5)
  await expect(outage.connect()).rejects.toThrow('ECONNREFUSED')

  const client = { release: () => undefined } as unknown as pg.PoolClient
  connect = () => Promise.resolve(client)
  await outage.connect()

  step = 0
  connect = () => {
    attempts++
    return attempts < 4 ? Promise.reject(refused()) : Promise.resolve(client)
  }
  const began = Date.now()
  expect(await outage.connect()).toBe(client)
  // At least half of the first pauses, of 25 and 50 ms.
  expect(Date.now() - began).toBeGreaterThanOrEqual(30)
})
