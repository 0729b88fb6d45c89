import { z } from 'zod'
import { parseSlug } from '../text/code.ts'
import { accepted } from '../text/rule.ts'
import { instantField, lineField, ruled } from '../text/text-schema.ts'
import { IDENTITY_PROVIDERS, type IdentityDraft, identityErrors, parseSubject } from './identity.ts'

/** Body of a `POST`; a player's import line has a list of these. Judge them with `identityErrors` after it. */
export const newIdentityFields = {
  provider: z.enum(IDENTITY_PROVIDERS).meta({ example: 'steam' }),
  namespace: ruled((text) => (text === '' ? accepted(text) : parseSlug(text)), {
    maxLength: 64,
    description: "The studio's slug with the provider studio, else empty",
    example: '',
  }).default(''),
  subject: ruled(parseSubject, {
    minLength: 1,
    maxLength: 255,
    description: "The provider's own key of the account",
    example: '76561198000000001',
  }),
  providerName: lineField(128, { example: 'Nova' }).nullable().default(null),
  verifiedAt: instantField.nullable().default(null),
}

/** Body of a `POST`. */
export const newIdentitySchema: z.ZodType<IdentityDraft> = z
  .strictObject(newIdentityFields)
  .meta({ id: 'NewIdentity' })
  .superRefine((draft, context) => {
    for (const { pointer, code, detail } of identityErrors(draft)) {
      context.addIssue({ code: 'custom', path: [pointer?.slice(1) ?? ''], message: detail ?? '', params: { code } })
    }
  })

const personal = { description: 'Personal: absent without the scope players:read.personal' }

export const identitySchema = z
  .object({
    id: z.uuid(),
    playerId: z.uuid(),
    provider: z.enum(IDENTITY_PROVIDERS),
    namespace: z.string(),
    subject: z.string().nullable().optional().meta(personal),
    providerName: z.string().nullable().optional().meta(personal),
    verifiedAt: z.iso.datetime().nullable(),
    linkedAt: z.iso.datetime(),
    unlinkedAt: z.iso.datetime().nullable().meta({ example: null }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Identity' })
