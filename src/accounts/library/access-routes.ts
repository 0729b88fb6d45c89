import { z } from 'zod'
import { ok } from '../../http/answer.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { idParam } from '../text/text-schema.ts'
import { accessQuery, accessSchema } from './access-schema.ts'
import type { AccessService } from './access-service.ts'

export function accessRoutes(access: AccessService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'decideAccess',
        method: 'get',
        path: '/v1/players/{id}/access',
        tag: 'library',
        summary: 'May this player play this game here, now?',
        description:
          'One decision for a game back end, with every reason against it: not-owned, expired, revoked; below-min-age by the ' +
          'day in UTC; game-not-available, unless the game is in early access, released or delisted, or approved or announced ' +
          'and owned by beta, press or staff; player-closed. Without a birth date ageGate is unknown and does not refuse: a ' +
          'game that must have proof of an age asks for it then. The birth date itself is never told.',
        access: ['library:read'],
        params: z.strictObject({ id: idParam }),
        query: accessQuery,
        answers: { 200: { description: 'The decision', schema: accessSchema } },
        cacheControl: 'private, max-age=30',
        async handle({ params, query, context }) {
          return ok(await access.decide(params.id, query.gameId, query.platform, context))
        },
      }),
    ],
  }
}
