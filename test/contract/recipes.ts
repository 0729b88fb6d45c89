import { newMember, type Requests, unique } from '../support/api.ts'
import type { ContractCall } from './requests.ts'
import {
  newActiveStudio,
  newEntitlement,
  newGame,
  newGameIn,
  newOwner,
  newPlatform,
  newPlayer,
  newSteamId,
  newStudio,
  type World,
} from './world.ts'

/**
 * How each operation that is not a plain read succeeds: calls for every success status that it declares, made anew each time they
 * are asked for, since they use records up. The first one is also what refusals are tried on.
 */
export type Recipe = (world: World, example: Example) => Promise<readonly ContractCall[]>

/** The body of the API document's example with other values for some of its fields. */
export type Example = (fields?: Readonly<Record<string, unknown>>) => Record<string, unknown>

const ANY = { 'If-Match': '*' }
const username = () => unique('player').replaceAll('-', '_')
const email = () => `${unique('olga')}@owners.example`

export const recipes: Readonly<Record<string, Recipe>> = {
  createStudio: async (_, example) => [
    { body: example({ slug: unique('studio'), externalRef: unique('ref') }), status: 201 },
  ],
  updateStudio: async ({ api }, example) => [
    {
      values: { id: (await newStudio(api)).id },
      headers: ANY,
      body: example({ slug: unique('studio'), externalRef: unique('ref') }),
      status: 200,
    },
  ],
  putStudioByRef: async (_, example) => {
    const call = { values: { externalRef: unique('ref') }, body: example({ slug: unique('studio') }) }
    return [
      { ...call, status: 201 },
      { ...call, headers: ANY, status: 200 },
    ]
  },
  makeStudioTransition: async ({ api }) => [
    { values: { id: (await newStudio(api)).id }, headers: ANY, body: { to: 'in_review' }, status: 200 },
  ],
  putStudioMember: async ({ api }, example) => {
    const values = { id: (await newStudio(api)).id, ownerId: (await newOwner(api)).id }
    const body = example({ role: 'owner', status: 'active' })
    return [
      { values, body, status: 201 },
      { values, body, headers: ANY, status: 200 },
    ]
  },
  updateStudioMember: async ({ api }) => {
    const values = { id: (await newStudio(api)).id, ownerId: (await newOwner(api)).id }
    await newMember(api, values.id, values.ownerId)
    return [{ values, headers: ANY, body: { role: 'owner', ownershipPercent: 62.5 }, status: 200 }]
  },
  removeStudioMember: async ({ api }) => {
    const values = { id: (await newStudio(api)).id, ownerId: (await newOwner(api)).id }
    await newMember(api, values.id, values.ownerId)
    return [{ values, headers: ANY, status: 204 }]
  },
  createOwner: async (_, example) => [
    { body: example({ email: email(), authSubject: unique('idp'), externalRef: unique('ref') }), status: 201 },
  ],
  updateOwner: async ({ api }, example) => [
    {
      values: { id: (await newOwner(api)).id },
      headers: ANY,
      body: example({ email: email(), authSubject: unique('idp'), externalRef: unique('ref') }),
      status: 200,
    },
  ],
  makeOwnerTransition: async ({ api }) => [
    { values: { id: (await newOwner(api)).id }, headers: ANY, body: { to: 'disabled' }, status: 200 },
  ],
  createGame: async ({ api }, example) => {
    const studioId = (await newStudio(api)).id
    return [{ body: example({ slug: unique('game'), studioId, externalRef: unique('ref') }), status: 201 }]
  },
  updateGame: async ({ api }, example) => [
    {
      values: { id: (await newGame(api)).id },
      headers: ANY,
      body: example({ slug: unique('game'), externalRef: unique('ref') }),
      status: 200,
    },
  ],
  putGameByRef: async ({ api }, example) => {
    const studioId = (await newStudio(api)).id
    const call = { values: { ref: unique('ref') }, body: example({ slug: unique('game'), studioId }) }
    return [
      { ...call, status: 201 },
      { ...call, headers: ANY, status: 200 },
    ]
  },
  makeGameTransition: async ({ api }) => [
    { values: { id: (await newGame(api)).id }, headers: ANY, body: { to: 'submitted' }, status: 200 },
  ],
  transferGame: async ({ api }, example) => {
    const studioId = (await newActiveStudio(api)).studio.id
    return [{ values: { id: (await newGame(api)).id }, headers: ANY, body: example({ studioId }), status: 200 }]
  },
  putGamePlatform: async ({ api }, example) => {
    const values = { id: (await newGame(api)).id, platform: 'windows' }
    const body = example({ storeAppId: unique('app') })
    return [
      { values, body, status: 201 },
      { values, body, headers: ANY, status: 200 },
    ]
  },
  deleteGamePlatform: async ({ api }) => {
    const { gameId } = await newPlatform(api, (await newGame(api)).id)
    return [{ values: { id: gameId, platform: 'windows' }, headers: ANY, status: 204 }]
  },
  createPlayer: async (_, example) => {
    const identities = [{ provider: 'steam', subject: newSteamId() }]
    return [{ body: example({ username: username(), email: email(), identities }), status: 201 }]
  },
  updatePlayer: async ({ api }, example) => [
    {
      values: { id: (await newPlayer(api)).id },
      headers: ANY,
      body: example({ username: username(), email: email() }),
      status: 200,
    },
  ],
  makePlayerTransition: async ({ api }) => [
    { values: { id: (await newPlayer(api)).id }, headers: ANY, body: { to: 'closed' }, status: 200 },
  ],
  lookUpPlayers: async (_, example) => [{ body: example(), status: 200 }],
  linkPlayerIdentity: async ({ api }, example) => [
    { values: { id: (await newPlayer(api)).id }, body: example({ subject: newSteamId() }), status: 201 },
  ],
  unlinkPlayerIdentity: async ({ api }) => {
    const { id } = await newPlayer(api, { email: email() })
    const identity = { provider: 'steam', subject: newSteamId() }
    const linked = (await api.admin.post(`/v1/players/${id}/identities`).send(identity)).body
    return [{ values: { id, identityId: linked.id }, headers: ANY, status: 204 }]
  },
  decideAccess: async ({ value }) => {
    const query = `gameId=${value('/v1/games/{id}', 'id')}&platform=windows`
    return [{ values: { id: value('/v1/players/{id}', 'id') }, query, status: 200 }]
  },
  reportPlaytime: async ({ value }) => {
    const owned = { playerId: value('/v1/players/{id}', 'id'), gameId: value('/v1/games/{id}', 'id') }
    const report = { ...owned, platform: 'windows', playtimeSeconds: 3600 }
    const body = `${JSON.stringify(report)}\n{"playtimeSeconds":-1}\n`
    return [
      { body: [report], status: 200 },
      { body, type: 'application/x-ndjson', status: 200 },
    ]
  },
  grantEntitlement: async ({ api }, example) => {
    const { gameId } = await newPlatform(api, (await newGameIn(api, 'released')).id)
    const values = { id: (await newPlayer(api)).id, gameId, platform: 'windows' }
    return [
      { values, body: example(), status: 201 },
      { values, body: example(), headers: ANY, status: 200 },
    ]
  },
  updateEntitlement: async ({ api }, example) => {
    const { playerId: id, gameId, platform } = await newEntitlement(api)
    return [{ values: { id, gameId, platform }, headers: ANY, body: example(), status: 200 }]
  },
  revokeEntitlement: async ({ api }, example) => {
    const { playerId: id, gameId, platform } = await newEntitlement(api)
    return [{ values: { id, gameId, platform }, headers: ANY, body: example(), status: 200 }]
  },
  importOwners: async () => imported(`{"fullName":"Olga Owner","email":"${email()}"}\n{"fullName":1}\n`),
  importStudios: async () => imported(`{"slug":"${unique('studio')}","name":"Comet Forge"}\n`),
  importGames: async ({ value }) => {
    const studioId = value('/v1/studios/{id}', 'id')
    return imported(`{"slug":"${unique('game')}","title":"Star Haul","studioId":"${studioId}"}\n`)
  },
  importPlayers: async () => imported(`{"username":"${username()}"}\n{"username":"x"}\n`),
  importLibrary: async ({ value }) => {
    const playerId = value('/v1/players/{id}', 'id')
    const gameId = value('/v1/games/{id}', 'id')
    return imported(`${JSON.stringify({ playerId, gameId, platform: 'windows', source: 'purchase' })}\n`)
  },
  createExport: async (_, example) => [{ body: example(), status: 202 }],
  getJobResultPart: async ({ api, value }) => [
    { values: { id: value('/v1/jobs/{id}/result/parts/{part}', 'id'), part: '1' }, status: 200 },
    { values: { id: await longJob(api), part: '1' }, status: 303 },
  ],
  getJobResult: async ({ api, value }) => [
    { values: { id: value('/v1/jobs/{id}', 'id') }, status: 200 },
    { values: { id: await longJob(api) }, status: 303 },
  ],
  cancelJob: async ({ api }) => [{ values: { id: await longJob(api) }, status: 200 }],
  createApiKey: async (_, example) => [{ body: example(), status: 201 }],
  rotateApiKey: async ({ api }) => [{ values: { id: await newKey(api) }, status: 201 }],
  revokeApiKey: async ({ api }) => [{ values: { id: await newKey(api) }, status: 204 }],
  requestSnapshot: async ({ api }) => {
    await untilNoneRuns(api)
    return [{ status: 202 }]
  },
  verifySnapshot: async ({ snapshotId }) => [{ values: { id: snapshotId }, status: 200 }],
  holdSnapshot: async ({ snapshotId }, example) => [
    { values: { id: snapshotId }, body: example({ expiresAt: inAnHour() }), status: 201 },
  ],
  releaseSnapshot: async ({ api, snapshotId }) => {
    const hold = { holder: 'contract', reason: 'is read', expiresAt: inAnHour() }
    const { id: holdId } = (await api.admin.post(`/v1/lake/snapshots/${snapshotId}/holds`).send(hold)).body
    return [{ values: { id: snapshotId, holdId }, status: 204 }]
  },
  startQuery: async (_, example) => [{ body: example(), status: 202 }],
  cancelQuery: async ({ api }) => {
    const started = await api.admin.post('/v1/lake/queries').send({ sql: 'SELECT 1 AS one' })
    return [{ values: { id: started.body.id }, status: 204 }]
  },
}

/** At once, and as a job. */
function imported(body: string): ContractCall[] {
  return [
    { body, status: 200 },
    { body, headers: { Prefer: 'respond-async' }, status: 202 },
  ]
}

const MANY_LINES = 3000

/** A job that has not ended when the next request comes. */
async function longJob({ admin }: Requests): Promise<string> {
  const body = Array.from({ length: MANY_LINES }, () => `{"username":"${username()}"}\n`).join('')
  const submitted = await admin
    .post('/v1/imports/players')
    .set({ 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async' })
    .send(body)
  return submitted.body.id
}

async function newKey({ admin }: Requests): Promise<string> {
  return (await admin.post('/v1/api-keys').send({ name: 'contract', scopes: ['games:read'] })).body.id
}

/** Of snapshots there is one at a time. */
async function untilNoneRuns({ admin }: Requests): Promise<void> {
  for (;;) {
    const [last] = (await admin.get('/v1/lake/snapshots?limit=1')).body.data
    if (last === undefined || last.endedAt !== null) return
  }
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
