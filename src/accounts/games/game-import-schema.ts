import { z } from 'zod'
import { type Checked, check } from '../../http/validation.ts'
import {
  idField,
  lineFields,
  madeStateFields,
  onlyKey,
  originFields,
  parentOf,
  referenceField,
  withoutMade,
} from '../bulk/bulk-schema.ts'
import { externalRefField, slugField } from '../text/text-schema.ts'
import { GAME_STATUSES } from './game.ts'
import type { GameLine } from './game-import.ts'
import { PLATFORMS } from './game-platform.ts'
import { gamePlatformFields, platformField } from './game-platform-schema.ts'
import { newGameFields } from './game-schema.ts'

const studioReference = referenceField({ id: idField, externalRef: externalRefField, slug: slugField }, onlyKey)

const platformSchema = z.strictObject({ ...lineFields(gamePlatformFields), platform: platformField })

export const gameLineSchema = z
  .strictObject({
    ...lineFields(newGameFields),
    ...originFields,
    ...madeStateFields,
    studio: studioReference.optional(),
    studioId: idField.optional(),
    status: z.enum(GAME_STATUSES).optional(),
    platforms: z.array(platformSchema).max(PLATFORMS.length).optional(),
  })
  .transform((line, context) => {
    const { studio, studioId, ...rest } = withoutMade(line)
    return { ...rest, studio: parentOf({ studio, studioId }, 'studio', context) } as GameLine
  })

/** Checks one line of an import without I/O. */
export function parseGameLine(input: unknown): Checked<GameLine> {
  return check(gameLineSchema, input)
}
