import { z } from 'zod'
import { ok } from '../../http/answer.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import { SMALLEST_CELL } from './studio-stats.ts'
import { studioStatsSchema } from './studio-stats-schema.ts'
import type { StudioStatsService } from './studio-stats-service.ts'

export function studioStatsRoutes(stats: StudioStatsService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'getStudioStats',
        method: 'get',
        path: '/v1/studios/{id}/stats',
        tag: 'studios',
        summary: 'Games, players and play time of a studio, in sums',
        description:
          `Counts of fewer than ${SMALLEST_CELL} people are not told, and neither is a count that would tell of them by ` +
          'subtraction. What is owned now counts: neither revoked nor expired.',
        access: ['studios:read'],
        params: z.strictObject({ id: idOrSlugParam }),
        answers: { 200: { description: 'The sums', schema: studioStatsSchema } },
        cacheControl: 'private, max-age=60',
        async handle({ params, context }) {
          return ok(await stats.stats(params.id, context))
        },
      }),
    ],
  }
}
