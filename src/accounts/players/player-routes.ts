import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import type { Expansions } from '../../http/expansion.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idOrSlugParam, idParam } from '../text/text-schema.ts'
import type { IdentityService } from './identity-service.ts'
import type { Player } from './player.ts'
import { playerList } from './player-list.ts'
import { identitiesOf } from './player-presenter.ts'
import {
  createPlayerSchema,
  playerPatchSchema,
  playerSchema,
  playerTransitionBody,
  playerTransitionsSchema,
} from './player-schema.ts'
import type { PlayerService } from './player-service.ts'

const params = z.strictObject({ id: idParam })
const tag = 'players'
const one = { description: 'The player', schema: playerSchema, versioned: true } as const
const READ = ['players:read'] as const
const WRITE = ['players:write'] as const

export function playerRoutes(players: PlayerService, identities: IdentityService): RouteGroup {
  const expand = { identities: identitiesOf<Player>(identities) }
  return {
    routes: [...collectionRoutes(players, expand), ...itemRoutes(players, expand), ...transitionRoutes(players)],
    refusals: [
      {
        method: 'delete',
        path: '/v1/players/{id}',
        advice: 'A player is not deleted: close the account with POST /v1/players/{id}/transitions {"to": "closed"}.',
      },
    ],
  }
}

function collectionRoutes(players: PlayerService, expand: Expansions<Player>): Route[] {
  return [
    listRoute({
      operation: 'listPlayers',
      path: '/v1/players',
      tag,
      summary: 'Players, page by page',
      description: 'country, hasEmail and q ask about personal fields: they need players:read.personal.',
      access: READ,
      list: playerList,
      row: playerSchema,
      page: (request, _params, context) => players.list(request, context),
      expand,
    }),
    listRoute({
      operation: 'listStudioPlayers',
      path: '/v1/studios/{id}/players',
      tag,
      summary: 'The players who own a game of a studio',
      access: READ,
      params: z.strictObject({ id: idOrSlugParam }),
      list: playerList,
      row: playerSchema,
      page: (request, { id }, context) => players.listOfStudio(id, request, context),
      expand,
    }),
    route({
      operation: 'createPlayer',
      method: 'post',
      path: '/v1/players',
      tag,
      summary: 'Add a player, with accounts elsewhere',
      description: 'All of it or nothing. The identities are read at /v1/players/{id}/identities.',
      access: WRITE,
      body: jsonBody(createPlayerSchema),
      answers: { 201: { ...one, headers: { Location: 'Where the player is' } } },
      problems: ['username-taken', 'email-taken', 'identity-taken'],
      async handle({ body, context }) {
        const player = await players.create(body.draft, body.identities, context)
        return created(`/v1/players/${player.id}`, shown(context)(player), player.version)
      },
    }),
  ]
}

function itemRoutes(players: PlayerService, expand: Expansions<Player>): Route[] {
  return [
    itemRoute({
      operation: 'getPlayer',
      path: '/v1/players/{id}',
      tag,
      summary: 'One player',
      access: READ,
      params,
      table: 'player',
      row: playerSchema,
      answer: 'The player',
      get: ({ id }, context) => players.get(id, context),
      expand,
    }),
    route({
      operation: 'updatePlayer',
      method: 'patch',
      path: '/v1/players/{id}',
      tag,
      summary: 'Change fields of a player',
      description:
        'A new address counts as not verified, unless emailVerifiedAt comes with it. The address stays while no account ' +
        'elsewhere is linked: nothing else would lead to the player.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(playerPatchSchema),
      answers: { 200: one },
      problems: ['username-taken', 'email-taken', 'last-identity', 'conflict'],
      async handle({ params, body, expected, context }) {
        return single(await players.update(params.id, body, expected, context), context)
      },
    }),
  ]
}

function transitionRoutes(players: PlayerService): Route[] {
  return [
    route({
      operation: 'listPlayerTransitions',
      method: 'get',
      path: '/v1/players/{id}/transitions',
      tag,
      summary: 'The steps that are possible now',
      access: READ,
      params,
      answers: { 200: { description: 'The steps', schema: playerTransitionsSchema } },
      async handle({ params, context }) {
        return ok(await players.transitions(params.id, context))
      },
    }),
    route({
      operation: 'makePlayerTransition',
      method: 'post',
      path: '/v1/players/{id}/transitions',
      tag,
      summary: 'Close an account, or open it again',
      description: 'A closed account keeps its username, address and library.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: jsonBody(playerTransitionBody),
      answers: { 200: one },
      problems: ['invalid-transition'],
      async handle({ params, body, expected, context }) {
        return single(await players.transition(params.id, body, expected, context), context)
      },
    }),
  ]
}

const shown = (context: Context) => (player: Player) => present('player', player, context.principal)

function single(player: Player, context: Context) {
  return ok(shown(context)(player), { version: player.version })
}
