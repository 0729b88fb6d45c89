import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import type { Expansions } from '../../http/expansion.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { gameOf } from '../games/game-presenter.ts'
import type { GameService } from '../games/game-service.ts'
import { playerOf } from '../players/player-presenter.ts'
import type { PlayerService } from '../players/player-service.ts'
import { idOrSlugParam, idParam } from '../text/text-schema.ts'
import type { Entitlement } from './entitlement.ts'
import { gamePlayerList, libraryList } from './entitlement-list.ts'
import { entitlementPatchSchema, entitlementSchema, grantSchema, revocationSchema } from './entitlement-schema.ts'
import type { EntitlementRef, EntitlementService } from './entitlement-service.ts'

const params = z.strictObject({ id: idParam, gameId: idOrSlugParam, platform: z.enum(PLATFORMS) })
const tag = 'library'
const path = '/v1/players/{id}/library/{gameId}/{platform}'
const line = { description: 'The line of the library', schema: entitlementSchema } as const
const one = { ...line, versioned: true } as const
const READ = ['library:read'] as const
const WRITE = ['library:write'] as const

/** Where the parts come from that a line of a library can be shown with. */
export interface EntitlementParts {
  readonly games: GameService
  readonly players: PlayerService
}

export function entitlementRoutes(library: EntitlementService, { games, players }: EntitlementParts): RouteGroup {
  const expand = { game: gameOf<Entitlement>(games), player: playerOf<Entitlement>(players) }
  return {
    routes: [...listRoutes(library, expand), ...grantRoutes(library, expand), ...changeRoutes(library)],
    refusals: [
      {
        method: 'delete',
        path,
        advice: 'A line of a library is not deleted: revoke it with POST …/revocation {"reason": "refund"}.',
      },
    ],
  }
}

function listRoutes(library: EntitlementService, expand: Expansions<Entitlement>): Route[] {
  return [
    listRoute({
      operation: 'listLibrary',
      path: '/v1/players/{id}/library',
      tag,
      summary: 'What a player owns and owned',
      access: READ,
      params: z.strictObject({ id: idParam }),
      list: libraryList,
      row: entitlementSchema,
      page: (request, { id }, context) => library.list(id, request, context),
      expand,
    }),
    listRoute({
      operation: 'listGamePlayers',
      path: '/v1/games/{id}/players',
      tag,
      summary: 'Who owns a game and who did: lines of their libraries',
      access: READ,
      params: z.strictObject({ id: idOrSlugParam }),
      list: gamePlayerList,
      row: entitlementSchema,
      page: (request, { id }, context) => library.listOfGame(id, request, context),
      expand,
    }),
  ]
}

function grantRoutes(library: EntitlementService, expand: Expansions<Entitlement>): Route[] {
  return [
    itemRoute({
      operation: 'getEntitlement',
      path,
      tag,
      summary: 'One game of a library',
      access: READ,
      params,
      table: 'player_game',
      row: entitlementSchema,
      answer: 'The line of the library',
      // Play time changes without the version.
      alwaysWhole: true,
      get: (params, context) => library.get(refOf(params), context),
      expand,
    }),
    route({
      operation: 'grantEntitlement',
      method: 'put',
      path,
      tag,
      summary: 'Put a game into a library',
      description:
        'Safe to repeat, and it takes nothing away: a grant for a shorter time than the player has, or for as long from a weaker ' +
        'source, leaves the line as it is. purchase, key, gift and bundle are stronger than subscription, free, promotion and ' +
        'import, and these than beta, press and staff. With If-Match it replaces that version, whatever it says. ' +
        'beta, press and staff are granted from the state approved on, all others from announced on, none ' +
        'after delisted. What was revoked is granted again with an acquiredAt after its own and after the revocation, or ' +
        'without one unless sourceRef is the revoked one: an order that comes late does not undo its refund. Play time only grows.',
      access: WRITE,
      params,
      ifMatch: 'optional',
      createOnly: true,
      body: jsonBody(grantSchema),
      answers: { 200: one, 201: { ...one, headers: { Location: 'Where the line is' } } },
      problems: ['conflict'],
      async handle({ params, body, expected, createOnly, context }) {
        const outcome = await library.grant(refOf(params), body, { expected, createOnly }, context)
        if (!outcome.created) return single(outcome.entitlement, context)
        const { playerId, gameId, platform, version } = outcome.entitlement
        const location = `/v1/players/${playerId}/library/${gameId}/${platform}`
        return created(location, shown(context)(outcome.entitlement), version)
      },
    }),
  ]
}

function changeRoutes(library: EntitlementService): Route[] {
  return [
    route({
      operation: 'updateEntitlement',
      method: 'patch',
      path,
      tag,
      summary: 'Correct a line of a library',
      description: 'Play time only grows, and does not change the version.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(entitlementPatchSchema),
      answers: { 200: one },
      problems: ['conflict'],
      async handle({ params, body, expected, context }) {
        return single(await library.update(refOf(params), body, expected, context), context)
      },
    }),
    route({
      operation: 'revokeEntitlement',
      method: 'post',
      path: `${path}/revocation`,
      tag,
      summary: 'Take a game away, or correct the reason',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: jsonBody(revocationSchema),
      answers: { 200: one },
      async handle({ params, body, expected, context }) {
        return single(await library.revoke(refOf(params), body.reason, expected, context), context)
      },
    }),
  ]
}

function refOf({ id, gameId, platform }: z.output<typeof params>): EntitlementRef {
  return { playerId: id, game: gameId, platform }
}

const shown = (context: Context) => (entitlement: Entitlement) => present('player_game', entitlement, context.principal)

/** Always whole: play time changes without the version. */
function single(entitlement: Entitlement, context: Context) {
  return ok(shown(context)(entitlement), { version: entitlement.version, alwaysWhole: true })
}
