import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newMember, newOwner, newStudio, type TestApi } from '../support/api.ts'
import { newEntitlement, newGame, newPlatform, newPlayer } from '../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api.close())

interface Change {
  readonly method: 'post' | 'patch' | 'put' | 'delete'
  readonly path: string
  readonly body?: object
  readonly version: number
}

async function library(): Promise<{ path: string; version: number }> {
  const { playerId, gameId, version } = await newEntitlement(api)
  return { path: `/v1/players/${playerId}/library/${gameId}/windows`, version }
}

async function member(): Promise<{ path: string; version: number }> {
  const studio = await newStudio(api)
  const owner = await newOwner(api)
  const { version } = await newMember(api, studio.id, owner.id)
  return { path: `/v1/studios/${studio.id}/members/${owner.id}`, version }
}

/** A change of a new record, for each operation that must not overwrite what its caller has not seen. */
const changes: Readonly<Record<string, () => Promise<Change>>> = {
  async updateStudio() {
    const { id, version } = await newStudio(api)
    return { method: 'patch', path: `/v1/studios/${id}`, body: { name: 'Other' }, version }
  },
  async makeStudioTransition() {
    const { id, version } = await newStudio(api)
    return { method: 'post', path: `/v1/studios/${id}/transitions`, body: { to: 'in_review' }, version }
  },
  updateStudioMember: async () => ({ method: 'patch', body: { role: 'admin' }, ...(await member()) }),
  removeStudioMember: async () => ({ method: 'delete', ...(await member()) }),
  putStudioMember: async () => ({ method: 'put', body: { role: 'viewer', status: 'active' }, ...(await member()) }),
  async putStudioByRef() {
    const { slug, externalRef, version } = await newStudio(api, { externalRef: `ref-${Math.random()}` })
    return { method: 'put', path: `/v1/studios/by-ref/${externalRef}`, body: { slug, name: 'Other' }, version }
  },
  async updateOwner() {
    const { id, version } = await newOwner(api)
    return { method: 'patch', path: `/v1/owners/${id}`, body: { fullName: 'Other' }, version }
  },
  async makeOwnerTransition() {
    const { id, version } = await newOwner(api)
    return { method: 'post', path: `/v1/owners/${id}/transitions`, body: { to: 'disabled' }, version }
  },
  async updateGame() {
    const { id, version } = await newGame(api)
    return { method: 'patch', path: `/v1/games/${id}`, body: { title: 'Other' }, version }
  },
  async makeGameTransition() {
    const { id, version } = await newGame(api)
    return { method: 'post', path: `/v1/games/${id}/transitions`, body: { to: 'withdrawn' }, version }
  },
  async transferGame() {
    const { id, version } = await newGame(api)
    const { studio } = await newActiveStudio(api)
    return {
      ...{ method: 'post', path: `/v1/games/${id}/transfer`, version },
      body: { studioId: studio.id, reason: 'sold' },
    }
  },
  async putGameByRef() {
    const { slug, studioId, externalRef, version } = await newGame(api, { externalRef: `ref-${Math.random()}` })
    return { method: 'put', path: `/v1/games/by-ref/${externalRef}`, body: { studioId, slug, title: 'Other' }, version }
  },
  async putGamePlatform() {
    const { gameId, version } = await newPlatform(api, (await newGame(api)).id)
    return { method: 'put', path: `/v1/games/${gameId}/platforms/windows`, body: { releasedOn: '2026-01-01' }, version }
  },
  async deleteGamePlatform() {
    const { gameId, version } = await newPlatform(api, (await newGame(api)).id)
    return { method: 'delete', path: `/v1/games/${gameId}/platforms/windows`, version }
  },
  async updatePlayer() {
    const { id, version } = await newPlayer(api)
    return { method: 'patch', path: `/v1/players/${id}`, body: { displayName: 'Other' }, version }
  },
  async makePlayerTransition() {
    const { id, version } = await newPlayer(api)
    return { method: 'post', path: `/v1/players/${id}/transitions`, body: { to: 'closed' }, version }
  },
  async unlinkPlayerIdentity() {
    const player = await newPlayer(api, { email: `p${Math.random()}@mail.example` })
    const at = `/v1/players/${player.id}/identities`
    const { body } = await api.admin.post(at).send({ provider: 'epic', subject: `subject-${Math.random()}` })
    return { method: 'delete', path: `${at}/${body.id}`, version: body.version }
  },
  grantEntitlement: async () => ({ method: 'put', body: { source: 'gift' }, ...(await library()) }),
  updateEntitlement: async () => ({ method: 'patch', body: { sourceRef: 'order 7' }, ...(await library()) }),
  async revokeEntitlement() {
    const { path, version } = await library()
    return { method: 'post', path: `${path}/revocation`, body: { reason: 'refund' }, version }
  },
}

