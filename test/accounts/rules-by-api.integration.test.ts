import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi, takeSteps, unique } from '../support/api.ts'
import { newEntitlement, newGame, newGameIn, newPlatform, newPlayer } from '../support/records.ts'

/** What the database refuses by itself, asked for through the API: a problem that the document promises, and never a 500. */

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

interface Answer {
  readonly status: number
  readonly body: {
    readonly code?: string
    readonly errors?: readonly { readonly pointer: string; readonly code: string }[]
  }
}

const step = (path: string, to: string) => api.admin.post(`${path}/transitions`).set('If-Match', '*').send({ to })
const patch = (path: string, body: object) => api.admin.patch(path).set('If-Match', '*').send(body)
const versionOf = async (path: string): Promise<number> => (await api.admin.get(path)).body.version

/** The code, and where the problem points to. */
const told = ({ status, body }: Answer) => [
  status,
  body.code,
  ...(body.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`),
]

describe('studios and owners', () => {
  it('prospect -> active', async () => {
    const { id } = await newStudio(api)
    expect(told(await step(`/v1/studios/${id}`, 'active'))).toEqual([409, 'invalid-transition'])
    await takeSteps(api, `/v1/studios/${id}`, 'in_review')
    expect(told(await step(`/v1/studios/${id}`, 'active'))).toEqual([422, 'transition-blocked'])
  })

  it('studio version after two transitions', async () => {
    const { studio } = await newActiveStudio(api)
    expect(studio.version).toBe(3)
  })

  it('the last owner leaves an active studio, takes another role, or is disabled', async () => {
    const { studio, owner } = await newActiveStudio(api)
    const member = `/v1/studios/${studio.id}/members/${owner.id}`
    expect(told(await api.admin.delete(member).set('If-Match', '*'))).toEqual([409, 'last-owner'])
    expect(told(await patch(member, { status: 'left' }))).toEqual([409, 'last-owner'])
    expect(told(await patch(member, { role: 'finance' }))).toEqual([409, 'last-owner'])
    expect(told(await step(`/v1/owners/${owner.id}`, 'disabled'))).toEqual([409, 'last-owner'])
  })

  it('a second studio with the slug, a name that is not NFC, a share for a role that is not owner, a deletion', async () => {
    const { studio, owner } = await newActiveStudio(api)
    const post = (body: object) => api.admin.post('/v1/studios').send({ slug: unique('x'), name: 'X', ...body })
    expect(told(await post({ slug: studio.slug }))).toEqual([409, 'slug-taken', '/slug slug-taken'])
    // Normalised on its way, so there is nothing to refuse.
    expect((await post({ name: 'Zoe\u0308' })).body.name).toBe('Zo\u00eb')
    const share = await patch(`/v1/studios/${studio.id}/members/${owner.id}`, { role: 'finance', ownershipPercent: 10 })
    expect(told(share)).toEqual([422, 'validation', '/ownershipPercent needs-owner-role'])
    for (const path of [`/v1/studios/${studio.id}`, `/v1/owners/${owner.id}`]) {
      expect(told(await api.admin.delete(path))).toEqual([405, 'method-not-allowed'])
    }
  })

  it('an active studio without owner', async () => {
    const line = JSON.stringify({ slug: unique('imp'), name: 'Imp', status: 'active' })
    const send = () => api.admin.post('/v1/imports/studios').set('Content-Type', 'application/x-ndjson')
    const answer = await send().send(`${line}\n`).buffer(true)
    const [first] = answer.text.split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({ status: 'error', problem: { code: 'last-owner', status: 409 } })
  })
})

describe('games', () => {
  it('draft -> released', async () => {
    const { id } = await newGame(api)
    expect(told(await step(`/v1/games/${id}`, 'released'))).toEqual([409, 'invalid-transition'])
  })

  it('released without date and age, a date with precision tba', async () => {
    const bare = { minAge: null, releaseDate: null }
    const { id } = await newGameIn(api, 'announced', bare)
    expect(told(await step(`/v1/games/${id}`, 'released'))).toEqual([422, 'transition-blocked'])
    const tba = await patch(`/v1/games/${id}`, { releaseDate: '2026-11-01', releasePrecision: 'tba' })
    expect(told(tba)).toEqual([422, 'validation', '/releaseDate not-allowed'])
    const none = await patch(`/v1/games/${id}`, { releaseDate: null, releasePrecision: 'day' })
    expect(told(none)).toEqual([422, 'validation', '/releaseDate required'])
  })

  it('game version, after five steps and one change', async () => {
    const { id } = await newGameIn(api, 'announced', { minAge: null, releaseDate: null })
    await patch(`/v1/games/${id}`, { releaseDate: '2026-11-01', minAge: 12 })
    expect((await takeSteps(api, `/v1/games/${id}`, 'released')).version).toBe(7)
  })

  it('a store app id without store, a deletion', async () => {
    const { id } = await newGame(api)
    const bare = await api.admin.put(`/v1/games/${id}/platforms/linux`).send({ storeAppId: '480' })
    expect(told(bare)).toEqual([422, 'validation', '/store required'])
    expect(told(await api.admin.delete(`/v1/games/${id}`))).toEqual([405, 'method-not-allowed'])
  })

  it.each([
    ['2026-02-10', 'month', '2026-02-28'],
    ['2028-02-01', 'month', '2028-02-29'],
    ['2026-03-31', 'quarter', '2026-03-31'],
    ['2026-04-01', 'quarter', '2026-06-30'],
    ['2026-10-01', 'quarter', '2026-12-31'],
    ['2026-01-01', 'year', '2026-12-31'],
    ['0001-01-01', 'year', '0001-12-31'],
    ['9999-12-31', 'day', '9999-12-31'],
  ])(
    'a date of %s by %s is stored as %s, whatever the zone of the server',
    async (releaseDate, releasePrecision, stored) => {
      const before = process.env.TZ
      try {
        for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
          process.env.TZ = zone
          const game = await newGame(api, { releaseDate, releasePrecision })
          expect(game.releaseDate).toBe(stored)
          expect((await api.admin.get(`/v1/games/${game.id}`)).body.releaseDate).toBe(stored)
        }
      } finally {
        if (before === undefined) delete process.env.TZ
        else process.env.TZ = before
      }
    },
  )
})

describe('players', () => {
  it('the same username in another spelling', async () => {
    const name = unique('strasse').replaceAll('-', '_')
    await newPlayer(api, { username: name.replace('ss', '\u00df') })
    const answer = await api.admin.post('/v1/players').send({ username: name.toUpperCase() })
    expect(told(answer)).toEqual([409, 'username-taken', '/username username-taken'])
  })

  it('a Steam id of the wrong form, a studio identity without namespace', async () => {
    const { id } = await newPlayer(api)
    const link = (body: object) => api.admin.post(`/v1/players/${id}/identities`).send(body)
    expect(told(await link({ provider: 'steam', subject: '123' }))).toEqual([422, 'validation', '/subject format'])
    expect(told(await link({ provider: 'studio', subject: 'x1' }))).toEqual([422, 'validation', '/namespace required'])
  })

  it('an account that was unlinked is free again', async () => {
    const { id } = await newPlayer(api, { email: `${unique('a')}@players.example` })
    const body = { provider: 'steam', subject: '76561198000000001' }
    const first = await api.admin.post(`/v1/players/${id}/identities`).send(body)
    await api.admin.delete(`/v1/players/${id}/identities/${first.body.id}`).set('If-Match', '*')
    expect((await api.admin.post(`/v1/players/${id}/identities`).send(body)).status).toBe(201)
  })

  it('active -> erased, a deletion', async () => {
    const { id } = await newPlayer(api)
    expect(told(await step(`/v1/players/${id}`, 'erased'))).toEqual([409, 'invalid-transition'])
    expect(told(await step(`/v1/players/${id}`, 'erasure_pending'))).toEqual([409, 'invalid-transition'])
    expect(told(await api.admin.delete(`/v1/players/${id}`))).toEqual([405, 'method-not-allowed'])
  })

  it('an erased player changes, is closed, linked, granted, or looked up by what they were', async () => {
    const { id, username } = await newPlayer(api)
    await erase(id)
    const path = `/v1/players/${id}`
    expect((await patch(path, { displayName: 'x' })).body).toMatchObject({ status: 409, code: 'conflict' })
    expect((await patch(path, { email: null, country: 'SE' })).body).toMatchObject({ status: 409, code: 'conflict' })
    expect(told(await step(path, 'closed'))).toEqual([409, 'invalid-transition'])
    const link = await api.admin.post(`${path}/identities`).send({ provider: 'discord', subject: unique('d') })
    expect(told(link)).toEqual([409, 'conflict'])
    const game = await newGameIn(api, 'released')
    await newPlatform(api, game.id)
    const grant = await api.admin.put(`${path}/library/${game.id}/windows`).send({ source: 'purchase' })
    expect(told(grant)).toEqual([409, 'conflict'])
    const found = await api.admin.post('/v1/players/lookup').send({ identifiers: [{ username }, { id }] })
    expect(found.body.data).toMatchObject([
      { found: false },
      { found: true, player: { status: 'erased', email: null } },
    ])
    const access = await api.admin.get(`${path}/access`).query({ gameId: game.id, platform: 'windows' })
    expect(access.body).toMatchObject({ allowed: false, reasons: ['not-owned', 'player-closed'] })
  })
})

describe('libraries', () => {
  it('a platform the game is not on, a platform with library rows is removed, a deletion', async () => {
    const line = await newEntitlement(api)
    const at = (platform: string) => `/v1/players/${line.playerId}/library/${line.gameId}/${platform}`
    expect(told(await api.admin.put(at('linux')).send({ source: 'purchase' }))).toEqual([404, 'not-found'])
    const removed = await api.admin.delete(`/v1/games/${line.gameId}/platforms/windows`).set('If-Match', '*')
    expect(told(removed)).toEqual([409, 'in-use'])
    expect(told(await api.admin.delete(at('windows')))).toEqual([405, 'method-not-allowed'])
  })

  it('versions after a playtime report, a revocation, and a change that changes nothing', async () => {
    const { playerId, gameId } = await newEntitlement(api)
    const path = `/v1/players/${playerId}/library/${gameId}/windows`
    const now = new Date().toISOString()
    const item = { playerId, gameId, platform: 'windows', playtimeSeconds: 100, firstPlayedAt: now, lastPlayedAt: now }
    expect((await api.admin.post('/v1/playtime').send([item])).body.data).toMatchObject([{ status: 'updated' }])
    expect(await versionOf(path)).toBe(1)
    const revoke = () => api.admin.post(`${path}/revocation`).set('If-Match', '*').send({ reason: 'refund' })
    expect((await revoke()).body.version).toBe(2)
    expect((await revoke()).body.version).toBe(2)
  })

  it.each([2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])(
    'a play time of %d comes back as it was',
    async (playtimeSeconds) => {
      const { playerId, gameId } = await newEntitlement(api, {}, { playtimeSeconds })
      const path = `/v1/players/${playerId}/library/${gameId}/windows`
      expect((await api.admin.get(path)).body.playtimeSeconds).toBe(playtimeSeconds)
      expect((await api.admin.get(`/v1/players/${playerId}/library`)).body.data[0].playtimeSeconds).toBe(
        playtimeSeconds,
      )
      const more = await api.admin.put(path).send({ source: 'purchase', playtimeSeconds: 2 ** 53 })
      expect([more.status, more.body.code]).toEqual([422, 'validation'])
    },
  )
})

describe('the trail and keys', () => {
  it('an audit event changes or is deleted, a key valid for more than 366 days', async () => {
    for (const method of ['patch', 'put', 'delete'] as const) {
      expect(told(await api.admin[method]('/v1/audit-events').send({}))).toEqual([405, 'method-not-allowed'])
    }
    const body = { name: 'k', scopes: ['players:read'], validDays: 400 }
    expect(told(await api.admin.post('/v1/api-keys').send(body))).toEqual([422, 'validation', '/validDays too-large'])
  })
})

/** As stage-2 code will: nothing of a person stays. */
async function erase(id: string): Promise<void> {
  const name = `erased-${id.replaceAll('-', '').slice(7)}`
  await api.database.prisma.player.update({ where: { id }, data: { status: 'erasure_pending' } })
  const empty = { username: name, usernameKey: name, displayName: null, email: null, emailKey: null, birthDate: null }
  const rest = { country: null, locale: null, emailVerifiedAt: null, status: 'erased', erasedAt: new Date() } as const
  await api.database.prisma.player.update({ where: { id }, data: { ...empty, ...rest } })
}
