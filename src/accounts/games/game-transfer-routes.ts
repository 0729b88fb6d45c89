import { z } from 'zod'
import { ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import { gameSchema } from './game-schema.ts'
import { transferSchema } from './game-transfer-schema.ts'
import type { GameTransferService } from './game-transfer-service.ts'

export function gameTransferRoutes(transfers: GameTransferService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'transferGame',
        method: 'post',
        path: '/v1/games/{id}/transfer',
        tag: 'games',
        summary: 'Move a game to another studio',
        description:
          'The state of the game stays, and the studio that takes it must be in one that it allows: active from approved ' +
          'on, in review or active from submitted on, any but closed otherwise. A suspended studio neither gives nor takes. ' +
          'missing: active-studio, studio-in-review (the one that takes), unsuspended-studio (the one that gives). The ' +
          'audit trails of both studios tell it, as game.transfer_out and game.transfer_in.',
        access: ['games:write', 'studios:write'],
        params: z.strictObject({ id: idOrSlugParam }),
        ifMatch: 'required',
        body: jsonBody(transferSchema),
        answers: { 200: { description: 'The game', schema: gameSchema, versioned: true } },
        problems: ['conflict', 'transition-blocked'],
        async handle({ params, body, expected, context }) {
          const game = await transfers.transfer(params.id, body, expected, context)
          return ok(present('game', game, context.principal), { version: game.version })
        },
      }),
    ],
  }
}
