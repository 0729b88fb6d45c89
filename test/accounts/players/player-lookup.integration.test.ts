import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, unique } from '../../support/api.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const nobody = '0193aaaa-0000-7000-8000-000000000001'
const lookup = (identifiers: unknown, agent = api.admin) => agent.post('/v1/players/lookup').send({ identifiers })
const ids = (answer: { body: { data: { player: { id: string } | null }[] } }) =>
  answer.body.data.map(({ player }) => player?.id ?? null)

describe('a lookup', () => {
  it('answers each identifier in order, whatever kind it is of, also the same one twice', async () => {
    const { slug } = await newStudio(api)
    const subject = `7656119${String(Math.random()).slice(2, 12).padEnd(10, '0')}`
    const zoe = await newPlayer(api, {
      username: `Zoë${unique('z').replaceAll('-', '')}`,
      email: `${unique('zoe')}@x.example`,
    })
    const bob = await newPlayer(api, {
      identities: [
        { provider: 'steam', subject },
        { provider: 'studio', namespace: slug, subject: 'Bob' },
      ],
    })
    const answer = await lookup([
      { provider: 'steam', subject },
      { id: zoe.id.toUpperCase() },
      { id: nobody },
      { username: zoe.username.normalize('NFD').toUpperCase() },
      { email: ` ${zoe.email.toUpperCase()}` },
      { provider: 'studio', namespace: slug, subject: 'Bob' },
      { provider: 'studio', namespace: slug, subject: 'bob' },
      { provider: 'discord', subject },
      { username: 'nobody' },
      { id: zoe.id },
    ])
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('private, no-store')
    expect(ids(answer)).toEqual([bob.id, zoe.id, null, zoe.id, zoe.id, bob.id, null, null, null, zoe.id])
    expect(answer.body.data[2]).toEqual({ found: false, player: null })
    expect(answer.body.data[1]).toEqual({ found: true, player: zoe })
  })

  it('finds nobody by what nobody can have, and by an account that was unlinked', async () => {
    const player = await newPlayer(api, { email: `${unique('u')}@x.example` })
    const identities = `/v1/players/${player.id}/identities`
    const body = { provider: 'discord', subject: unique('d') }
    const link = await api.admin.post(identities).send(body)
    expect(ids(await lookup([body]))).toEqual([player.id])
    await api.admin.delete(`${identities}/${link.body.id}`).set('If-Match', '*')
    const impossible = [body, { username: 'x' }, { username: 'a b' }, { email: 'not an address' }, { email: '@' }]
    const odd = [
      { provider: 'steam', subject: '123' },
      { username: "'; DROP TABLE player; --" },
      { username: '\u{1F600}' },
    ]
    expect(ids(await lookup([...impossible, ...odd]))).toEqual(Array.from({ length: 8 }, () => null))
    expect(ids(await lookup([{ email: 'not an address' }]))).toEqual([null])
  })

  it('takes 1 to 100 identifiers', async () => {
    const many = (n: number) => Array.from({ length: n }, () => ({ id: nobody }))
    expect((await lookup(many(100))).body.data).toHaveLength(100)
    expect((await lookup(many(101))).body.errors).toMatchObject([{ pointer: '/identifiers', code: 'too-long' }])
    expect((await lookup([])).body.errors).toMatchObject([{ pointer: '/identifiers', code: 'too-short' }])
    expect((await lookup(undefined)).status).toBe(422)
  })

  it.each([
    [{}, ''],
    [{ id: 'x' }, '/id'],
    [{ id: nobody, username: 'zoe' }, ''],
    [{ username: 'zoe', subject: '1' }, ''],
    [{ provider: 'steam' }, ''],
    [{ subject: '1' }, ''],
    [{ provider: 'studio', subject: '1' }, '/namespace'],
    [{ provider: 'steam', namespace: 'acme', subject: '1' }, '/namespace'],
    [{ provider: 'myspace', subject: '1' }, '/provider'],
    [{ phone: '1' }, '/phone'],
    [{ username: 'a\0b' }, '/username'],
    [{ username: 'x'.repeat(513) }, '/username'],
    ['zoe', ''],
    [null, ''],
  ])('refuses %j as a whole, by its place', async (identifier, at) => {
    const answer = await lookup([{ id: nobody }, identifier])
    expect(answer.status).toBe(422)
    expect(answer.body.errors[0].pointer).toBe(`/identifiers/1${at}`)
  })

  it('by anything but ids needs players:read.personal, also where nobody is found; ids show no personal field without', async () => {
    const reader = api.as(await api.token('players:read'))
    const player = await newPlayer(api, { email: `${unique('p')}@x.example` })
    const shown = (await lookup([{ id: player.id }], reader)).body.data[0].player
    expect(Object.keys(shown)).not.toContain('username')
    expect(shown).toMatchObject({ id: player.id, status: 'active' })
    for (const identifier of [{ username: 'nobody' }, { email: 'x' }, { provider: 'steam', subject: '1' }]) {
      const answer = await lookup([{ id: player.id }, identifier], reader)
      expect(answer.body).toMatchObject({
        ...{ status: 403, scope: 'players:read.personal' },
        errors: [{ pointer: '/identifiers/1', code: 'personal' }],
      })
    }
    const personal = api.as(await api.token('players:read.personal'))
    expect((await lookup([{ id: player.id }], personal)).body.scope).toBe('players:read')
  })

  it('leaves no address and no name in logs and problems', async () => {
    const email = `${unique('secret')}@x.example`
    const name = unique('hidden').replaceAll('-', '')
    await lookup([{ email }, { username: name }])
    const refused = await lookup([{ email, username: name }])
    expect(refused.status).toBe(422)
    expect(refused.text + api.log()).not.toMatch(new RegExp(`${email}|${name}`))
  })

  it('takes no Idempotency-Key: it changes nothing, and its answer is kept nowhere', async () => {
    const answer = await lookup([{ id: nobody }]).set('Idempotency-Key', '12345678')
    expect(answer.body).toMatchObject({ status: 400, code: 'malformed-header' })
  })
})
