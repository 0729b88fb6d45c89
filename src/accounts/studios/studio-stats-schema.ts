import { z } from 'zod'
import { GAME_STATUSES, type GameStatus } from '../games/game.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { SMALLEST_CELL } from './studio-stats.ts'

const few = `null: fewer than ${SMALLEST_CELL}, or it would tell of fewer than ${SMALLEST_CELL}`
const statuses = Object.fromEntries(
  GAME_STATUSES.map((status) => [status, z.int().meta({ example: status === 'released' ? 7 : 0 })]),
) as Record<GameStatus, z.ZodInt>

export const studioStatsSchema = z
  .object({
    studioId: z.uuid().meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12' }),
    games: z.object({ total: z.int().meta({ example: 7 }), byStatus: z.object(statuses) }),
    players: z.object({
      total: z
        .int()
        .nullable()
        .meta({ description: `Players who own a game of the studio now; ${few}`, example: 48_211 }),
      played: z
        .int()
        .nullable()
        .meta({ description: `Those of them who have played; ${few}`, example: 40_120 }),
      byPlatform: z.partialRecord(z.enum(PLATFORMS), z.int()).meta({
        description: `Players by platform; who owns on several counts on each. Not there: fewer than ${SMALLEST_CELL}, or it would tell of them`,
        example: { windows: 45_007, switch: 6_012 },
      }),
    }),
    playtimeSeconds: z
      .int()
      .nullable()
      .meta({ description: 'Of these players, in total; null: of fewer than five players', example: 5_184_000_000 }),
  })
  .meta({ id: 'StudioStats' })
