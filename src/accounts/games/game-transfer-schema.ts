import { z } from 'zod'
import { reasonField } from '../lifecycle/lifecycle-schema.ts'
import type { Transfer } from './game-transfer-service.ts'

/** Body of a transfer. */
export const transferSchema: z.ZodType<Transfer> = z
  .strictObject({
    studioId: z
      .uuid()
      .meta({ description: 'The studio that takes the game', example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12' })
      .transform((id) => id.toLowerCase()),
    reason: reasonField,
  })
  .meta({ id: 'GameTransfer' })
