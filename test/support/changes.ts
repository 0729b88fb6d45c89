import { newActiveStudio, newMember, newOwner, newStudio, type Requests, unique } from './api.ts'
import { newEntitlement, newGame, newPlatform, newPlayer } from './records.ts'

/** A request that changes a record that was made for it, and the version that it is based on. */
export interface Change {
  readonly method: 'post' | 'patch' | 'put' | 'delete'
  readonly path: string
  readonly body?: object
  readonly version: number
}

async function library(api: Requests): Promise<{ path: string; version: number }> {
  const { playerId, gameId, version } = await newEntitlement(api)
  return { path: `/v1/players/${playerId}/library/${gameId}/windows`, version }
}

async function member(api: Requests): Promise<{ path: string; version: number }> {
  const studio = await newStudio(api)
  const owner = await newOwner(api)
  const { version } = await newMember(api, studio.id, owner.id)
  return { path: `/v1/studios/${studio.id}/members/${owner.id}`, version }
}

/** A change of a new record, for each operation that must not overwrite what its caller has not seen. */
export const changes: Readonly<Record<string, (api: Requests) => Promise<Change>>> = {
  async updateStudio(api) {
    const { id, version } = await newStudio(api)
    return { method: 'patch', path: `/v1/studios/${id}`, body: { name: 'Other' }, version }
  },
  async makeStudioTransition(api) {
    const { id, version } = await newStudio(api)
    return { method: 'post', path: `/v1/studios/${id}/transitions`, body: { to: 'in_review' }, version }
  },
  updateStudioMember: async (api) => ({ method: 'patch', body: { role: 'admin' }, ...(await member(api)) }),
  removeStudioMember: async (api) => ({ method: 'delete', ...(await member(api)) }),
  putStudioMember: async (api) => ({
    method: 'put',
    body: { role: 'viewer', status: 'active' },
    ...(await member(api)),
  }),
  async putStudioByRef(api) {
    const { slug, externalRef, version } = await newStudio(api, { externalRef: unique('ref') })
    return { method: 'put', path: `/v1/studios/by-ref/${externalRef}`, body: { slug, name: 'Other' }, version }
  },
  async updateOwner(api) {
    const { id, version } = await newOwner(api)
    return { method: 'patch', path: `/v1/owners/${id}`, body: { fullName: 'Other' }, version }
  },
  async makeOwnerTransition(api) {
    const { id, version } = await newOwner(api)
    return { method: 'post', path: `/v1/owners/${id}/transitions`, body: { to: 'disabled' }, version }
  },
  async updateGame(api) {
    const { id, version } = await newGame(api)
    return { method: 'patch', path: `/v1/games/${id}`, body: { title: 'Other' }, version }
  },
  async makeGameTransition(api) {
    const { id, version } = await newGame(api)
    return { method: 'post', path: `/v1/games/${id}/transitions`, body: { to: 'withdrawn' }, version }
  },
  async transferGame(api) {
    const { id, version } = await newGame(api)
    const { studio } = await newActiveStudio(api)
    return {
      ...{ method: 'post', path: `/v1/games/${id}/transfer`, version },
      body: { studioId: studio.id, reason: 'sold' },
    }
  },
  async putGameByRef(api) {
    const { slug, studioId, externalRef, version } = await newGame(api, { externalRef: unique('ref') })
    return { method: 'put', path: `/v1/games/by-ref/${externalRef}`, body: { studioId, slug, title: 'Other' }, version }
  },
  async putGamePlatform(api) {
    const { gameId, version } = await newPlatform(api, (await newGame(api)).id)
    return { method: 'put', path: `/v1/games/${gameId}/platforms/windows`, body: { releasedOn: '2026-01-01' }, version }
  },
  async deleteGamePlatform(api) {
    const { gameId, version } = await newPlatform(api, (await newGame(api)).id)
    return { method: 'delete', path: `/v1/games/${gameId}/platforms/windows`, version }
  },
  async updatePlayer(api) {
    const { id, version } = await newPlayer(api)
    return { method: 'patch', path: `/v1/players/${id}`, body: { displayName: 'Other' }, version }
  },
  async makePlayerTransition(api) {
    const { id, version } = await newPlayer(api)
    return { method: 'post', path: `/v1/players/${id}/transitions`, body: { to: 'closed' }, version }
  },
  async unlinkPlayerIdentity(api) {
    const player = await newPlayer(api, { email: `${unique('p')}@mail.example` })
    const at = `/v1/players/${player.id}/identities`
    const { body } = await api.admin.post(at).send({ provider: 'epic', subject: unique('subject') })
    return { method: 'delete', path: `${at}/${body.id}`, version: body.version }
  },
  grantEntitlement: async (api) => ({ method: 'put', body: { source: 'gift' }, ...(await library(api)) }),
  updateEntitlement: async (api) => ({ method: 'patch', body: { sourceRef: 'order 7' }, ...(await library(api)) }),
  async revokeEntitlement(api) {
    const { path, version } = await library(api)
    return { method: 'post', path: `${path}/revocation`, body: { reason: 'refund' }, version }
  },
}