function send({ method, path, body }: Change, ifMatch?: string) {
  const request = api.admin[method](path)
  if (ifMatch !== undefined) request.set('If-Match', ifMatch)
  return body === undefined ? request : request.send(body)
}

const operations = Object.keys(changes)
/** They replace the whole record under its caller's own key, and are idempotent by nature: If-Match is theirs to send or not. */
const REPLACING = ['putStudioByRef', 'putGameByRef', 'putGamePlatform', 'grantEntitlement']
const changeOf = (operation: string) => (changes[operation] as () => Promise<Change>)()

describe('If-Match', () => {
  it('is tried here for every operation that takes it', () => {
    const paths = api.app.document.paths as Record<
      string,
      Record<string, { operationId: string; parameters?: unknown[] }>
    >
    const taking = Object.values(paths)
      .flatMap((item) => Object.values(item))
      .filter(({ parameters }) => JSON.stringify(parameters ?? []).includes('IfMatch'))
    expect(taking.map(({ operationId }) => operationId).sort()).toEqual([...operations].sort())
  })

  it.each(REPLACING)('missing: the whole record is replaced by %s', async (operation) => {
    expect((await send(await changeOf(operation))).status).toBe(200)
  })

  it.each(operations.filter((operation) => !REPLACING.includes(operation)))(
    'missing: 428 from %s, and nothing changes',
    async (operation) => {
      const change = await changeOf(operation)
      const refused = await send(change)
      expect(refused.body).toMatchObject({ status: 428, code: 'precondition-required' })
      expect((await send(change, `"${change.version}"`)).status).toBeLessThan(300)
    },
  )

  it.each(operations)('of another version: 412 from %s, with the present ETag', async (operation) => {
    const change = await changeOf(operation)
    for (const stale of [`"${change.version + 1}"`, `W/"${change.version + 1}"`, '"0"', '"not-ours"']) {
      const refused = await send(change, stale)
      expect(refused.body).toMatchObject({ status: 412, code: 'version-mismatch' })
      expect(refused.headers.etag).toBe(`"${change.version}"`)
    }
  })

  it.each(operations)('that cannot be read: 400 from %s', async (operation) => {
    const change = await changeOf(operation)
    for (const header of [String(change.version), `w/"${change.version}"`, `"${change.version}`, '']) {
      expect((await send(change, header)).body).toMatchObject({ status: 400, code: 'malformed-header' })
    }
  })

  it.each(operations)('weakened by a proxy, or one of a list, is as good for %s', async (operation) => {
    const weak = await changeOf(operation)
    expect((await send(weak, `W/"${weak.version}"`)).status).toBeLessThan(300)
    const listed = await changeOf(operation)
    expect((await send(listed, `"77777", "${listed.version}"`)).status).toBeLessThan(300)
  })

  it.each(operations)('of * overwrites by %s, and the trail says so', async (operation) => {
    expect((await send(await changeOf(operation), '*')).status).toBeLessThan(300)
    const [event] = await api.database.prisma.auditEvent.findMany({ orderBy: { seq: 'desc' }, take: 1 })
    expect(event?.changes).toMatchObject({ $ifMatch: '*' })
  })
})
