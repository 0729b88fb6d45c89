import { z } from 'zod'
import { reference } from '../text/line.ts'
import { dayField, ruled } from '../text/text-schema.ts'
import { contradictions, type GamePlatformFacts, PLATFORMS } from './game-platform.ts'

const STORE_PATTERN = '^[a-z0-9_]{0,32}$'

export const platformField = z.enum(PLATFORMS)

/** Body of the `PUT` of a platform; an import line has `platform` beside it. Put `withoutContradictions` after it. */
export const gamePlatformFields = {
  store: z
    .string()
    .regex(new RegExp(STORE_PATTERN), 'a-z, 0-9 and _, at most 32 characters')
    .default('')
    .meta({ description: 'Short name of the store; empty: none', example: 'steam' }),
  storeAppId: ruled(reference(128), {
    minLength: 1,
    maxLength: 128,
    description: "The store's own key",
    example: '440',
  })
    .nullable()
    .default(null),
  releasedOn: dayField.nullable().default(null),
  delistedOn: dayField.nullable().default(null).meta({ example: null }),
}

/** A check for schemas that spread `gamePlatformFields`. */
export function withoutContradictions(facts: GamePlatformFacts, context: z.RefinementCtx): void {
  for (const { pointer, code, detail } of contradictions(facts)) {
    context.addIssue({ code: 'custom', path: [pointer?.slice(1) ?? ''], message: detail ?? '', params: { code } })
  }
}

export const gamePlatformBody: z.ZodType<GamePlatformFacts> = z
  .strictObject(gamePlatformFields)
  .meta({ id: 'GamePlatformFacts' })
  .superRefine(withoutContradictions)

export const gamePlatformSchema = z
  .object({
    gameId: z.uuid(),
    platform: platformField,
    store: z.string(),
    storeAppId: z.string().nullable(),
    releasedOn: z.iso.date().nullable(),
    delistedOn: z.iso.date().nullable().meta({ example: null }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'GamePlatform' })

/** All platforms of a game: there are only so many, so it has no pages. */
export const gamePlatformsSchema = z
  .object({ data: z.array(gamePlatformSchema).max(PLATFORMS.length) })
  .meta({ id: 'GamePlatforms' })
