import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi, takeSteps } from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'
import { newEntitlement, newGame, newGameIn, newPlatform } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const transfer = (game: { id: string; version?: number }, studioId: string, ifMatch = '*') =>
  api.admin.post(`/v1/games/${game.id}/transfer`).set('If-Match', ifMatch).send({ studioId })

const studioIn = async (...steps: string[]) => takeSteps(api, `/v1/studios/${(await newStudio(api)).id}`, ...steps)
const activeStudio = async () => (await newActiveStudio(api)).studio
const suspend = (id: string) => takeSteps(api, `/v1/studios/${id}`, 'suspended')

describe('a transfer', () => {
  it('moves a game with its state, platforms and players; both studios see it in their trails', async () => {
    const [from, to] = [await activeStudio(), await activeStudio()]
    const game = await newGameIn(api, 'released', { studioId: from.id })
    await newPlatform(api, game.id)
    const line = await newEntitlement(api, { gameId: game.id })
    const answer = await api.admin
      .post(`/v1/games/slug:${game.slug}/transfer`)
      .set('If-Match', `"${game.version}"`)
      .send({ studioId: to.id.toUpperCase(), reason: 'sold' })
    expect(answer.status).toBe(200)
    expect(answer.headers.etag).toBe(`"${game.version + 1}"`)
    expect(answer.body).toMatchObject({ id: game.id, studioId: to.id, status: 'released' })
    const players = await api.admin.get(`/v1/studios/${to.id}/players`)
    expect(players.body.data.map(({ id }: { id: string }) => id)).toEqual([line.playerId])
    const trail = await api.database.prisma.auditEvent.findMany({
      where: { entityType: 'game', entityId: game.id, action: { startsWith: 'game.transfer' } },
      orderBy: { seq: 'asc' },
    })
    const changes = { studioId: { from: from.id, to: to.id } }
    expect(trail).toMatchObject([
      { action: 'game.transfer_out', studioId: from.id, reason: 'sold', changes },
      { action: 'game.transfer_in', studioId: to.id, reason: 'sold', changes },
    ])
  })

  it('needs If-Match of the present version; to the same studio it changes nothing', async () => {
    const [from, to] = [await activeStudio(), await activeStudio()]
    const game = await newGame(api, { studioId: from.id })
    const missing = await api.admin.post(`/v1/games/${game.id}/transfer`).send({ studioId: to.id })
    expect(missing.status).toBe(428)
    const stale = await transfer(game, to.id, '"9"')
    expect([stale.status, stale.headers.etag]).toEqual([412, '"1"'])
    const same = await transfer(game, from.id, '"1"')
    expect([same.status, same.body.version]).toEqual([200, 1])
    expect((await transfer(game, to.id, '"1"')).status).toBe(200)
    expect((await transfer(game, to.id, '"1"')).status).toBe(412)
  })

  it('is made once by an Idempotency-Key, however often it is sent', async () => {
    const [from, to] = [await activeStudio(), await activeStudio()]
    const game = await newGame(api, { studioId: from.id })
    const send = () => transfer(game, to.id, '"1"').set('Idempotency-Key', `transfer-${game.id}`)
    const first = await send()
    const again = await send()
    expect([first.status, again.status, again.headers['idempotency-replayed']]).toEqual([200, 200, 'true'])
    expect(again.body).toEqual(first.body)
    const action = { startsWith: 'game.transfer' }
    expect(await api.database.prisma.auditEvent.count({ where: { entityId: game.id, action } })).toBe(2)
  })

  it('needs a studio in a state that the state of the game needs', async () => {
    const active = await activeStudio()
    const prospect = await studioIn()
    const inReview = await studioIn('in_review')
    const closed = await studioIn('closed')
    const suspended = await activeStudio()
    await suspend(suspended.id)
    const draft = await newGame(api, { studioId: active.id })
    const submitted = await newGameIn(api, 'submitted', { studioId: active.id })
    const announced = await newGameIn(api, 'announced', { studioId: active.id })
    const missing = async (game: { id: string }, to: { id: string }) => (await transfer(game, to.id)).body.missing
    expect(await missing(submitted, prospect)).toEqual(['studio-in-review'])
    expect(await missing(announced, inReview)).toEqual(['active-studio'])
    expect(await missing(announced, suspended)).toEqual(['active-studio'])
    expect(await missing(draft, suspended)).toEqual(['active-studio'])
    expect((await transfer(draft, closed.id)).body).toMatchObject({ status: 409, code: 'conflict' })
    for (const [game, to] of [
      [draft, prospect],
      [submitted, inReview],
    ]) {
      expect((await transfer(game, to.id)).body.studioId).toBe(to.id)
    }
    expect((await api.admin.get(`/v1/games/${announced.id}`)).body.studioId).toBe(active.id)
  })

  it('is not a way out of a suspended studio, but out of a closed one', async () => {
    const [from, closing, to] = [await activeStudio(), await activeStudio(), await activeStudio()]
    const game = await newGameIn(api, 'released', { studioId: from.id })
    await suspend(from.id)
    const refused = await transfer(game, to.id)
    expect(refused.body).toMatchObject({ status: 422, code: 'transition-blocked', missing: ['unsuspended-studio'] })
    const draft = await newGame(api, { studioId: closing.id })
    await takeSteps(api, `/v1/studios/${closing.id}`, 'closed')
    expect((await transfer(draft, to.id)).status).toBe(200)
  })

  it('refuses what is not there, what is unknown and a reason that is too long', async () => {
    const game = await newGame(api)
    const nobody = '0193aaaa-0000-7000-8000-000000000001'
    expect((await transfer({ id: nobody }, game.studioId)).status).toBe(404)
    expect((await transfer(game, nobody)).body.errors).toMatchObject([{ pointer: '/studioId', code: 'not-found' }])
    const send = (body: object) => api.admin.post(`/v1/games/${game.id}/transfer`).set('If-Match', '*').send(body)
    expect((await send({})).body.errors).toMatchObject([{ pointer: '/studioId', code: 'required' }])
    expect((await send({ studioId: 'x' })).status).toBe(422)
    expect((await send({ studioId: game.studioId, reason: 'x'.repeat(501) })).status).toBe(422)
    expect((await send({ studioId: game.studioId, to: 'x' })).body.errors).toMatchObject([{ code: 'unknown-field' }])
  })

  it('needs both scopes', async () => {
    const game = await newGame(api)
    for (const [held, lacking] of [
      ['games:write', 'studios:write'],
      ['studios:write', 'games:write'],
    ] as const) {
      const caller = api.as(await api.token(held))
      const answer = await caller
        .post(`/v1/games/${game.id}/transfer`)
        .set('If-Match', '*')
        .send({ studioId: game.studioId })
      expect(answer.body).toMatchObject({ status: 403, scope: lacking })
    }
  })
})

