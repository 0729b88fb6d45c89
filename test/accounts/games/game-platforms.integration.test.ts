import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi, unique } from '../../support/api.ts'
import { newGame, newPlatform } from '../../support/records.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const put = (gameId: string, platform: string, facts: object) =>
  api.admin.put(`/v1/games/${gameId}/platforms/${platform}`).send(facts)

const remove = (gameId: string, platform: string, ifMatch = '"1"') =>
  api.admin.delete(`/v1/games/${gameId}/platforms/${platform}`).set('If-Match', ifMatch)

const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId, entityType: 'game_platform' }, orderBy: { seq: 'asc' } })

describe('a platform of a game', () => {
  it('is put, put again without a change, and replaced', async () => {
    const { id, studioId } = await newGame(api)
    const facts = { store: 'steam', storeAppId: unique('app'), releasedOn: '2026-03-05' }
    const first = await put(id, 'windows', facts)
    expect(first.status).toBe(201)
    expect(first.headers).toMatchObject({ location: `/v1/games/${id}/platforms/windows`, etag: '"1"' })
    expect(first.body).toMatchObject({ gameId: id, platform: 'windows', ...facts, delistedOn: null, version: 1 })
    const again = await put(id, 'windows', facts)
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    const replaced = await put(id, 'windows', { store: 'steam', releasedOn: '2026-03-05', delistedOn: '2026-03-05' })
    expect(replaced.body).toMatchObject({ storeAppId: null, delistedOn: '2026-03-05', version: 2 })
    const events = await auditOf(id)
    expect(events.map(({ action }) => action)).toEqual(['game_platform.create', 'game_platform.update'])
    expect(events[1]).toMatchObject({
      studioId,
      changes: {
        platform: { from: 'windows', to: 'windows' },
        storeAppId: { from: facts.storeAppId, to: null },
        delistedOn: { from: null, to: '2026-03-05' },
      },
    })
  })

  it('honours If-Match and If-None-Match', async () => {
    const { id } = await newGame(api)
    const path = `/v1/games/${id}/platforms/web`
    expect((await api.admin.put(path).set('If-Match', '"1"').send({})).body).toMatchObject({ status: 412 })
    expect((await api.admin.put(path).set('If-None-Match', '*').send({})).status).toBe(201)
    expect((await api.admin.put(path).set('If-None-Match', '*').send({})).status).toBe(412)
    expect((await api.admin.put(path).set('If-Match', '"7"').send({ store: 'itch' })).status).toBe(412)
    expect((await api.admin.put(path).set('If-Match', '"1"').send({ store: 'itch' })).headers.etag).toBe('"2"')
  })

  it('is listed and read with the game', async () => {
    const game = await newGame(api)
    await newPlatform(api, game.id, 'ios')
    await newPlatform(api, game.id, 'windows')
    const list = await api.admin.get(`/v1/games/slug:${game.slug}/platforms`)
    expect(list.body.data.map(({ platform }: { platform: string }) => platform)).toEqual(['windows', 'ios'])
    expect((await api.admin.get(`/v1/games/${game.id}/platforms/ios`)).headers.etag).toBe('"1"')
    expect((await api.admin.get(`/v1/games/${game.id}/platforms/web`)).status).toBe(404)
    expect((await api.admin.get(`/v1/games/${game.id}/platforms/amiga`)).status).toBe(404)
  })

  it('refuses facts that contradict each other', async () => {
    const { id } = await newGame(api)
    const errorsOf = async (facts: object) => (await put(id, 'ps5', facts)).body.errors
    expect(await errorsOf({ storeAppId: '1' })).toMatchObject([{ pointer: '/store', code: 'required' }])
    expect(await errorsOf({ delistedOn: '2026-01-01' })).toMatchObject([{ pointer: '/releasedOn', code: 'required' }])
    expect(await errorsOf({ releasedOn: '2026-01-02', delistedOn: '2026-01-01' })).toMatchObject([
      { pointer: '/delistedOn', code: 'before-release' },
    ])
    expect(await errorsOf({ store: 'Epic Games' })).toMatchObject([{ pointer: '/store', code: 'format' }])
  })

  it("keeps the store's key for itself on each platform", async () => {
    const [one, other] = [await newGame(api), await newGame(api)]
    const facts = { store: 'steam', storeAppId: unique('app') }
    await newPlatform(api, one.id, 'windows', facts)
    expect((await put(other.id, 'windows', facts)).body).toMatchObject({
      status: 409,
      code: 'conflict',
      errors: [{ pointer: '/storeAppId' }],
    })
    expect((await put(other.id, 'macos', facts)).status).toBe(201)
  })

  it('goes when nobody owns the game on it, and stays else', async () => {
    const { id } = await newGame(api)
    await newPlatform(api, id, 'windows')
    await newPlatform(api, id, 'linux')
    const playerId = crypto.randomUUID()
    const name = unique('owner').replaceAll('-', '_')
    await api.database.prisma.player.create({ data: { id: playerId, username: name, usernameKey: name } })
    await api.database.prisma.playerGame.create({
      data: { id: crypto.randomUUID(), playerId, gameId: id, platform: 'linux', source: 'key', acquiredAt: new Date() },
    })
    expect((await api.admin.delete(`/v1/games/${id}/platforms/windows`)).body).toMatchObject({ status: 428 })
    expect((await remove(id, 'windows', '"3"')).body).toMatchObject({ status: 412 })
    expect((await remove(id, 'windows')).status).toBe(204)
    expect((await remove(id, 'windows')).status).toBe(404)
    expect((await remove(id, 'linux')).body).toMatchObject({ status: 409, code: 'in-use' })
    expect((await auditOf(id)).at(-1)).toMatchObject({
      action: 'game_platform.delete',
      changes: { platform: { from: 'windows', to: null } },
    })
  })

  it('is put by two at the same moment: one creates it', async () => {
    const { id } = await newGame(api)
    const answers = await Promise.all([put(id, 'web', {}), put(id, 'web', {})])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201])
  })
})
