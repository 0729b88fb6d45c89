import { z } from 'zod'
import { plainQuery } from '../../http/query.ts'
import { GAME_STATUSES } from '../games/game.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import { ACCESS_REASONS, AGE_GATES } from './access.ts'

export const accessQuery = plainQuery(z.strictObject({ gameId: idOrSlugParam, platform: z.enum(PLATFORMS) }), [
  {
    name: 'gameId',
    description: 'An id, or slug: and the slug',
    required: true,
    schema: { type: 'string', examples: ['slug:star-haul'] },
  },
  {
    name: 'platform',
    description: 'Where the game is to be played',
    required: true,
    schema: { type: 'string', enum: PLATFORMS, examples: ['windows'] },
  },
])

export const accessSchema = z
  .object({
    allowed: z.boolean().meta({ description: 'False exactly when there is a reason', example: false }),
    reasons: z
      .array(z.enum(ACCESS_REASONS))
      .meta({ description: 'All that stand against it', example: ['below-min-age'] }),
    owns: z.boolean().meta({ description: 'In the library, neither revoked nor expired', example: true }),
    permanent: z.boolean().meta({ description: 'Owned without an end', example: true }),
    expiresAt: z.iso.datetime().nullable().meta({ description: 'When it ends or ended', example: null }),
    ageGate: z.enum(AGE_GATES).meta({
      description: 'unknown: the game has an age limit, and no birth date is known; this alone does not refuse',
      example: 'failed',
    }),
    gameStatus: z.enum(GAME_STATUSES).meta({ example: 'released' }),
  })
  .meta({ id: 'Access' })
