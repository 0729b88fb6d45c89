import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PlayerService } from '../../../src/accounts/players/player-service.ts'
import { openDatabase, type RawStatement } from '../../../src/database/database.ts'
import { createTestApi, type TestApi, unique } from '../../support/api.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const name = () => unique('zoe').replaceAll('-', '_')
const auditOf = (entityId: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId }, orderBy: { seq: 'asc' } })
const patch = (id: string, version: number, body: object) =>
  api.admin.patch(`/v1/players/${id}`).set('If-Match', `"${version}"`).send(body)
const step = (id: string, version: number, body: object) =>
  api.admin.post(`/v1/players/${id}/transitions`).set('If-Match', `"${version}"`).send(body)

describe('a player', () => {
  it('is created active; the trail says what changed and not to what', async () => {
    const username = name()
    const fields = {
      username,
      displayName: 'Zoë',
      email: `${username}@players.example`,
      emailVerifiedAt: '2026-01-31T12:00:00.000Z',
      birthDate: '2004-02-29',
      country: 'DE',
      locale: 'de-DE',
    }
    const answer = await api.admin.post('/v1/players').send(fields)
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ location: `/v1/players/${answer.body.id}`, etag: '"1"' })
    expect(answer.body).toMatchObject({ ...fields, status: 'active', closedAt: null, erasedAt: null, version: 1 })
    expect(answer.body).not.toHaveProperty('usernameKey')
    expect((await api.admin.get(`/v1/players/${answer.body.id}`)).body).toEqual(answer.body)
    const [event] = await auditOf(answer.body.id)
    expect(event).toMatchObject({ action: 'player.create', entityType: 'player', studioId: null })
    expect(event?.changes).toMatchObject({
      username: 'changed',
      birthDate: 'changed',
      status: { from: null, to: 'active' },
    })
    expect(JSON.stringify(event?.changes)).not.toContain(username)
    expect(api.log()).not.toContain(username)
  })

  it.each(['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago'])(
    'has its birthday wherever the server is: %s',
    async (zone) => {
      const before = process.env.TZ
      process.env.TZ = zone
      try {
        const { id, birthDate } = await newPlayer(api, { birthDate: '1999-12-31' })
        expect(birthDate).toBe('1999-12-31')
        expect((await api.admin.get(`/v1/players/${id}`)).body.birthDate).toBe('1999-12-31')
        const again = await patch(id, 1, { birthDate: '1999-12-31' })
        expect(again.body).toMatchObject({ birthDate: '1999-12-31', version: 1 })
      } finally {
        if (before === undefined) delete process.env.TZ
        else process.env.TZ = before
      }
    },
  )

  it('keeps username and address for itself, in any letters', async () => {
    const username = `Straße_${name()}`
    const email = `Zoe.${name()}@players.example`
    const player = await newPlayer(api, { username, email })
    const create = (body: object) => api.admin.post('/v1/players').send(body)
    expect((await create({ username: username.toUpperCase() })).body).toMatchObject({
      status: 409,
      code: 'username-taken',
      errors: [{ pointer: '/username' }],
    })
    expect((await create({ username: name(), email: email.toUpperCase() })).body).toMatchObject({
      status: 409,
      code: 'email-taken',
      errors: [{ pointer: '/email' }],
    })
    const other = await newPlayer(api)
    const taken = await patch(other.id, 1, { username: username.toUpperCase() })
    expect(taken.body).toMatchObject({ status: 409, code: 'username-taken' })
    expect(taken.text).not.toContain(username)
    expect((await patch(player.id, 1, { username: username.toUpperCase() })).body).toMatchObject({ version: 2 })
  })

  it('goes to one of those who create it at the same moment', async () => {
    const username = name()
    const byName = await Promise.all([1, 2, 3].map(() => api.admin.post('/v1/players').send({ username })))
    expect(byName.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    expect(byName.filter(({ body }) => body.code === 'username-taken')).toHaveLength(2)
    const email = `${name()}@players.example`
    const byMail = await Promise.all([1, 2].map(() => api.admin.post('/v1/players').send({ username: name(), email })))
    expect(byMail.map(({ status }) => status).sort()).toEqual([201, 409])
  })

  it('is patched; a new address is not verified yet, the same in other letters still is', async () => {
    const email = `${name()}@players.example`
    const identities = [{ provider: 'discord', subject: unique('d') }]
    const { id } = await newPlayer(api, {
      ...{ email, emailVerifiedAt: '2026-01-01T00:00:00.000Z', country: 'DE', identities },
    })
    const letters = await patch(id, 1, { email: email.toUpperCase(), country: null })
    expect(letters.body).toMatchObject({ country: null, emailVerifiedAt: '2026-01-01T00:00:00.000Z', version: 2 })
    const moved = await patch(id, 2, { email: `${name()}@players.example` })
    expect(moved.body).toMatchObject({ emailVerifiedAt: null, version: 3 })
    expect((await patch(id, 3, { email: null, emailVerifiedAt: '2026-01-01T00:00:00Z' })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '/emailVerifiedAt', code: 'needs-email' }],
    })
    expect((await patch(id, 3, { email: null })).body).toMatchObject({ email: null, emailVerifiedAt: null, version: 4 })
    expect((await patch(id, 4, { displayName: null })).headers.etag).toBe('"4"')
    expect((await patch(id, 1, { displayName: 'x' })).body).toMatchObject({ status: 412 })
    const events = await auditOf(id)
    const actions = ['player.create', 'player.link_identity', ...Array(3).fill('player.update')]
    expect(events.map(({ action }) => action)).toEqual(actions)
    expect(events[3]?.changes).toEqual({ email: 'changed', emailVerifiedAt: 'changed' })
  })

  it('is overwritten on purpose by whoever wants to, even where somebody else is always faster', async () => {
    const player = await newPlayer(api)
    let faster = 0
    const bump = `UPDATE player SET display_name = $2
      WHERE id = (SELECT id FROM player WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)`
    const others = openDatabase({ url: api.databaseUrl, poolSize: 1 })
    async function query<Row>(statement: RawStatement): Promise<Row[]> {
      if (statement.name === 'replace player') {
        await others.query({ text: bump, values: [player.id, `Faster ${++faster}`] })
      }
      return api.database.query<Row>(statement)
    }
    const service = new PlayerService(Object.create(api.database, { query: { value: query } }))
    try {
      const after = await service.update(player.id, { country: 'SE' }, 'any', api.context)
      expect(after).toMatchObject({ country: 'SE', displayName: 'Faster 1', version: 3 })
      const stale = service.update(player.id, { country: 'NO' }, [3], api.context)
      await expect(stale).rejects.toMatchObject({ code: 'version-mismatch', headers: { ETag: '"4"' } })
      expect(faster).toBe(3)
    } finally {
      await others.close()
    }
  })

  it('keeps the address while nothing else leads to the player, also when both go at the same moment', async () => {
    const { id } = await newPlayer(api, { email: `${name()}@players.example` })
    const refused = await patch(id, 1, { email: null, displayName: 'x' })
    expect(refused.body).toMatchObject({ status: 409, code: 'last-identity', errors: [{ pointer: '/email' }] })
    expect((await patch(id, 9, { email: null })).status).toBe(412)
    expect((await api.admin.get(`/v1/players/${id}`)).body).toMatchObject({ displayName: null, version: 1 })
    const nameless = await newPlayer(api)
    expect((await patch(nameless.id, 1, { email: null })).status).toBe(200)
    for (let round = 0; round < 20; round++) {
      const identities = [{ provider: 'discord', subject: unique('d') }]
      const player = await newPlayer(api, { email: `${name()}@players.example`, identities })
      const [identity] = (await api.admin.get(`/v1/players/${player.id}/identities`)).body.data
      const unlink = api.admin.delete(`/v1/players/${player.id}/identities/${identity.id}`).set('If-Match', '*')
      const answers = await Promise.all([patch(player.id, 1, { email: null }), unlink])
      expect(answers.filter(({ body }) => body.code === 'last-identity')).toHaveLength(1)
    }
  })

  it('is closed and opened again', async () => {
    const { id } = await newPlayer(api)
    expect((await api.admin.get(`/v1/players/${id}/transitions`)).body).toEqual({
      status: 'active',
      allowed: [{ to: 'closed', ready: true, missing: [] }],
    })
    const closed = await step(id, 1, { to: 'closed', reason: 'asked for it' })
    expect(closed.body).toMatchObject({ status: 'closed', version: 2 })
    expect(Date.parse(closed.body.closedAt)).toBeGreaterThan(0)
    expect((await step(id, 2, { to: 'erased' })).body).toMatchObject({
      status: 409,
      code: 'invalid-transition',
      allowed: ['active'],
    })
    expect((await step(id, 2, { to: 'active' })).body).toMatchObject({ status: 'active', closedAt: null, version: 3 })
    expect((await auditOf(id))[1]).toMatchObject({ action: 'player.transition', reason: 'asked for it' })
  })

  it('is not deleted; erased, it never changes again', async () => {
    const { id } = await newPlayer(api)
    expect((await api.admin.delete(`/v1/players/${id}`)).body.detail).toContain('{"to": "closed"}')
    const erased = `erased-${id.replaceAll('-', '').slice(7, 32)}`
    await api.database.prisma.player.update({ where: { id }, data: { status: 'erasure_pending' } })
    await api.database.prisma.player.update({
      where: { id },
      data: { status: 'erased', erasedAt: new Date(), username: erased, usernameKey: erased },
    })
    expect((await patch(id, 3, { country: 'DE' })).body).toMatchObject({ status: 409, code: 'conflict' })
    expect((await step(id, 3, { to: 'active' })).body).toMatchObject({ status: 409, code: 'invalid-transition' })
    expect((await api.admin.get(`/v1/players/${id}`)).body).toMatchObject({ status: 'erased', email: null })
  })
})

