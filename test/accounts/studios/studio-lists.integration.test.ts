import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../../support/api.ts'

let api: TestApi

/** Same instants, NULL countries, equal names: everything a careless paging would lose or repeat. */
const COUNTRIES = ['DE', null, 'FR', 'DE', null, 'AT', null, 'FR', 'DE', 'AT', null]

beforeAll(async () => {
  api = await createTestApi()
  await api.database.prisma.studio.createMany({
    data: COUNTRIES.map((country, i) => ({
      id: crypto.randomUUID(),
      slug: `studio-${i}`,
      name: i % 2 === 0 ? 'Twin Games' : `100% Studio_${i}`,
      country,
      createdAt: new Date(Date.UTC(2026, 0, 1 + Math.floor(i / 4))),
    })),
  })
})
afterAll(() => api.close())

interface Row {
  readonly id: string
  readonly slug: string
  readonly country: string | null
}

/** The pages from first to last, and from last back to first. */
async function walk(query: string): Promise<{ forward: Row[][]; backward: Row[][] }> {
  const forward: Row[][] = []
  let answer = await api.admin.get(`/v1/studios?${query}`)
  for (;;) {
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    forward.push(answer.body.data)
    const { next, hasMore } = answer.body.page
    expect(hasMore).toBe(next !== null)
    if (next === null) break
    expect(answer.headers.link).toContain(`cursor=${next}>; rel="next"`)
    answer = await api.admin.get(`/v1/studios?${query}&cursor=${next}`)
  }
  const backward: Row[][] = [answer.body.data]
  while (answer.body.page.prev !== null) {
    answer = await api.admin.get(`/v1/studios?${query}&cursor=${answer.body.page.prev}`)
    backward.unshift(answer.body.data)
  }
  return { forward, backward }
}

const ids = (pages: readonly (readonly Row[])[]) => pages.flat().map(({ id }) => id)

describe('paging through studios', () => {
  const sorts = ['createdAt', '-createdAt', 'country', '-country', 'name', '-name,country', 'country,-createdAt']
  for (const sort of sorts) {
    it(`by ${sort} shows every row once, forwards and backwards`, async () => {
      const whole = ids((await walk(`sort=${sort}&limit=200`)).forward)
      expect(new Set(whole).size).toBe(COUNTRIES.length)
      for (const limit of [1, 3, 5]) {
        const { forward, backward } = await walk(`sort=${sort}&limit=${limit}`)
        expect(ids(forward)).toEqual(whole)
        expect(ids(backward)).toEqual(whole)
      }
    })
  }

  it('puts NULL last in both directions', async () => {
    for (const sort of ['country', '-country']) {
      const countries = (await walk(`sort=${sort}&limit=4`)).forward.flat().map(({ country }) => country)
      expect(countries.slice(-4), sort).toEqual([null, null, null, null])
      const known = countries.slice(0, -4) as string[]
      expect(known, sort).toEqual(sort === 'country' ? [...known].sort() : [...known].sort().reverse())
    }
  })

  it('neither loses nor repeats the others when a row moves between two pages', async () => {
    const first = await api.admin.get('/v1/studios?sort=name&limit=4')
    const seen = first.body.data as Row[]
    const moved = `/v1/studios/${seen[0]?.id}`
    const { name } = (await api.admin.get(moved)).body
    await api.admin.patch(moved).set('If-Match', '*').send({ name: 'zzz moved' })
    const second = await api.admin.get(`/v1/studios?sort=name&limit=200&cursor=${first.body.page.next}`)
    const others = (second.body.data as Row[]).filter(({ id }) => id !== seen[0]?.id)
    expect(others.some(({ id }) => seen.some((row) => row.id === id))).toBe(false)
    expect(others.length + seen.length).toBe(COUNTRIES.length)
    await api.admin.patch(moved).set('If-Match', '*').send({ name })
  })

  it('takes a cursor only with the filter, sort, path and scopes it was made for', async () => {
    const { next } = (await api.admin.get('/v1/studios?sort=name&limit=2')).body.page
    for (const query of ['sort=-name', 'sort=name&country=DE', 'sort=slug']) {
      const answer = await api.admin.get(`/v1/studios?${query}&cursor=${next}`)
      expect(answer.body, query).toMatchObject({ status: 400, code: 'invalid-cursor' })
    }
    const other = api.as(await api.token('studios:read'))
    expect((await other.get(`/v1/studios?sort=name&cursor=${next}`)).body.code).toBe('invalid-cursor')
    expect((await api.admin.get(`/v1/studios?sort=name&limit=7&cursor=${next}`)).status).toBe(200)
  })
})

describe('filtering studios', () => {
  const count = async (query: string) => {
    const answer = await api.admin.get(`/v1/studios?${query}`)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body.data.length
  }

  it('compares, lists, searches', async () => {
    expect(await count('country=DE')).toBe(3)
    expect(await count('country[ne]=DE')).toBe(8)
    expect(await count('country[in]=DE,AT')).toBe(5)
    expect(await count('country[isNull]=true')).toBe(4)
    expect(await count('country[isNull]=false')).toBe(7)
    expect(await count('status=prospect')).toBe(11)
    expect(await count('status[in]=active,closed')).toBe(0)
    expect(await count('slug[prefix]=studio-1')).toBe(2)
    expect(await count('createdAt[gte]=2026-01-02T00:00:00Z')).toBe(7)
    expect(await count('createdAt[gt]=2026-01-02T01:00:00%2B01:00&createdAt[lte]=2026-01-03T00:00:00Z')).toBe(3)
  })

  it('takes the characters of LIKE in a search for what they are', async () => {
    expect(await count('q=100%25')).toBe(5)
    expect(await count('q=STUDIO_')).toBe(5)
    expect(await count('q=o_1')).toBe(1)
    expect(await count('q=%25%25')).toBe(0)
    expect(await count('q=%5C')).toBe(0)
  })
})
