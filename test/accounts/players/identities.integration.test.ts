import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, unique } from '../../support/api.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const link = (playerId: string, body: object) => api.admin.post(`/v1/players/${playerId}/identities`).send(body)
const unlink = (playerId: string, id: string, ifMatch = '"1"') =>
  api.admin.delete(`/v1/players/${playerId}/identities/${id}`).set('If-Match', ifMatch)
const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId }, orderBy: { seq: 'asc' } })

describe('an identity', () => {
  it('is linked, listed and unlinked: the row stays and names nobody', async () => {
    const player = await newPlayer(api, { email: `${unique('i')}@players.example` })
    const subject = unique('Subject')
    const linked = await link(player.id, { provider: 'epic', subject, providerName: 'Zoë#1' })
    expect(linked.status).toBe(201)
    const path = `/v1/players/${player.id}/identities/${linked.body.id}`
    expect(linked.headers).toMatchObject({ location: path, etag: '"1"' })
    expect(linked.body).toMatchObject({
      provider: 'epic',
      namespace: '',
      subject,
      providerName: 'Zoë#1',
      unlinkedAt: null,
    })
    expect((await api.admin.get(path)).body).toEqual(linked.body)
    expect((await unlink(player.id, linked.body.id)).status).toBe(204)
    const gone = (await api.admin.get(path)).body
    expect(gone).toMatchObject({ subject: null, providerName: null, version: 2 })
    expect(Date.parse(gone.unlinkedAt)).toBeGreaterThan(0)
    const list = (query: string) => api.admin.get(`/v1/players/${player.id}/identities?${query}`)
    expect((await list('')).body.data).toEqual([gone])
    expect((await list('unlinkedAt[isNull]=true')).body.data).toEqual([])
    expect((await unlink(player.id, linked.body.id, '"2"')).status).toBe(204)
    const events = await auditOf(player.id)
    expect(events.map(({ action }) => action)).toEqual([
      'player.create',
      'player.link_identity',
      'player.unlink_identity',
    ])
    expect(events[2]?.changes).toMatchObject({ identityId: { to: linked.body.id }, subject: 'changed' })
    expect(JSON.stringify(events.map(({ changes }) => changes))).not.toContain(subject)
  })

  it('belongs to one player: 409 for others and again, free after it was unlinked', async () => {
    const [one, other] = [await newPlayer(api, { email: `${unique('i')}@players.example` }), await newPlayer(api)]
    const body = { provider: 'steam', subject: '76561198000000001' }
    const { id } = (await link(one.id, body)).body
    for (const player of [one, other]) {
      const taken = await link(player.id, body)
      expect(taken.body).toMatchObject({ status: 409, code: 'identity-taken' })
      expect(taken.text).not.toContain(body.subject)
    }
    await unlink(one.id, id)
    expect((await link(other.id, body)).status).toBe(201)
  })

  it('is linked by one of two at the same moment', async () => {
    const players = [await newPlayer(api), await newPlayer(api)]
    const body = { provider: 'xbox', subject: unique('xuid') }
    const answers = await Promise.all(players.map(({ id }) => link(id, body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  })

  it('is not unlinked when nothing else leads to the player', async () => {
    const player = await newPlayer(api)
    const first = (await link(player.id, { provider: 'discord', subject: unique('d') })).body
    expect((await unlink(player.id, first.id)).body).toMatchObject({ status: 409, code: 'last-identity' })
    const second = (await link(player.id, { provider: 'google', subject: unique('g') })).body
    const answers = await Promise.all([unlink(player.id, first.id), unlink(player.id, second.id)])
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
  })

  it('comes with a new player, all or nothing', async () => {
    const identities = [
      { provider: 'epic', subject: unique('e') },
      { provider: 'psn', subject: unique('p') },
    ]
    const player = await newPlayer(api, { identities })
    const linked = (await api.admin.get(`/v1/players/${player.id}/identities`)).body.data
    expect(linked).toMatchObject(identities)
    expect((await auditOf(player.id)).map(({ action }) => action)).toEqual([
      'player.create',
      'player.link_identity',
      'player.link_identity',
    ])
    const create = (username: string, list: object[]) =>
      api.admin.post('/v1/players').send({ username, identities: list })
    const username = unique('twin').replaceAll('-', '_')
    expect(
      (await create(username, [{ provider: 'xbox', subject: unique('x') }, identities[1] ?? {}])).body,
    ).toMatchObject({
      status: 409,
      code: 'identity-taken',
      errors: [{ pointer: '/identities/1/subject' }],
    })
    expect((await create(username, [{ provider: 'steam', subject: '1' }])).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/identities/0/subject', code: 'format' }],
    })
    const foreign = [{ provider: 'studio', namespace: 'nobody', subject: '1' }]
    expect((await create(username, foreign)).body.errors).toMatchObject([{ pointer: '/identities/0/namespace' }])
    expect((await create(username, [])).status).toBe(201)
  })

  it('of a studio names a studio that is there, and its event names it too', async () => {
    const [studio, player] = [await newStudio(api), await newPlayer(api)]
    const body = { provider: 'studio', subject: '1' }
    expect((await link(player.id, { ...body, namespace: 'nobody' })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/namespace', code: 'not-found' }],
    })
    expect((await link(player.id, { ...body, namespace: studio.slug })).status).toBe(201)
    expect((await auditOf(player.id)).at(-1)?.studioId).toBe(studio.id)
  })

  it('is addressed through its own player, with If-Match', async () => {
    const [one, other] = [await newPlayer(api), await newPlayer(api)]
    const { id } = (await link(one.id, { provider: 'apple', subject: unique('a') })).body
    expect((await api.admin.get(`/v1/players/${other.id}/identities/${id}`)).status).toBe(404)
    expect((await unlink(other.id, id)).status).toBe(404)
    expect((await api.admin.delete(`/v1/players/${one.id}/identities/${id}`)).status).toBe(428)
    expect((await unlink(one.id, id, '"9"')).status).toBe(412)
    expect((await link(crypto.randomUUID(), { provider: 'apple', subject: 'x' })).status).toBe(404)
    expect((await api.admin.get(`/v1/players/${crypto.randomUUID()}/identities`)).status).toBe(404)
  })

  it('shows neither subject nor name to a caller without players:read.personal', async () => {
    const plain = api.as(await api.token('players:read', 'players:write'))
    const { id } = await newPlayer(api)
    const path = `/v1/players/${id}/identities`
    const linked = (await plain.post(path).send({ provider: 'psn', subject: unique('p'), providerName: 'Zo' })).body
    const answers = [linked, (await plain.get(`${path}/${linked.id}`)).body, (await plain.get(path)).body.data[0]]
    for (const answer of answers) {
      expect(answer).toMatchObject({ provider: 'psn', version: 1 })
      expect(answer).not.toHaveProperty('subject')
      expect(answer).not.toHaveProperty('providerName')
    }
  })
})
