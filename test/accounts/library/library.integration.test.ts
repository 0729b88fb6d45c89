import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi, takeSteps, unique } from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'
import { newEntitlement, newGame, newGameIn, newPlatform, newPlayer } from '../../support/records.ts'

let api: TestApi
let game: { id: string; slug: string; studioId: string }
beforeAll(async () => {
  api = await createTestApi()
  game = await newGameIn(api, 'released')
  await newPlatform(api, game.id, 'windows')
  await newPlatform(api, game.id, 'linux')
})
afterAll(() => api.close())

const pathOf = (row: { playerId: string; gameId: string; platform: string }) =>
  `/v1/players/${row.playerId}/library/${row.gameId}/${row.platform}`
const put = (path: string, body: object) => api.admin.put(path).send({ source: 'purchase', ...body })
const patch = (path: string, version: number, body: object) =>
  api.admin.patch(path).set('If-Match', `"${version}"`).send(body)
const revoke = (path: string, version: number, reason: string) =>
  api.admin.post(`${path}/revocation`).set('If-Match', `"${version}"`).send({ reason })
const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId }, orderBy: { seq: 'asc' } })

describe('a grant', () => {
  it('makes a line, and said again changes nothing', async () => {
    const player = await newPlayer(api)
    const path = `/v1/players/${player.id}/library/slug:${game.slug}/windows`
    const body = { sourceRef: unique('order'), acquiredAt: '2026-01-02T03:04:05.678Z', playtimeSeconds: 2 ** 31 + 5 }
    const first = await put(path, body)
    expect(first.status).toBe(201)
    expect(first.headers).toMatchObject({ location: pathOf(first.body), etag: '"1"' })
    expect(first.body).toMatchObject({
      playerId: player.id,
      gameId: game.id,
      platform: 'windows',
      source: 'purchase',
      ...body,
      expiresAt: null,
      revokedAt: null,
      version: 1,
    })
    const again = await put(path, body)
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    expect((await put(path, { sourceRef: body.sourceRef })).body).toEqual(first.body)
    expect((await api.admin.get(pathOf(first.body))).body).toEqual(first.body)
    const events = await auditOf(first.body.id)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      action: 'player_game.grant',
      entityType: 'player_game',
      studioId: game.studioId,
      changes: { source: { from: null, to: 'purchase' }, sourceRef: 'changed' },
    })
  })

  it('of less than the player has leaves the line alone, but for play time; with If-Match it replaces it', async () => {
    const row = await newEntitlement(api, { gameId: game.id }, { sourceRef: 'A-1' })
    const path = pathOf(row)
    const free = { source: 'free', expiresAt: '2999-01-01T00:00:00Z' }
    const weaker = await put(path, free)
    expect(weaker.status).toBe(200)
    expect(weaker.body).toEqual(row)
    expect(await auditOf(row.id)).toHaveLength(1)
    const played = await put(path, { ...free, playtimeSeconds: 60 })
    expect(played.body).toMatchObject({ source: 'purchase', sourceRef: 'A-1', playtimeSeconds: 60, version: 1 })
    const replaced = await api.admin.put(path).set('If-Match', '"1"').send(free)
    expect(replaced.body).toMatchObject({ source: 'free', sourceRef: null, version: 2 })
    expect((await put(path, { source: 'purchase' })).body).toMatchObject({
      source: 'purchase',
      expiresAt: null,
      version: 3,
    })
  })

  it('that comes twice at the same moment makes one line', async () => {
    const { id } = await newPlayer(api)
    const path = `/v1/players/${id}/library/${game.id}/windows`
    const answers = await Promise.all([1, 2, 3].map(() => put(path, { acquiredAt: '2026-01-01T00:00:00.000Z' })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201])
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  })

  it('needs the player, the game and the platform', async () => {
    const { id } = await newPlayer(api)
    const statusOf = async (path: string) => (await put(path, {})).status
    expect(await statusOf(`/v1/players/${crypto.randomUUID()}/library/${game.id}/windows`)).toBe(404)
    expect(await statusOf(`/v1/players/${id}/library/${crypto.randomUUID()}/windows`)).toBe(404)
    expect(await statusOf(`/v1/players/${id}/library/${game.id}/ps5`)).toBe(404)
    expect(await statusOf(`/v1/players/${id}/library/${game.id}/amiga`)).toBe(404)
  })

  it('follows the state of the game', async () => {
    const { id } = await newPlayer(api)
    const early = await newGameIn(api, 'approved')
    await newPlatform(api, early.id)
    const path = `/v1/players/${id}/library/${early.id}/windows`
    expect((await put(path, {})).body).toMatchObject({
      status: 409,
      code: 'conflict',
      gameStatus: 'approved',
      errors: [{ pointer: '/source', code: 'game-not-available' }],
    })
    expect((await put(path, { source: 'press' })).status).toBe(201)
    expect((await patch(path, 1, { source: 'purchase' })).body).toMatchObject({ status: 409 })
    await takeSteps(api, `/v1/games/${early.id}`, 'announced', 'released', 'delisted')
    expect((await put(path, { source: 'purchase' })).body).toMatchObject({ source: 'purchase', version: 2 })
    await takeSteps(api, `/v1/games/${early.id}`, 'retired')
    expect((await put(path, { source: 'purchase', sourceRef: 'late' })).body).toMatchObject({ version: 3 })
    expect((await put(path, { source: 'gift' })).body).toMatchObject({ status: 409, gameStatus: 'retired' })
    const other = `/v1/players/${(await newPlayer(api)).id}/library/${early.id}/windows`
    expect((await put(other, { source: 'staff' })).body).toMatchObject({ status: 409, gameStatus: 'retired' })
  })

  it('waits for a game that is being retired, and is refused', async () => {
    const ending = await newGameIn(api, 'delisted')
    await newPlatform(api, ending.id)
    const { id } = await newPlayer(api)
    const retire = { sql: "UPDATE game SET status = 'retired' WHERE id = $1", values: [ending.id] }
    const answer = await duringChange(api, retire, () => put(`/v1/players/${id}/library/${ending.id}/windows`, {}))
    expect(answer.body).toMatchObject({ status: 409, gameStatus: 'retired' })
  })

  it('honours If-Match and If-None-Match', async () => {
    const { id } = await newPlayer(api)
    const path = `/v1/players/${id}/library/${game.id}/linux`
    const grant = { source: 'key' }
    expect((await api.admin.put(path).set('If-Match', '"1"').send(grant)).status).toBe(412)
    expect((await api.admin.put(path).set('If-None-Match', '*').send(grant)).status).toBe(201)
    expect((await api.admin.put(path).set('If-None-Match', '*').send(grant)).status).toBe(412)
    expect((await api.admin.put(path).set('If-Match', '"9"').send(grant)).status).toBe(412)
  })
})

