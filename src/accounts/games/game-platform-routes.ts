import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, noContent, ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import type { GamePlatform } from './game-platform.ts'
import { gamePlatformBody, gamePlatformSchema, gamePlatformsSchema, platformField } from './game-platform-schema.ts'
import type { GamePlatformService } from './game-platform-service.ts'

const params = z.strictObject({ id: idOrSlugParam, platform: platformField })
const tag = 'games'
const path = '/v1/games/{id}/platforms/{platform}'
const one = { description: 'The platform', schema: gamePlatformSchema, versioned: true } as const
const READ = ['games:read'] as const
const WRITE = ['games:write'] as const

export function gamePlatformRoutes(platforms: GamePlatformService): RouteGroup {
  return { routes: [...readRoutes(platforms), ...writeRoutes(platforms)] }
}

function readRoutes(platforms: GamePlatformService): Route[] {
  return [
    route({
      operation: 'listGamePlatforms',
      method: 'get',
      path: '/v1/games/{id}/platforms',
      tag,
      summary: 'Where a game ships',
      access: READ,
      params: z.strictObject({ id: idOrSlugParam }),
      answers: { 200: { description: 'Every platform of the game', schema: gamePlatformsSchema } },
      async handle({ params, context }) {
        return ok({ data: (await platforms.list(params.id, context)).map(shown(context)) })
      },
    }),
    route({
      operation: 'getGamePlatform',
      method: 'get',
      path,
      tag,
      summary: 'One platform of a game',
      access: READ,
      params,
      answers: { 200: one },
      async handle({ params, context }) {
        return single(await platforms.get(params.id, params.platform, context), context)
      },
    }),
  ]
}

function writeRoutes(platforms: GamePlatformService): Route[] {
  return [
    route({
      operation: 'putGamePlatform',
      method: 'put',
      path,
      tag,
      summary: 'Add a platform to a game, or replace the facts of one',
      access: WRITE,
      params,
      ifMatch: 'optional',
      createOnly: true,
      body: jsonBody(gamePlatformBody),
      answers: { 200: one, 201: { ...one, headers: { Location: 'Where the platform is' } } },
      problems: ['conflict'],
      async handle({ params, body, expected, createOnly, context }) {
        const conditions = { expected, createOnly }
        const outcome = await platforms.put(params.id, params.platform, body, conditions, context)
        if (!outcome.created) return single(outcome.gamePlatform, context)
        const { gameId, platform, version } = outcome.gamePlatform
        return created(`/v1/games/${gameId}/platforms/${platform}`, shown(context)(outcome.gamePlatform), version)
      },
    }),
    route({
      operation: 'deleteGamePlatform',
      method: 'delete',
      path,
      tag,
      summary: 'Take a platform from a game that nobody owns on it',
      access: WRITE,
      params,
      ifMatch: 'required',
      answers: { 204: { description: 'The game is not on this platform any more' } },
      problems: ['in-use'],
      async handle({ params, expected, context }) {
        await platforms.remove(params.id, params.platform, expected, context)
        return noContent()
      },
    }),
  ]
}

const shown = (context: Context) => (platform: GamePlatform) => present('game_platform', platform, context.principal)

function single(platform: GamePlatform, context: Context) {
  return ok(shown(context)(platform), { version: platform.version })
}
