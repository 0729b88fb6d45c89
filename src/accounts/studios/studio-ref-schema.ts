import { z } from 'zod'
import { externalRefField } from '../text/text-schema.ts'
import type { StudioReplacement } from './studio.ts'
import { newStudioFields } from './studio-schema.ts'

/** An external reference in an address: percent-encoded where it has other characters than letters and digits. */
export const externalRefParam = externalRefField

const { externalRef: _, ...fields } = newStudioFields

/** Body of a `PUT`: that of a `POST`, less the reference, which is in the address. */
export const studioReplacementSchema: z.ZodType<StudioReplacement> = z
  .strictObject(fields)
  .meta({ id: 'StudioReplacement' })
