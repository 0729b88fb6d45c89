import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, type TestApi } from '../../support/api.ts'
import { newEntitlement, newGame, newGameIn, newPlatform, newPlayer } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const stats = (id: string, agent = api.admin) => agent.get(`/v1/studios/${id}/stats`)

async function studioWithPlayers(windows: number, web: number) {
  const { studio } = await newActiveStudio(api)
  const game = await newGameIn(api, 'released', { studioId: studio.id })
  for (const platform of ['windows', 'web']) await newPlatform(api, game.id, platform)
  for (let n = 0; n < windows + web; n++) {
    const { id } = await newPlayer(api)
    const path = `/v1/players/${id}/library/${game.id}/${n < windows ? 'windows' : 'web'}`
    await api.admin.put(path).send({ source: 'purchase', playtimeSeconds: n < 6 ? 3_000_000_000 : 0 })
  }
  return { studio, game }
}

describe('the sums of a studio', () => {
  it('count what is there now', async () => {
    const { studio, game } = await studioWithPlayers(7, 5)
    await newGame(api, { studioId: studio.id })
    const twice = await newGameIn(api, 'released', { studioId: studio.id })
    const { gameId } = await newPlatform(api, twice.id)
    const { data } = (await api.admin.get(`/v1/games/${game.id}/players?platform=windows&limit=1`)).body
    await newEntitlement(api, { playerId: data[0].playerId, gameId })
    const answer = await stats(`slug:${studio.slug}`)
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('private, max-age=60')
    expect(answer.body).toMatchObject({
      studioId: studio.id,
      games: { total: 3, byStatus: { released: 2, draft: 1, retired: 0 } },
      players: { total: 12, played: 6, byPlatform: { windows: 7, web: 5 } },
      playtimeSeconds: 18_000_000_000,
    })
  })

  it('leave out what was revoked or has expired, and with it what would be too few', async () => {
    const { studio, game } = await studioWithPlayers(6, 5)
    const { data } = (await api.admin.get(`/v1/games/${game.id}/players?platform=web&limit=2`)).body
    const path = `/v1/players/${data[0].playerId}/library/${game.id}/web/revocation`
    await api.admin.post(path).set('If-Match', '*').send({ reason: 'refund' })
    const { players } = (await stats(studio.id)).body
    expect(players).toEqual({ total: 10, played: null, byPlatform: {} })
    await api.database.prisma.$executeRaw`
      UPDATE player_game SET acquired_at = '2020-01-01', expires_at = now() - interval '1 s' WHERE game_id = ${game.id}::uuid AND platform = 'windows'`
    expect((await stats(studio.id)).body).toMatchObject({
      ...{ players: { total: null, played: null, byPlatform: {} }, playtimeSeconds: null },
    })
  })

  it('of a studio without games are empty; of none 404', async () => {
    const { studio } = await newActiveStudio(api)
    expect((await stats(studio.id)).body).toMatchObject({ games: { total: 0 }, players: { total: null } })
    expect((await stats('0193aaaa-0000-7000-8000-000000000001')).status).toBe(404)
  })

  it('need studios:read', async () => {
    const { studio } = await newActiveStudio(api)
    expect((await stats(studio.id, api.as(await api.token('games:read', 'players:read')))).body.scope).toBe(
      'studios:read',
    )
  })
})
