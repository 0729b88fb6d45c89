import { gameList } from '../accounts/games/game-list.ts'
import type { GameService } from '../accounts/games/game-service.ts'
import { entitlementList } from '../accounts/library/entitlement-list.ts'
import type { EntitlementService } from '../accounts/library/entitlement-service.ts'
import { ownerList } from '../accounts/owners/owner-list.ts'
import type { OwnerService } from '../accounts/owners/owner-service.ts'
import { playerList } from '../accounts/players/player-list.ts'
import type { PlayerService } from '../accounts/players/player-service.ts'
import { studioList } from '../accounts/studios/studio-list.ts'
import type { StudioService } from '../accounts/studios/studio-service.ts'
import type { Context, Scope } from '../caller.ts'
import type { ListRequest, ListSpec, Page } from '../list.ts'

/** What can be exported by name: what can be imported. */
export const EXPORT_RESOURCES = ['players', 'studios', 'owners', 'games', 'library'] as const
export type ExportResource = (typeof EXPORT_RESOURCES)[number]

/** A list that is exported by name, not by its address. */
export interface ExportList {
  readonly list: ListSpec
  readonly scope: Scope
  readonly page: (request: ListRequest, context: Context) => Promise<Page<unknown>>
}

export type ExportLists = Readonly<Record<ExportResource, ExportList>>

export interface ExportServices {
  readonly players: PlayerService
  readonly studios: StudioService
  readonly owners: OwnerService
  readonly games: GameService
  readonly library: EntitlementService
}

export function exportLists({ players, studios, owners, games, library }: ExportServices): ExportLists {
  return {
    players: { list: playerList, scope: 'players:read', page: (request, context) => players.list(request, context) },
    studios: { list: studioList, scope: 'studios:read', page: (request, context) => studios.list(request, context) },
    owners: { list: ownerList, scope: 'owners:read', page: (request, context) => owners.list(request, context) },
    games: { list: gameList, scope: 'games:read', page: (request, context) => games.list(request, context) },
    library: {
      list: entitlementList,
      scope: 'library:read',
      page: (request, context) => library.listAll(request, context),
    },
  }
}
