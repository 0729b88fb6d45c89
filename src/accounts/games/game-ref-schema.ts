import { z } from 'zod'
import { externalRefField } from '../text/text-schema.ts'
import type { GameReplacement } from './game.ts'
import { newGameFields, withRelease } from './game-schema.ts'

/** An external reference in an address: percent-encoded where it has other characters than letters and digits. */
export const gameRefParam = externalRefField

const { externalRef: _, ...fields } = newGameFields

/** Body of a `PUT`: that of a `POST`, less the reference, which is in the address. */
export const gameReplacementSchema: z.ZodType<GameReplacement> = z
  .strictObject(fields)
  .meta({ id: 'GameReplacement' })
  .transform(withRelease)
