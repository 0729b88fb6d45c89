import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, type TestApi } from '../../support/api.ts'
import { newGame, newPlatform, newPlayer } from '../../support/records.ts'

let api: TestApi
let studio: { id: string; slug: string }
let gameId: string
const named = new Map<string, string>()

beforeAll(async () => {
  api = await createTestApi()
  studio = (await newActiveStudio(api)).studio
  gameId = (await newGame(api, { studioId: studio.id })).id
  await newPlatform(api, gameId, 'windows')
  const people = [
    { username: 'Straße', displayName: 'Der Große', email: 'a@players.example', country: 'DE' },
    { username: 'strasbourg', displayName: null, country: 'FR' },
    { username: 'ＷＩＤＥ_one', displayName: '100% mir', email: 'c@players.example' },
    { username: 'quiet', displayName: null },
  ]
  for (const person of people) named.set(person.username, (await newPlayer(api, person)).id)
  await own('Straße', {})
  await own('strasbourg', { revokedAt: new Date(), revokeReason: 'refund' })
  await own('quiet', { acquiredAt: new Date('2026-01-01'), expiresAt: new Date('2026-01-02') })
  // One moment for all: only the id tells their order.
  await api.database.prisma.$executeRaw`ALTER TABLE player DISABLE TRIGGER touch`
  await api.database.prisma.$executeRaw`UPDATE player SET created_at = '2026-01-01T00:00:00Z'`
  await api.database.prisma.$executeRaw`ALTER TABLE player ENABLE TRIGGER touch`
  await api.admin.post(`/v1/players/${named.get('quiet')}/identities`).send({ provider: 'discord', subject: '1' })
})
afterAll(() => api.close())

function own(username: string, fields: object) {
  const playerId = named.get(username) as string
  const row = { id: crypto.randomUUID(), playerId, gameId, platform: 'windows', source: 'key' } as const
  return api.database.prisma.playerGame.create({ data: { ...row, acquiredAt: new Date(), ...fields } })
}

async function usernames(query: string, path = '/v1/players'): Promise<string[]> {
  const answer = await api.admin.get(`${path}?${query}`)
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body.data.map(({ username }: { username: string }) => username).sort()
}

describe('a list of players', () => {
  it.each([
    ['country=DE', ['Straße']],
    ['country[isNull]=true', ['quiet', 'ＷＩＤＥ_one']],
    ['country[ne]=DE', ['quiet', 'strasbourg', 'ＷＩＤＥ_one']],
    ['hasEmail=true', ['Straße', 'ＷＩＤＥ_one']],
    ['hasEmail=false', ['quiet', 'strasbourg']],
    ['provider=discord', ['quiet']],
    ['provider[in]=discord,steam', ['quiet']],
    ['provider=steam', []],
    ['status[in]=closed', []],
    ['q=STRAS', ['Straße', 'strasbourg']],
    ['q=strass', ['Straße']],
    ['q=gro%C3%9Fe', ['Straße']],
    ['q=wide', ['ＷＩＤＥ_one']],
    ['q=00%25', ['ＷＩＤＥ_one']],
  ])('filters by %s', async (query, expected) => {
    expect(await usernames(query)).toEqual(expected)
  })

  it('finds who owns a game, or a game of a studio, now', async () => {
    expect(await usernames(`gameId=${gameId}`)).toEqual(['Straße'])
    expect(await usernames(`studioId=${studio.id}`)).toEqual(['Straße'])
    expect(await usernames('', `/v1/studios/slug:${studio.slug}/players`)).toEqual(['Straße'])
    expect(await usernames(`gameId=${studio.id}`)).toEqual([])
    expect((await api.admin.get('/v1/studios/slug:nobody/players')).status).toBe(404)
  })

  it.each(['createdAt', '-createdAt'])('pages by %s, one moment for all', async (sort) => {
    const base = `/v1/players?sort=${sort}`
    const whole = (await api.admin.get(base)).body.data
    expect(whole).toHaveLength(4)
    const seen: unknown[] = []
    for (let cursor = ''; ; ) {
      const { data, page } = (await api.admin.get(`${base}&limit=1${cursor}`)).body
      seen.push(...data)
      if (page.next === null) break
      cursor = `&cursor=${page.next}`
    }
    expect(seen).toEqual(whole)
  })
})
