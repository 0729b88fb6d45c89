import { z } from 'zod'
import { PLATFORMS } from '../games/game-platform.ts'
import { reference } from '../text/line.ts'
import { instantField, ruled } from '../text/text-schema.ts'
import {
  ENTITLEMENT_SOURCES,
  type EntitlementPatch,
  type Grant,
  REVOKE_REASONS,
  type RevokeReason,
} from './entitlement.ts'

const playtimeSecondsField = z
  .int()
  .min(0)
  .meta({ description: 'The total so far; the greatest one that was ever told is kept', example: 86_400 })
const sourceRefField = ruled(reference(128), {
  minLength: 1,
  maxLength: 128,
  description: 'The key of an order',
  example: 'order-7781',
})

/** Body of the `PUT` of a library line and, with player, game and platform beside it, of an import line. */
export const grantFields = {
  source: z.enum(ENTITLEMENT_SOURCES),
  sourceRef: sourceRefField.nullable().default(null),
  acquiredAt: instantField
    .optional()
    .meta({ description: 'Absent: now, or as it is when the player owns the game already' }),
  expiresAt: instantField.nullable().default(null).meta({ description: 'null: permanent', example: null }),
  playtimeSeconds: playtimeSecondsField.optional(),
  firstPlayedAt: instantField
    .nullable()
    .optional()
    .meta({ description: 'The earliest one that was ever told is kept' }),
  lastPlayedAt: instantField.nullable().optional().meta({ description: 'The latest one that was ever told is kept' }),
}

export const grantSchema: z.ZodType<Grant> = z.strictObject(grantFields).meta({ id: 'Grant' })

/** Merge patch: absent is unchanged, null empties. Play time only grows. */
export const entitlementPatchSchema: z.ZodType<EntitlementPatch> = z
  .strictObject({
    source: z.enum(ENTITLEMENT_SOURCES).optional(),
    sourceRef: sourceRefField.nullable().optional(),
    acquiredAt: instantField.optional(),
    expiresAt: instantField.nullable().optional().meta({ example: null }),
    playtimeSeconds: playtimeSecondsField.optional(),
    firstPlayedAt: instantField.optional(),
    lastPlayedAt: instantField.optional(),
  })
  .meta({ id: 'EntitlementPatch' })

export const revocationSchema: z.ZodType<{ readonly reason: RevokeReason }> = z
  .strictObject({ reason: z.enum(REVOKE_REASONS) })
  .meta({ id: 'Revocation' })

export const entitlementSchema = z
  .object({
    id: z.uuid(),
    playerId: z.uuid(),
    gameId: z.uuid(),
    platform: z.enum(PLATFORMS),
    source: z.enum(ENTITLEMENT_SOURCES),
    sourceRef: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Personal: absent without the scope players:read.personal' }),
    acquiredAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable().meta({ example: null }),
    revokedAt: z.iso.datetime().nullable().meta({ example: null }),
    revokeReason: z.enum(REVOKE_REASONS).nullable().meta({ example: null }),
    playtimeSeconds: z.int(),
    firstPlayedAt: z.iso.datetime().nullable(),
    lastPlayedAt: z.iso.datetime().nullable(),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Entitlement' })
