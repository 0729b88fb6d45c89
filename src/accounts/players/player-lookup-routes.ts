import { ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { playerLookupAnswerSchema, playerLookupSchema } from './player-lookup-schema.ts'
import type { PlayerLookupService } from './player-lookup-service.ts'

export function playerLookupRoutes(lookups: PlayerLookupService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'lookUpPlayers',
        method: 'post',
        path: '/v1/players/lookup',
        tag: 'players',
        summary: 'Find players by id, username, e-mail address or account elsewhere',
        description:
          'One answer for each of up to 100 identifiers, in their order; found is false where there is nobody, also for a ' +
          'name or an address that nobody can have. Everything but ids needs players:read.personal. A POST, so that names ' +
          'and addresses stand in no URL and no log; it changes nothing.',
        access: ['players:read'],
        body: jsonBody(playerLookupSchema),
        refusedHeaders: { 'Idempotency-Key': 'A lookup changes nothing: repeat it as it is' },
        answers: { 200: { description: 'What was found', schema: playerLookupAnswerSchema } },
        problems: ['forbidden'],
        cacheControl: 'private, no-store',
        async handle({ body, context }) {
          const players = await lookups.find(body.identifiers, context)
          const data = players.map((player) => ({
            found: player !== undefined,
            player: player === undefined ? null : present('player', player, context.principal),
          }))
          return ok({ data })
        },
      }),
    ],
  }
}
