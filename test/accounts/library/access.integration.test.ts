import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi, takeSteps } from '../../support/api.ts'
import { newEntitlement, newGameIn, newPlatform, newPlayer } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const nobody = '0193aaaa-0000-7000-8000-000000000001'

async function access(
  { playerId, gameId }: { playerId: string; gameId: string },
  platform = 'windows',
  agent = api.admin,
) {
  return agent.get(`/v1/players/${playerId}/access`).query({ gameId, platform })
}

async function releasedGame(fields: Readonly<Record<string, unknown>> = {}) {
  const game = await newGameIn(api, 'released', fields)
  await newPlatform(api, game.id)
  return game
}

/** The day in the database, and the same day some years before, so many days later. */
async function birthday(years: number, days = 0): Promise<string> {
  const sql = `SELECT (current_date - make_interval(years => $1::int) + make_interval(days => $2::int))::date::text AS day`
  const [row] = await api.database.prisma.$queryRawUnsafe<{ day: string }[]>(sql, years, days)
  return row?.day ?? ''
}

describe('the access of a player', () => {
  it('to what they own is allowed, and may be kept for half a minute', async () => {
    const line = await newEntitlement(api)
    const answer = await access(line)
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('private, max-age=30')
    expect(answer.headers.vary).toContain('Authorization')
    expect(answer.body).toEqual({
      ...{ allowed: true, reasons: [], owns: true, permanent: true, expiresAt: null },
      ...{ ageGate: 'unknown', gameStatus: 'released' },
    })
  })

  it('by slug, too; on another platform they own nothing', async () => {
    const game = await releasedGame()
    const { playerId } = await newEntitlement(api, { gameId: game.id })
    expect((await access({ playerId, gameId: `slug:${game.slug}` })).body.allowed).toBe(true)
    expect((await access({ playerId, gameId: game.id }, 'web')).body.reasons).toEqual(['not-owned'])
  })

  it('ends by the clock of the database, by a revocation and by a closed account', async () => {
    const line = await newEntitlement(
      api,
      {},
      { acquiredAt: '2026-01-01T00:00:00Z', expiresAt: '2999-01-01T00:00:00Z' },
    )
    expect((await access(line)).body).toMatchObject({
      ...{ allowed: true, permanent: false, expiresAt: '2999-01-01T00:00:00.000Z' },
    })
    const path = `/v1/players/${line.playerId}/library/${line.gameId}/windows`
    await api.database.prisma
      .$executeRaw`UPDATE player_game SET expires_at = now() - interval '1 ms' WHERE id = ${line.id}::uuid`
    expect((await access(line)).body).toMatchObject({ allowed: false, owns: false, reasons: ['expired'] })
    await api.admin.post(`${path}/revocation`).set('If-Match', '*').send({ reason: 'fraud' })
    await takeSteps(api, `/v1/players/${line.playerId}`, 'closed')
    expect((await access(line)).body.reasons).toEqual(['expired', 'revoked', 'player-closed'])
  })

  it('begins on the birthday, and the birth date is nowhere in the answer', async () => {
    const game = await releasedGame({ minAge: 16 })
    let today: string
    let answers: unknown[]
    do {
      today = await birthday(0)
      const born = await Promise.all([birthday(16), birthday(16, 1), birthday(15), birthday(60)])
      const players = await Promise.all(born.map((birthDate) => newPlayer(api, { birthDate })))
      for (const { id } of players) await newEntitlement(api, { playerId: id, gameId: game.id })
      answers = await Promise.all(
        players.map(async ({ id, birthDate }) => {
          const { body, text } = await access({ playerId: id, gameId: game.id })
          expect(text).not.toContain(birthDate)
          return [body.ageGate, body.reasons]
        }),
      )
    } while ((await birthday(0)) !== today)
    const [passed, failed] = [
      ['passed', []],
      ['failed', ['below-min-age']],
    ]
    expect(answers).toEqual([passed, failed, failed, passed])
  })

  it('follows the state of the game', async () => {
    const approved = await newGameIn(api, 'approved')
    await newPlatform(api, approved.id)
    const tester = await newEntitlement(api, { gameId: approved.id }, { source: 'beta' })
    expect((await access(tester)).body).toMatchObject({ allowed: true, gameStatus: 'approved' })
    const announced = await newGameIn(api, 'announced')
    await newPlatform(api, announced.id)
    const early = await newEntitlement(api, { gameId: announced.id })
    expect((await access(early)).body).toMatchObject({ owns: true, reasons: ['game-not-available'] })
    await takeSteps(api, `/v1/games/${announced.id}`, 'released')
    expect((await access(early)).body.allowed).toBe(true)
    await takeSteps(api, `/v1/games/${announced.id}`, 'delisted')
    expect((await access(early)).body.allowed).toBe(true)
    await takeSteps(api, `/v1/games/${announced.id}`, 'retired')
    expect((await access(early)).body.reasons).toEqual(['game-not-available'])
  })

  it('is 404 for a player or game that is not there, and refuses what it does not know', async () => {
    const line = await newEntitlement(api)
    expect((await access({ ...line, playerId: nobody })).status).toBe(404)
    expect((await access({ ...line, gameId: nobody })).status).toBe(404)
    expect((await access({ ...line, gameId: 'slug:none' })).status).toBe(404)
    const path = `/v1/players/${line.playerId}/access`
    for (const [query, parameter] of [
      ['', 'gameId'],
      [`gameId=${line.gameId}`, 'platform'],
      [`gameId=${line.gameId}&platform=amiga`, 'platform'],
      ['gameId=x&platform=windows', 'gameId'],
      [`gameId=${line.gameId}&platform=windows&at=2026-01-01`, 'at'],
      [`gameId=${line.gameId}&gameId=${line.gameId}&platform=windows`, 'gameId'],
    ]) {
      const answer = await api.admin.get(`${path}?${query}`)
      expect([answer.status, answer.body.errors?.[0]?.parameter], query).toEqual([400, parameter])
    }
    expect((await api.admin.get('/v1/players/x/access')).status).toBe(404)
  })

  it('needs library:read and no personal scope', async () => {
    const line = await newEntitlement(api)
    const backEnd = api.as(await api.token('library:read'))
    expect((await access(line, 'windows', backEnd)).status).toBe(200)
    const other = api.as(await api.token('players:read', 'players:read.personal'))
    expect((await access(line, 'windows', other)).body.scope).toBe('library:read')
  })
})
