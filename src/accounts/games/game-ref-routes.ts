import { z } from 'zod'
import { created, ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { gameRefParam, gameReplacementSchema } from './game-ref-schema.ts'
import type { GameRefService } from './game-ref-service.ts'
import { gameSchema } from './game-schema.ts'

const one = { description: 'The game', schema: gameSchema, versioned: true } as const

/** Put this group before that of the games: a reference may be `platforms`, which is also a part of a game's address. */
export function gameRefRoutes(games: GameRefService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'putGameByRef',
        method: 'put',
        path: '/v1/games/by-ref/{ref}',
        tag: 'games',
        summary: 'Create or replace the game that your own system calls by this reference',
        description:
          'Fields that are absent are emptied; the state stays. Safe to repeat: the same body again changes nothing, the ' +
          'version neither. If-None-Match: * only creates, If-Match only replaces the version that it names. Percent-encode ' +
          'the reference. A new game is a draft; one that is there keeps its studio (another one: POST …/transfer).',
        access: ['games:write'],
        params: z.strictObject({ ref: gameRefParam }),
        ifMatch: 'optional',
        createOnly: true,
        body: jsonBody(gameReplacementSchema),
        answers: { 200: one, 201: { ...one, headers: { Location: 'Where the game is' } } },
        problems: ['slug-taken', 'conflict'],
        async handle({ params, body, expected, createOnly, context }) {
          const outcome = await games.put(params.ref, body, { expected, createOnly }, context)
          const { id, version } = outcome.game
          const shown = present('game', outcome.game, context.principal)
          return outcome.created ? created(`/v1/games/${id}`, shown, version) : ok(shown, { version })
        },
      }),
    ],
  }
}