describe('a transfer at the same moment', () => {
  it.each(['from', 'to'] as const)('as the suspension of the studio %s waits for it and is refused', async (which) => {
    const studios = { from: await activeStudio(), to: await activeStudio() }
    const game = await newGameIn(api, 'released', { studioId: studios.from.id })
    const suspension = { sql: `UPDATE studio SET status = 'suspended' WHERE id = $1`, values: [studios[which].id] }
    const answer = await duringChange(api, suspension, () => transfer(game, studios.to.id))
    expect(answer.body).toMatchObject({ status: 422, code: 'transition-blocked' })
    expect((await api.admin.get(`/v1/games/${game.id}`)).body.studioId).toBe(studios.from.id)
  })

  it('keeps the studio that takes the game from being closed', async () => {
    const [from, to] = [await activeStudio(), await activeStudio()]
    const game = await newGameIn(api, 'released', { studioId: from.id })
    // The transfer as the service makes it: the game, then the studios.
    const sql = `WITH held AS (SELECT id FROM studio WHERE id = $2 FOR SHARE)
      UPDATE game SET studio_id = (SELECT id FROM held) WHERE id = $1`
    const close = () => api.admin.post(`/v1/studios/${to.id}/transitions`).set('If-Match', '*').send({ to: 'closed' })
    const answer = await duringChange(api, { sql, values: [game.id, to.id] }, close)
    expect(answer.body).toMatchObject({ status: 422, code: 'transition-blocked', missing: ['games-ended'] })
  })

  it('as suspensions and transfers the other way round never ends in a deadlock or a game in a studio that cannot have it', async () => {
    const [one, two] = [await activeStudio(), await activeStudio()]
    const a = await newGameIn(api, 'released', { studioId: one.id })
    const b = await newGameIn(api, 'released', { studioId: two.id })
    const step = (id: string, to: string) =>
      api.admin.post(`/v1/studios/${id}/transitions`).set('If-Match', '*').send({ to })
    for (let round = 0; round < 20; round++) {
      const [a1, b1, s1] = await Promise.all([transfer(a, two.id), transfer(b, one.id), step(one.id, 'suspended')])
      expect([200, 422]).toContain(a1.status)
      expect([200, 422]).toContain(b1.status)
      expect(s1.status).toBe(200)
      expect((await step(one.id, 'active')).status).toBe(200)
      await Promise.all([transfer(a, one.id), transfer(b, two.id)])
    }
    const owners = await Promise.all(
      [a, b].map(async ({ id }) => (await api.admin.get(`/v1/games/${id}`)).body.studioId),
    )
    expect(owners).toEqual([one.id, two.id])
  })
})
