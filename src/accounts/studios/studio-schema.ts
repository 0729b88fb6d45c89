import { z } from 'zod'
import { transitionBody, transitionsSchema } from '../lifecycle/lifecycle-schema.ts'
import { countryField, externalRefField, lineField, slugField, websiteField } from '../text/text-schema.ts'
import { STUDIO_STATUSES, type StudioDraft, type StudioPatch, type StudioStatus } from './studio.ts'

const fields = {
  slug: slugField,
  name: lineField(120, { example: 'Comet Forge' }),
  legalName: lineField(200, { example: 'Comet Forge AB' }).nullable(),
  country: countryField.nullable(),
  website: websiteField.nullable(),
  externalRef: externalRefField.nullable(),
}

/** Body of a `POST` and, with more beside it, of an import line. */
export const newStudioFields = {
  ...fields,
  legalName: fields.legalName.default(null),
  country: fields.country.default(null),
  website: fields.website.default(null),
  externalRef: fields.externalRef.default(null),
}

export const newStudioSchema: z.ZodType<StudioDraft> = z.strictObject(newStudioFields).meta({ id: 'NewStudio' })

/** Merge patch: absent is unchanged, null empties. */
export const studioPatchSchema: z.ZodType<StudioPatch> = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'StudioPatch' }) as unknown as z.ZodType<StudioPatch>

export const studioSchema = z
  .object({
    id: z.uuid(),
    slug: z.string(),
    name: z.string().meta({ example: 'Comet Forge' }),
    legalName: z.string().nullable(),
    country: z.string().nullable(),
    website: z.string().nullable(),
    status: z.enum(STUDIO_STATUSES),
    statusChangedAt: z.iso.datetime(),
    externalRef: z.string().nullable(),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Studio' })

export const studioTransitionBody = transitionBody<StudioStatus>(STUDIO_STATUSES, 'StudioTransition')
export const studioTransitionsSchema = transitionsSchema(STUDIO_STATUSES, 'StudioTransitions')
