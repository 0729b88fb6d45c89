import { z } from 'zod'
import { transitionBody, transitionsSchema } from '../lifecycle/lifecycle-schema.ts'
import { dayField, externalRefField, lineField, proseField, slugField } from '../text/text-schema.ts'
import {
  GAME_STATUSES,
  type GameDraft,
  type GamePatch,
  type GameStatus,
  GENRES,
  type Genre,
  MAX_GENRES,
  MAX_MIN_AGE,
} from './game.ts'
import {
  isRefused,
  RELEASE_PRECISIONS,
  type Release,
  type ReleasePatch,
  releaseAfter,
  TO_BE_ANNOUNCED,
} from './release.ts'

const genresField: z.ZodType<readonly Genre[], Genre[]> = z
  .array(z.enum(GENRES))
  .max(MAX_GENRES)
  .meta({ uniqueItems: true, example: ['strategy', 'simulation'] })
  .superRefine((genres, context) => {
    genres.forEach((genre, index) => {
      if (genres.indexOf(genre) === index) return
      context.addIssue({ code: 'custom', path: [index], message: 'is repeated', params: { code: 'duplicate' } })
    })
  })

const fields = {
  slug: slugField,
  title: lineField(200, { example: 'Star Haul' }),
  summary: proseField(2000, { example: 'Freight between the stars.' }).nullable(),
  genres: genresField,
  minAge: z.int().min(0).max(MAX_MIN_AGE).nullable().meta({ example: 12 }),
  releaseDate: dayField.nullable().optional().meta({
    description: 'Stored as the last day of its month, quarter or year, as releasePrecision says',
  }),
  releasePrecision: z.enum(RELEASE_PRECISIONS).optional(),
  externalRef: externalRefField.nullable(),
}

/** Body of a `POST` and, with more beside it, of an import line. Put `withRelease` after it. */
export const newGameFields = {
  ...fields,
  studioId: z.uuid().transform((id) => id.toLowerCase()),
  summary: fields.summary.default(null),
  genres: fields.genres.default([]),
  minAge: fields.minAge.default(null),
  externalRef: fields.externalRef.default(null),
}

/** Brings date and precision of a new game together: a transform for schemas that spread `newGameFields`. */
export function withRelease<T extends ReleasePatch>(
  game: T,
  context: z.RefinementCtx<T>,
): Omit<T, keyof Release> & Release {
  const release = releaseAfter(TO_BE_ANNOUNCED, game)
  if (!isRefused(release)) return { ...game, ...release }
  context.addIssue({
    code: 'custom',
    path: [(release.pointer ?? '').slice(1)],
    message: release.detail ?? '',
    params: { code: release.code },
  })
  return z.NEVER
}

export const newGameSchema: z.ZodType<GameDraft> = z
  .strictObject(newGameFields)
  .meta({ id: 'NewGame' })
  .transform(withRelease)

/** Merge patch: absent is unchanged, null empties. */
export const gamePatchSchema: z.ZodType<GamePatch> = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'GamePatch' }) as unknown as z.ZodType<GamePatch>

export const gameSchema = z
  .object({
    id: z.uuid(),
    studioId: z.uuid(),
    slug: z.string(),
    title: z.string(),
    summary: z.string().nullable(),
    genres: z.array(z.enum(GENRES)).meta({ example: ['strategy', 'simulation'] }),
    minAge: z.int().nullable(),
    releaseDate: z.iso.date().nullable(),
    releasePrecision: z.enum(RELEASE_PRECISIONS),
    status: z.enum(GAME_STATUSES),
    statusChangedAt: z.iso.datetime(),
    externalRef: z.string().nullable(),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Game' })

export const gameTransitionBody = transitionBody<GameStatus>(GAME_STATUSES, 'GameTransition')
export const gameTransitionsSchema = transitionsSchema(GAME_STATUSES, 'GameTransitions')
