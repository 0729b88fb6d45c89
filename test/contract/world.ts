import supertest from 'supertest'
import { expectStatus, newActiveStudio, newOwner, newStudio, type Requests } from '../support/api.ts'
import { newEntitlement, newGame, newGameIn, newPlatform, newPlayer } from '../support/records.ts'

let identities = 0

/** A steam account that no other test has. */
export function newSteamId(): string {
  identities += 1
  return `7656119${String(process.pid * 10_000 + identities).padStart(10, '0')}`
}

/** Records that reads can be asked for, and builders of those that writes use up. */
export interface World {
  readonly url: string
  readonly api: Requests
  /** A token with exactly these scopes. */
  token(scopes: readonly string[]): Promise<string>
  /** What a path parameter may be for a read, by the path and the name. */
  value(path: string, name: string): string
  readonly snapshotId: string
}

/** A world in a running service. */
export async function createWorld(url: string, adminKey: string): Promise<World> {
  const admin = supertest.agent(url).set('Authorization', `Bearer ${adminKey}`)
  const api = { admin }
  const { studio, owner } = await newActiveStudio(api)
  const game = await newGameIn(api, 'released', { studioId: studio.id })
  await newPlatform(api, game.id)
  const player = await newPlayer(api, { identities: [{ provider: 'steam', subject: newSteamId() }] })
  await newEntitlement(api, { playerId: player.id, gameId: game.id })
  const identity = (await admin.get(`/v1/players/${player.id}/identities`)).body.data[0]
  const snapshot = (await admin.get('/v1/lake/snapshots?state=published&limit=1')).body.data[0]
  const query = await finishedQuery(api)
  const job = await finishedImport(api)
  const exported = await finishedExport(api)
  const key = (await admin.get('/v1/api-keys?limit=1')).body.data[0]
  const values: Readonly<Record<string, string>> = {
    studios: studio.id,
    owners: owner.id,
    games: game.id,
    players: player.id,
    snapshots: snapshot.id,
    queries: query,
    jobs: job,
    'api-keys': key.id,
    ownerId: owner.id,
    gameId: game.id,
    platform: 'windows',
    identityId: identity.id,
    name: 'players',
    slug: 'validation',
  }
  const tokens = new Map<string, Promise<string>>()
  return {
    url,
    api,
    snapshotId: snapshot.id,
    token(scopes) {
      const key = scopes.join(' ')
      const known = tokens.get(key) ?? newToken(api, scopes)
      tokens.set(key, known)
      return known
    },
    value(path, name) {
      if (path.includes('/parts/') && name === 'id') return exported
      const collection = path.split('/').at(path.split('/').indexOf(`{${name}}`) - 1) ?? ''
      const value = values[name] ?? values[collection]
      if (value === undefined) throw new Error(`The world has nothing for {${name}} of ${path}`)
      return value
    },
  }
}

async function newToken({ admin }: Requests, scopes: readonly string[]): Promise<string> {
  const answer = await admin.post('/v1/api-keys').send({ name: 'contract', scopes })
  expectStatus(answer, 201)
  return answer.body.token
}

/** The id of a run whose results can be read. */
async function finishedQuery({ admin }: Requests): Promise<string> {
  const started = await admin.post('/v1/lake/queries').send({ sql: 'SELECT count(*) AS players FROM players_latest' })
  expectStatus(started, 202)
  for (;;) {
    const run = (await admin.get(`/v1/lake/queries/${started.body.id}`)).body
    if (run.state === 'succeeded') return run.id
    if (run.state !== 'queued' && run.state !== 'running') throw new Error(`The query is ${run.state}`)
  }
}

/** The id of an import that has ended, with a line that went wrong. */
async function finishedImport({ admin }: Requests): Promise<string> {
  const submitted = await admin
    .post('/v1/imports/players')
    .set({ 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async' })
    .send('{"username":"x"}\n')
  expectStatus(submitted, 202)
  return ended(admin, submitted.body.id)
}

/** The id of an export with a part. */
async function finishedExport({ admin }: Requests): Promise<string> {
  const submitted = await admin.post('/v1/exports').send({ resource: 'studios' })
  expectStatus(submitted, 202)
  return ended(admin, submitted.body.id)
}

async function ended(admin: Requests['admin'], id: string): Promise<string> {
  for (;;) {
    const job = (await admin.get(`/v1/jobs/${id}`)).body
    if (job.state === 'failed') throw new Error(JSON.stringify(job.problem))
    if (job.finishedAt !== null) return id
  }
}

export { newActiveStudio, newEntitlement, newGame, newGameIn, newOwner, newPlatform, newPlayer, newStudio }