describe('a line of a library', () => {
  it('is patched on top of its version; play time changes no version, and is never hidden by a 304', async () => {
    const row = await newEntitlement(api, { gameId: game.id }, { acquiredAt: '2026-01-01T00:00:00.000Z' })
    const path = pathOf(row)
    const played = {
      playtimeSeconds: 60,
      firstPlayedAt: '2026-02-01T00:00:00.000Z',
      lastPlayedAt: '2026-02-02T00:00:00.000Z',
    }
    const first = await patch(path, 1, played)
    expect(first.body).toMatchObject({ ...played, version: 1 })
    expect((await patch(path, 1, { playtimeSeconds: 30 })).body).toMatchObject({ playtimeSeconds: 60, version: 1 })
    const seen = await api.admin.get(path).set('If-None-Match', '"1"')
    expect(seen.status).toBe(200)
    expect(seen.body.playtimeSeconds).toBe(60)
    const edited = await patch(path, 1, { expiresAt: '2026-03-01T00:00:00.000Z', sourceRef: 'A-1' })
    expect(edited.body).toMatchObject({ expiresAt: '2026-03-01T00:00:00.000Z', sourceRef: 'A-1', version: 2 })
    expect((await patch(path, 1, { sourceRef: null })).body).toMatchObject({ status: 412 })
    expect((await patch(path, 2, { expiresAt: '2025-01-01T00:00:00Z' })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/expiresAt', code: 'not-after-acquired' }],
    })
    const events = await auditOf(row.id)
    expect(events.map(({ action }) => action)).toEqual([
      'player_game.grant',
      'player_game.update',
      'player_game.update',
    ])
    expect(events[2]?.changes).toMatchObject({ sourceRef: 'changed' })
  })

  it('promises no 304 in the API document', async () => {
    const { paths } = (await api.anonymous.get('/v1/openapi.json')).body
    const { get } = paths['/v1/players/{id}/library/{gameId}/{platform}']
    expect(Object.keys(get.responses)).not.toContain('304')
    expect(get.parameters.map(({ name }: { name: string }) => name)).not.toContain('If-None-Match')
    expect(get.responses['200'].headers).toHaveProperty('ETag')
  })

  it('is revoked, the reason corrected, and granted again by a newer grant only', async () => {
    const row = await newEntitlement(api, { gameId: game.id }, { acquiredAt: '2026-01-01T00:00:00.000Z' })
    const path = pathOf(row)
    expect((await api.admin.post(`${path}/revocation`).send({ reason: 'refund' })).status).toBe(428)
    expect((await revoke(path, 1, 'boredom')).body).toMatchObject({ status: 422, errors: [{ pointer: '/reason' }] })
    const gone = (await revoke(path, 1, 'refund')).body
    expect(gone).toMatchObject({ revokeReason: 'refund', version: 2 })
    expect((await revoke(path, 2, 'refund')).body).toEqual(gone)
    expect((await revoke(path, 2, 'chargeback')).body).toMatchObject({ revokedAt: gone.revokedAt, version: 3 })
    expect((await put(path, { acquiredAt: '2026-01-01T00:00:00.000Z' })).body).toMatchObject({
      status: 409,
      errors: [{ pointer: '/acquiredAt', code: 'before-revocation' }],
    })
    expect((await put(path, {})).body).toMatchObject({ revokedAt: null, revokeReason: null, version: 4 })
    const actions = (await auditOf(row.id)).map(({ action }) => action)
    expect(actions).toEqual(['grant', 'revoke', 'revoke', 'grant'].map((what) => `player_game.${what}`))
  })

  it('is not deleted, and 404 when it is not there', async () => {
    const row = await newEntitlement(api, { gameId: game.id })
    const answer = await api.admin.delete(pathOf(row))
    expect(answer.body).toMatchObject({ status: 405 })
    expect(answer.body.detail).toContain('revocation')
    const nothing = pathOf({ ...row, platform: 'linux' })
    expect((await api.admin.get(nothing)).status).toBe(404)
    expect((await patch(nothing, 1, {})).status).toBe(404)
    expect((await revoke(nothing, 1, 'fraud')).status).toBe(404)
  })

  it('keeps its platform from being taken from the game, also at the same moment', async () => {
    const other = await newGameIn(api, 'announced')
    await newPlatform(api, other.id, 'web')
    const { id } = await newPlayer(api)
    const [granted, removed] = await Promise.all([
      put(`/v1/players/${id}/library/${other.id}/web`, {}),
      api.admin.delete(`/v1/games/${other.id}/platforms/web`).set('If-Match', '"1"'),
    ])
    expect([
      [201, 409],
      [404, 204],
    ]).toContainEqual([granted.status, removed.status])
  })

  it('shows no sourceRef without players:read.personal, and asks for its scopes', async () => {
    const plain = api.as(await api.token('library:read', 'library:write'))
    const { id } = await newPlayer(api)
    const path = `/v1/players/${id}/library/${game.id}/windows`
    const answers = [
      (await plain.put(path).send({ source: 'purchase', sourceRef: 'secret-1' })).body,
      (await plain.get(path)).body,
      (await plain.patch(path).set('If-Match', '"1"').send({ sourceRef: 'secret-2' })).body,
      (await plain.post(`${path}/revocation`).set('If-Match', '"2"').send({ reason: 'other' })).body,
      (await plain.get(`/v1/players/${id}/library`)).body.data[0],
      (await plain.get(`/v1/games/${game.id}/players`)).body.data[0],
    ]
    for (const answer of answers) {
      expect(answer).toHaveProperty('source')
      expect(answer).not.toHaveProperty('sourceRef')
    }
    expect((await api.admin.get(path)).body.sourceRef).toBe('secret-2')
    expect(api.log()).not.toContain('secret-')
    const reader = api.as(await api.token('library:read'))
    expect((await reader.put(path).send({ source: 'key' })).body).toMatchObject({ status: 403, scope: 'library:write' })
    const stranger = api.as(await api.token('players:read', 'games:read'))
    expect((await stranger.get(path)).body).toMatchObject({ status: 403, scope: 'library:read' })
  })
})

