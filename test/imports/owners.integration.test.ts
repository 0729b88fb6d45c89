import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi, unique } from '../support/api.ts'
import { imported } from './imported.ts'

describe('importing owners', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await createTestApi()
  })
  afterAll(() => api.close())

  const owner = (fields: object = {}) => ({ fullName: 'Olga Owner', email: `${unique('olga')}@example.com`, ...fields })

  it('creates, changes, leaves alone and refuses, each line by itself', async () => {
    const [a, b] = [owner({ externalRef: unique('ref') }), owner({ createdAt: '2020-02-03T04:05:06.789Z' })]
    const first = await imported(api, 'owners', [a, b, { fullName: 'No Address' }, { ...owner(), shoeSize: 43 }])
    expect(first.verdicts).toEqual([
      '1 created',
      '2 created',
      '3 validation /email required',
      '4 validation /shoeSize unknown-field',
    ])
    expect(first.totals).toEqual({ lines: 4, created: 2, updated: 0, unchanged: 0, errors: 2, dryRun: false })
    const second = await imported(api, 'owners', [
      a,
      { ...b, country: 'DE' },
      { ...a, email: owner().email },
      { email: b.email.toUpperCase(), createdAt: '2020-02-03T04:05:06.788Z' },
    ])
    expect(second.verdicts).toEqual(['1 unchanged', '2 updated', '3 duplicate-in-input 1', '4 duplicate-in-input 2'])
    const third = await imported(api, 'owners', [{ email: b.email, createdAt: '2020-02-03T04:05:06.788Z' }])
    expect(third.verdicts).toEqual(['1 validation /createdAt immutable'])
    const id = first.answers[1]?.status === 'created' ? first.answers[1].id : ''
    const { body } = await api.admin.get(`/v1/owners/${id}`)
    expect(body).toMatchObject({ country: 'DE', version: 2, createdAt: '2020-02-03T04:05:06.789Z', status: 'active' })
  })

  it('finds a bad line among many that only the database can see', async () => {
    const shared = unique('subject')
    const lines = Array.from({ length: 40 }, (_, i) => owner(i === 7 || i === 23 ? { authSubject: shared } : {}))
    const { totals, verdicts } = await imported(api, 'owners', lines)
    expect(totals).toMatchObject({ created: 39, errors: 1 })
    expect(verdicts[23]).toBe('24 conflict /authSubject conflict')
  })
})
