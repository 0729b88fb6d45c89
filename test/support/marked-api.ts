import { accountsApi } from '../../src/commands/accounts.ts'
import type { Route } from '../../src/http/route.ts'
import { createTestApi, newActiveStudio, type TestApi } from './api.ts'
import { type Marker, markRows } from './personal.ts'
import { newEntitlement, newGameIn, newPlatform, newPlayer } from './records.ts'

/** A service with one record of each kind, with a marker in every personal column. `api.close()` it. */
export interface MarkedApi {
  readonly api: TestApi
  readonly markers: Marker[]
  readonly routes: readonly Route[]
  /** By collection, as `players`. */
  readonly ids: Readonly<Record<string, string>>
  /** The address of the records that are marked. */
  addressOf(path: string): string
}

export async function markedApi(): Promise<MarkedApi> {
  const api = await createTestApi()
  const { studio, owner } = await newActiveStudio(api)
  const game = await newGameIn(api, 'released', { studioId: studio.id })
  await newPlatform(api, game.id)
  const player = await newPlayer(api)
  const entitlement = await newEntitlement(api, { playerId: player.id, gameId: game.id })
  const link = { provider: 'discord', subject: '4711', providerName: 'x' }
  const identity = (await api.admin.post(`/v1/players/${player.id}/identities`).send(link)).body
  const markers = await markRows(api.databaseUrl, {
    player: player.id,
    player_identity: identity.id,
    player_game: entitlement.id,
    studio_owner: owner.id,
    audit_event: true,
  })
  const ids: Readonly<Record<string, string>> = {
    ...{ studios: studio.id, owners: owner.id, games: game.id, players: player.id },
    ...{ ownerId: owner.id, gameId: game.id, identityId: identity.id, platform: 'windows' },
  }
  const addressOf = (path: string) => {
    const resource = path.split('/')[2] ?? ''
    const filled = path.replace(
      /\{(\w+)\}/g,
      (_, name: string) => (name === 'id' ? ids[resource] : ids[name]) ?? crypto.randomUUID(),
    )
    return path.endsWith('/access') ? `${filled}?gameId=${ids.gameId}&platform=windows` : filled
  }
  const routes = accountsApi(api.database).groups.flatMap((group) => group.routes)
  return { api, markers, routes, ids, addressOf }
}