describe('a library', () => {
  it('is listed and filtered; who owned a game stays in its list', async () => {
    const player = await newPlayer(api)
    const row = await newEntitlement(api, { playerId: player.id, gameId: game.id }, { playtimeSeconds: 7 })
    const trial = { source: 'subscription', acquiredAt: '2026-01-01T00:00:00Z', expiresAt: '2026-02-01T00:00:00Z' }
    await put(pathOf({ ...row, platform: 'linux' }), trial)
    const other = await newEntitlement(api, { playerId: player.id })
    await revoke(pathOf(other), 1, 'refund')
    const ids = async (query: string) => {
      const answer = await api.admin.get(`/v1/players/${player.id}/library?${query}`)
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
      return answer.body.data.map(
        ({ gameId, platform }: typeof row) => `${gameId === game.id ? 'game' : 'other'} ${platform}`,
      )
    }
    expect(await ids('sort=-playtimeSeconds&limit=1')).toEqual(['game windows'])
    expect(await ids(`gameId=${game.id}&sort=acquiredAt`)).toEqual(['game linux', 'game windows'])
    expect(await ids(`studioId=${game.studioId}&platform=linux`)).toEqual(['game linux'])
    expect(await ids('active=true')).toEqual(['game windows'])
    expect((await ids('active=false')).sort()).toEqual(['game linux', 'other windows'])
    expect(await ids('revokedAt[isNull]=false')).toEqual(['other windows'])
    expect(await ids('revokeReason=refund')).toEqual(['other windows'])
    expect(await ids('source[in]=subscription,gift')).toEqual(['game linux'])
    expect((await api.admin.get(`/v1/players/${crypto.randomUUID()}/library`)).status).toBe(404)
    const owners = await api.admin.get(`/v1/games/${other.gameId}/players`)
    expect(owners.body.data).toMatchObject([{ playerId: player.id, revokeReason: 'refund' }])
  })

  it.each(['lastPlayedAt', '-lastPlayedAt', 'acquiredAt', '-acquiredAt'])(
    'of a game is paged by %s, NULL last and equal moments in a fixed order',
    async (sort) => {
      const paged = await newGame(api)
      await takeSteps(api, `/v1/games/${paged.id}`, 'submitted', 'in_review', 'approved', 'announced')
      await newPlatform(api, paged.id)
      const acquiredAt = '2026-01-01T00:00:00.000Z'
      for (const lastPlayedAt of [
        null,
        '2026-02-01T00:00:00.000Z',
        null,
        '2026-02-01T00:00:00.000Z',
        '2026-03-01T00:00:00.000Z',
      ]) {
        await newEntitlement(api, { gameId: paged.id }, { acquiredAt, lastPlayedAt })
      }
      const base = `/v1/games/slug:${paged.slug}/players?sort=${sort}`
      const whole = (await api.admin.get(base)).body.data
      expect(whole).toHaveLength(5)
      const seen: unknown[] = []
      let page = (await api.admin.get(`${base}&limit=2`)).body
      seen.push(...page.data)
      while (page.page.next !== null) {
        page = (await api.admin.get(`${base}&limit=2&cursor=${page.page.next}`)).body
        seen.push(...page.data)
      }
      expect(seen).toEqual(whole)
      const back = (await api.admin.get(`${base}&limit=2&cursor=${page.page.prev}`)).body.data
      expect(back).toEqual(whole.slice(2, 4))
      if (sort.endsWith('lastPlayedAt')) {
        expect(whole.slice(3).map(({ lastPlayedAt }: { lastPlayedAt: unknown }) => lastPlayedAt)).toEqual([null, null])
      }
    },
  )
})
