import type { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, type TestApi, unique } from '../support/api.ts'
import { type ApiDocument, apiDocument, type Call, callAsPromised, schemaCompiler } from '../support/api-document.ts'
import { newEntitlement, newGame, newGameIn, newPlatform, newPlayer } from '../support/records.ts'

/** The operations on games, players and libraries answer as the API document says, in success and failure. */

let api: TestApi
let document: ApiDocument
let ajv: Ajv2020
const succeeded = new Set<string>()

beforeAll(async () => {
  api = await createTestApi()
  document = await apiDocument(api)
  ajv = schemaCompiler(document)
})
afterAll(() => api.close())

/** Makes the calls in turn and expects these statuses. */
async function expectStatuses(...calls: readonly (readonly [status: number, ...call: Call])[]) {
  for (const [expected, ...call] of calls) {
    const status = await callAsPromised(api, document, ajv, call)
    expect(status, JSON.stringify(call)).toBe(expected)
    const [method, pattern] = call
    if (status < 300) succeeded.add(`${method} ${pattern.split('?')[0]}`)
  }
}

const nobody = '0193aaaa-0000-7000-8000-000000000001'

describe('the operations keep the promises of the document', () => {
  it('on games', async () => {
    const { studio } = await newActiveStudio(api)
    const { id, slug } = await newGame(api, {
      studioId: studio.id,
      summary: 'Haul.\nStars.',
      externalRef: unique('erp'),
    })
    const released = await newGameIn(api, 'released', { studioId: studio.id })
    const body = { studioId: studio.id, slug: unique('g'), title: 'T' }
    await expectStatuses(
      [200, 'get', '/v1/games', {}],
      [200, 'get', '/v1/studios/{id}/games', { id: studio.id }],
      [404, 'get', '/v1/studios/{id}/games', { id: nobody }],
      [201, 'post', '/v1/games', {}, body],
      [409, 'post', '/v1/games', {}, body],
      [422, 'post', '/v1/games', {}, { ...body, slug: unique('g'), studioId: nobody }],
      [422, 'post', '/v1/games', {}, {}],
      [200, 'get', '/v1/games/{id}', { id }],
      [404, 'get', '/v1/games/{id}', { id: 'slug:none' }],
      [428, 'patch', '/v1/games/{id}', { id }, { title: 'New' }],
      [200, 'patch', '/v1/games/{id}', { id }, { title: 'New' }, '"1"'],
      [412, 'patch', '/v1/games/{id}', { id }, { title: 'New' }, '"1"'],
      [422, 'patch', '/v1/games/{id}', { id: released.id }, { minAge: null }, '*'],
      [200, 'get', '/v1/games/{id}/transitions', { id: `slug:${slug}` }],
      [409, 'post', '/v1/games/{id}/transitions', { id }, { to: 'released' }, '*'],
      [200, 'post', '/v1/games/{id}/transitions', { id }, { to: 'submitted', reason: 'ready' }, '*'],
    )
    const ref = { ref: unique('erp') }
    const replacement = { ...body, slug: unique('g') }
    const { studio: other } = await newActiveStudio(api)
    await expectStatuses(
      [201, 'put', '/v1/games/by-ref/{ref}', ref, replacement],
      [200, 'put', '/v1/games/by-ref/{ref}', ref, { ...replacement, title: 'Another' }],
      [409, 'put', '/v1/games/by-ref/{ref}', { ref: unique('erp') }, replacement],
      [412, 'put', '/v1/games/by-ref/{ref}', ref, replacement, '"9"'],
      [422, 'put', '/v1/games/by-ref/{ref}', ref, {}],
      [404, 'put', '/v1/games/by-ref/{ref}', { ref: '%20' }, replacement],
      [200, 'post', '/v1/games/{id}/transfer', { id: released.id }, { studioId: other.id, reason: 'sold' }, '*'],
      [428, 'post', '/v1/games/{id}/transfer', { id: released.id }, { studioId: studio.id }],
      [412, 'post', '/v1/games/{id}/transfer', { id: released.id }, { studioId: studio.id }, '"1"'],
      [422, 'post', '/v1/games/{id}/transfer', { id: released.id }, { studioId: nobody }, '*'],
      [404, 'post', '/v1/games/{id}/transfer', { id: nobody }, { studioId: studio.id }, '*'],
    )
  })

  it('on platforms of games', async () => {
    const { id } = await newGameIn(api, 'released')
    const windows = { id, platform: 'windows' }
    const path = '/v1/games/{id}/platforms/{platform}'
    await expectStatuses(
      [201, 'put', path, windows, { store: 'steam', storeAppId: unique('app'), releasedOn: '2026-03-05' }],
      [200, 'put', path, windows, {}],
      [412, 'put', path, windows, {}, '"9"'],
      [422, 'put', path, windows, { storeAppId: '1' }],
      [200, 'get', path, windows],
      [200, 'get', '/v1/games/{id}/platforms', { id }],
      [404, 'get', path, { id, platform: 'amiga' }],
    )
    await newEntitlement(api, { gameId: id })
    await newPlatform(api, id, 'web')
    await expectStatuses(
      [409, 'delete', path, windows, undefined, '*'],
      [204, 'delete', path, { id, platform: 'web' }, undefined, '"1"'],
    )
  })

  it('on players and their accounts elsewhere', async () => {
    const player = await newPlayer(api, { email: `${unique('c')}@players.example`, birthDate: '2000-01-01' })
    const { id, username } = player
    const identities = '/v1/players/{id}/identities'
    const body = { provider: 'discord', subject: unique('d') }
    await expectStatuses(
      [200, 'get', '/v1/players', {}],
      [200, 'get', '/v1/studios/{id}/players', { id: (await newActiveStudio(api)).studio.id }],
      [201, 'post', '/v1/players', {}, { username: unique('p').replaceAll('-', '_') }],
      [409, 'post', '/v1/players', {}, { username }],
      [422, 'post', '/v1/players', {}, { username: 'x' }],
      [200, 'get', '/v1/players/{id}', { id }],
      [404, 'get', '/v1/players/{id}', { id: nobody }],
      [200, 'patch', '/v1/players/{id}', { id }, { displayName: 'Zoë' }, '"1"'],
      [412, 'patch', '/v1/players/{id}', { id }, { displayName: 'Zoë' }, '"1"'],
      [200, 'get', '/v1/players/{id}/transitions', { id }],
      [409, 'post', '/v1/players/{id}/transitions', { id }, { to: 'erased' }, '*'],
      [200, 'post', '/v1/players/{id}/transitions', { id }, { to: 'closed' }, '*'],
      [201, 'post', identities, { id }, body],
      [409, 'post', identities, { id }, body],
      [422, 'post', identities, { id }, { provider: 'steam', subject: '1' }],
      [200, 'get', identities, { id }],
    )
    const [identity] = (await api.admin.get(`/v1/players/${id}/identities`)).body.data
    const one = { id, identityId: identity.id }
    await expectStatuses(
      [200, 'get', `${identities}/{identityId}`, one],
      [204, 'delete', `${identities}/{identityId}`, one, undefined, '"1"'],
      [200, 'get', `${identities}/{identityId}`, one],
    )
    await expectStatuses(
      [200, 'post', '/v1/players/lookup', {}, { identifiers: [{ id }, { username }, { username: 'no-body' }] }],
      [422, 'post', '/v1/players/lookup', {}, { identifiers: [] }],
    )
    const lonely = await newPlayer(api)
    const link = await api.admin.post(`/v1/players/${lonely.id}/identities`).send(body)
    const last = { id: lonely.id, identityId: link.body.id }
    await expectStatuses([409, 'delete', `${identities}/{identityId}`, last, undefined, '*'])
  })

  it('on libraries', async () => {
    const early = await newGameIn(api, 'approved')
    await newPlatform(api, early.id)
    const row = await newEntitlement(api, {}, { sourceRef: 'A-1', playtimeSeconds: 3_000_000_000 })
    const path = '/v1/players/{id}/library/{gameId}/{platform}'
    const line = { id: row.playerId, gameId: row.gameId, platform: 'windows' }
    await expectStatuses(
      [200, 'get', '/v1/players/{id}/library', { id: row.playerId }],
      [200, 'get', '/v1/games/{id}/players', { id: row.gameId }],
      [200, 'get', path, line],
      [404, 'get', path, { ...line, platform: 'web' }],
      [200, 'put', path, line, { source: 'gift' }],
      [201, 'put', path, { ...line, gameId: early.id }, { source: 'beta' }],
      [409, 'put', path, { ...line, gameId: early.id }, { source: 'gift' }],
      [422, 'put', path, line, { source: 'gift', expiresAt: '2000-01-01T00:00:00Z' }],
      [200, 'patch', path, line, { sourceRef: null, lastPlayedAt: '2026-01-01T00:00:00Z' }, '*'],
      [428, 'patch', path, line, {}],
      [200, 'post', `${path}/revocation`, line, { reason: 'refund' }, '*'],
      [422, 'post', `${path}/revocation`, line, { reason: '' }, '*'],
      [200, 'get', path, line],
      [
        200,
        'post',
        '/v1/playtime',
        {},
        [{ playerId: row.playerId, gameId: row.gameId, platform: 'windows', playtimeSeconds: 1 }],
      ],
      [200, 'post', '/v1/playtime', {}, [{}]],
      [422, 'post', '/v1/playtime', {}, {}],
      [200, 'get', `/v1/players/{id}/access?gameId=${row.gameId}&platform=windows`, line],
    )
  })

  it('all of them', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { tags }]) => tags.some((tag) => ['games', 'players', 'library'].includes(tag)))
        .map(([method]) => `${method} ${path}`),
    )
    expect(operations.length).toBeGreaterThan(20)
    expect(operations.filter((operation) => !succeeded.has(operation))).toEqual([])
  })
})
