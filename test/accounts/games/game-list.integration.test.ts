import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, type TestApi, takeSteps } from '../../support/api.ts'
import { newGame, newPlatform } from '../../support/records.ts'

let api: TestApi
let studioId: string
const titleOf = ({ title }: { title: string }) => title

beforeAll(async () => {
  api = await createTestApi()
  studioId = (await newActiveStudio(api)).studio.id
  const alpha = await newGame(api, {
    studioId,
    title: 'Alpha',
    genres: ['rpg', 'card'],
    minAge: 0,
    releaseDate: '2026-01-01',
  })
  await newPlatform(api, alpha.id, 'windows')
  await newPlatform(api, alpha.id, 'linux')
  const beta = await newGame(api, {
    studioId,
    title: 'Beta 100%',
    genres: ['rpg'],
    minAge: 18,
    releaseDate: '2026-06-01',
  })
  await newPlatform(api, beta.id, 'ps5')
  await takeSteps(api, `/v1/games/${beta.id}`, 'submitted')
  await newGame(api, { studioId, title: 'Gamma', genres: [], minAge: null, releaseDate: null })
  await newGame(api, { studioId, title: 'Delta', genres: ['idle'], minAge: null, releaseDate: null })
  await newGame(api, { title: 'Elsewhere', releaseDate: null })
})
afterAll(() => api.close())

async function titles(query: string, path = '/v1/games') {
  const answer = await api.admin.get(`${path}?${query}`)
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body.data.map(titleOf)
}

describe('a list of games', () => {
  it.each([
    ['platform=linux', ['Alpha']],
    ['platform[in]=ps5,linux', ['Alpha', 'Beta 100%']],
    ['genre=rpg', ['Alpha', 'Beta 100%']],
    ['genre[in]=card,idle', ['Alpha', 'Delta']],
    ['minAge=0', ['Alpha']],
    ['minAge[gte]=1', ['Beta 100%']],
    ['minAge[isNull]=true', ['Delta', 'Gamma']],
    ['releaseDate[lt]=2026-06-01', ['Alpha']],
    ['releaseDate=2026-06-01', ['Beta 100%']],
    ['releasePrecision=tba', ['Delta', 'Gamma']],
    ['status=submitted', ['Beta 100%']],
    ['status[ne]=submitted&genre=rpg', ['Alpha']],
    ['q=ALPH', ['Alpha']],
    ['q=0%25', ['Beta 100%']],
    ['q=_', []],
  ])('filters by %s', async (query, expected) => {
    expect(await titles(`studioId=${studioId}&sort=title&${query}`)).toEqual(expected)
  })

  it('is that of a studio as well', async () => {
    expect(await titles('sort=title', `/v1/studios/${studioId}/games`)).toEqual([
      'Alpha',
      'Beta 100%',
      'Delta',
      'Gamma',
    ])
    expect((await api.admin.get('/v1/studios/slug:nobody/games')).status).toBe(404)
  })

  it.each(['releaseDate', '-releaseDate', 'releaseDate,-title', '-title,releaseDate,createdAt'])(
    'pages by %s there and back',
    async (sort) => {
      const base = `/v1/games?studioId=${studioId}&sort=${sort}`
      const whole = (await api.admin.get(base)).body.data
      const seen: unknown[] = []
      let page = (await api.admin.get(`${base}&limit=1`)).body
      for (;;) {
        seen.push(...page.data)
        if (page.page.next === null) break
        page = (await api.admin.get(`${base}&limit=1&cursor=${page.page.next}`)).body
      }
      expect(seen).toEqual(whole)
      const back: unknown[] = [...page.data]
      while (page.page.prev !== null) {
        page = (await api.admin.get(`${base}&limit=1&cursor=${page.page.prev}`)).body
        back.unshift(...page.data)
      }
      expect(back).toEqual(whole)
    },
  )

  it('puts games without a date last in both directions', async () => {
    const dates = async (sort: string) => {
      const { data } = (await api.admin.get(`/v1/games?studioId=${studioId}&sort=${sort}`)).body
      return data.map(({ releaseDate }: { releaseDate: string | null }) => releaseDate)
    }
    expect(await dates('releaseDate')).toEqual(['2026-01-01', '2026-06-01', null, null])
    expect(await dates('-releaseDate')).toEqual(['2026-06-01', '2026-01-01', null, null])
  })

  it('refuses what it does not know', async () => {
    const codeOf = async (query: string) => (await api.admin.get(`/v1/games?${query}`)).body.code
    expect(await codeOf('platform=amiga')).toBe('invalid-parameter')
    expect(await codeOf('genre[ne]=rpg')).toBe('unknown-parameter')
    expect(await codeOf('releaseDate=2026-02-30')).toBe('invalid-parameter')
    expect(await codeOf('releaseDate[gt]=0000-01-01')).toBe('invalid-parameter')
    expect(await codeOf('sort=-genre')).toBe('invalid-parameter')
    expect(await codeOf('studioId=acme')).toBe('invalid-parameter')
  })
})
