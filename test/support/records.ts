import { expectStatus, newActiveStudio, type Requests, takeSteps, unique } from './api.ts'

/** Builders of games, players and what they own; each creates the parents that it is not given. */

type Fields = Readonly<Record<string, unknown>>

/** A draft that lacks nothing for its release, of an active studio unless `studioId` is among the fields. */
export async function newGame(api: Requests, fields: Fields = {}) {
  const studioId = fields.studioId ?? (await newActiveStudio(api)).studio.id
  const complete = { title: 'Star Haul', genres: ['action'], minAge: 12, releaseDate: '2026-03-05' }
  const answer = await api.admin.post('/v1/games').send({ slug: unique('game'), studioId, ...complete, ...fields })
  expectStatus(answer, 201)
  return answer.body
}

const WAY = ['submitted', 'in_review', 'approved', 'announced', 'released', 'delisted', 'retired'] as const

/** A game that went the usual way up to a state. */
export async function newGameIn(api: Requests, status: (typeof WAY)[number], fields: Fields = {}) {
  const game = await newGame(api, fields)
  return takeSteps(api, `/v1/games/${game.id}`, ...WAY.slice(0, WAY.indexOf(status) + 1))
}

export async function newPlatform(api: Requests, gameId: string, platform = 'windows', fields: Fields = {}) {
  const answer = await api.admin.put(`/v1/games/${gameId}/platforms/${platform}`).send(fields)
  expectStatus(answer, 201)
  return answer.body
}

export async function newPlayer(api: Requests, fields: Fields = {}) {
  const answer = await api.admin
    .post('/v1/players')
    .send({ username: unique('player').replaceAll('-', '_'), ...fields })
  expectStatus(answer, 201)
  return answer.body
}

interface Ownership {
  readonly playerId?: string
  /** A game that is on windows. */
  readonly gameId?: string
}

/** A player who owns a released game on windows, unless told otherwise; answers with the line of the library. */
export async function newEntitlement(api: Requests, owner: Ownership = {}, grant: Fields = {}) {
  const playerId = owner.playerId ?? (await newPlayer(api)).id
  const gameId = owner.gameId ?? (await newPlatform(api, (await newGameIn(api, 'released')).id)).gameId
  const path = `/v1/players/${playerId}/library/${gameId}/windows`
  const answer = await api.admin.put(path).send({ source: 'purchase', ...grant })
  expectStatus(answer, 201)
  return answer.body
}
