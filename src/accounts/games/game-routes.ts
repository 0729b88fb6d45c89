import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import type { Expansions } from '../../http/expansion.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { studioOf } from '../studios/studio-presenter.ts'
import type { StudioService } from '../studios/studio-service.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import type { Game } from './game.ts'
import { gameList } from './game-list.ts'
import type { GamePlatformService } from './game-platform-service.ts'
import { platformsOf } from './game-presenter.ts'
import { gamePatchSchema, gameSchema, gameTransitionBody, gameTransitionsSchema, newGameSchema } from './game-schema.ts'
import type { GameService } from './game-service.ts'

const params = z.strictObject({ id: idOrSlugParam })
const tag = 'games'
const one = { description: 'The game', schema: gameSchema, versioned: true } as const
const READ = ['games:read'] as const
const WRITE = ['games:write'] as const
const STEP = ['games:transition'] as const

/** Where the parts come from that a game can be shown with. */
export interface GameParts {
  readonly studios: StudioService
  readonly platforms: GamePlatformService
}

export function gameRoutes(games: GameService, { studios, platforms }: GameParts): RouteGroup {
  const expand = { studio: studioOf<Game>(studios), platforms: platformsOf<Game>(platforms) }
  return {
    routes: [...collectionRoutes(games, expand), ...itemRoutes(games, expand), ...transitionRoutes(games)],
    refusals: [
      {
        method: 'delete',
        path: '/v1/games/{id}',
        advice: 'A game is not deleted: withdraw, cancel or retire it with POST /v1/games/{id}/transitions.',
      },
    ],
  }
}

function collectionRoutes(games: GameService, expand: Expansions<Game>): Route[] {
  return [
    listRoute({
      operation: 'listGames',
      path: '/v1/games',
      tag,
      summary: 'Games, page by page',
      access: READ,
      list: gameList,
      row: gameSchema,
      page: (request, _params, context) => games.list(request, context),
      expand,
    }),
    listRoute({
      operation: 'listStudioGames',
      path: '/v1/studios/{id}/games',
      tag,
      summary: 'The games of a studio',
      access: READ,
      params,
      list: gameList,
      row: gameSchema,
      page: (request, { id }, context) => games.listOfStudio(id, request, context),
      expand,
    }),
    route({
      operation: 'createGame',
      method: 'post',
      path: '/v1/games',
      tag,
      summary: 'Add a game to a studio, as a draft',
      access: WRITE,
      body: jsonBody(newGameSchema),
      answers: { 201: { ...one, headers: { Location: 'Where the game is' } } },
      problems: ['slug-taken', 'conflict'],
      async handle({ body, context }) {
        const game = await games.create(body, context)
        return created(`/v1/games/${game.id}`, shown(context)(game), game.version)
      },
    }),
  ]
}

function itemRoutes(games: GameService, expand: Expansions<Game>): Route[] {
  return [
    itemRoute({
      operation: 'getGame',
      path: '/v1/games/{id}',
      tag,
      summary: 'One game',
      access: READ,
      params,
      table: 'game',
      row: gameSchema,
      answer: 'The game',
      get: ({ id }, context) => games.get(id, context),
      expand,
    }),
    route({
      operation: 'updateGame',
      method: 'patch',
      path: '/v1/games/{id}',
      tag,
      summary: 'Change fields of a game',
      description:
        'A releaseDate alone keeps the precision, or is exact to the day when there was none; a coarser releasePrecision ' +
        'alone widens the stored date; tba, or the date null, takes it away. A game that the public can see keeps its exact ' +
        'date, minAge and a genre.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(gamePatchSchema),
      answers: { 200: one },
      problems: ['slug-taken', 'conflict'],
      async handle({ params, body, expected, context }) {
        return single(await games.update(params.id, body, expected, context), context)
      },
    }),
  ]
}

function transitionRoutes(games: GameService): Route[] {
  return [
    route({
      operation: 'listGameTransitions',
      method: 'get',
      path: '/v1/games/{id}/transitions',
      tag,
      summary: 'The steps that are possible now, and what each still needs',
      description:
        'missing: min-age, exact-release-date, genre, active-studio, studio-in-review. A suspended studio freezes every step.',
      access: READ,
      params,
      answers: { 200: { description: 'The steps', schema: gameTransitionsSchema } },
      async handle({ params, context }) {
        return ok(await games.transitions(params.id, context))
      },
    }),
    route({
      operation: 'makeGameTransition',
      method: 'post',
      path: '/v1/games/{id}/transitions',
      tag,
      summary: 'Make a step',
      access: STEP,
      params,
      ifMatch: 'required',
      body: jsonBody(gameTransitionBody),
      answers: { 200: one },
      problems: ['invalid-transition', 'transition-blocked'],
      async handle({ params, body, expected, context }) {
        return single(await games.transition(params.id, body, expected, context), context)
      },
    }),
  ]
}

const shown = (context: Context) => (game: Game) => present('game', game, context.principal)

function single(game: Game, context: Context) {
  return ok(shown(context)(game), { version: game.version })
}