describe('a caller without players:read.personal', () => {
  const personal = ['username', 'displayName', 'email', 'emailVerifiedAt', 'birthDate', 'country', 'locale']

  it('gets no personal field from any answer', async () => {
    const plain = api.as(await api.token('players:read', 'players:write'))
    const body = { username: name(), displayName: 'Zoë', email: `${name()}@players.example`, birthDate: '2000-01-01' }
    const created = await plain.post('/v1/players').send({ ...body, country: 'DE', locale: 'de' })
    const path = `/v1/players/${created.body.id}`
    const answers = [
      created.body,
      (await plain.get(path)).body,
      (await plain.patch(path).set('If-Match', '"1"').send({ displayName: 'Zo' })).body,
      (await plain.post(`${path}/transitions`).set('If-Match', '"2"').send({ to: 'closed' })).body,
      (await plain.get('/v1/players?status=closed')).body.data[0],
    ]
    for (const answer of answers) {
      expect(answer).toHaveProperty('status')
      for (const field of personal) expect(answer).not.toHaveProperty(field)
    }
  })

  it.each(['country=DE', 'country[isNull]=true', 'hasEmail=true', 'q=zoe'])(
    'may not ask about one: %s',
    async (query) => {
      const plain = api.as(await api.token('players:read'))
      expect((await plain.get(`/v1/players?${query}`)).body).toMatchObject({
        status: 403,
        code: 'forbidden',
        scope: 'players:read.personal',
      })
      expect((await api.admin.get(`/v1/players?${query}`)).status).toBe(200)
    },
  )
})
