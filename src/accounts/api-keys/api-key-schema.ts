import { z } from 'zod'
import { SCOPES } from '../../caller.ts'
import { lineField } from '../text/text-schema.ts'
import { MAX_KEY_DAYS, ROTATION_OVERLAP_HOURS } from './api-key.ts'
import type { NewApiKey } from './api-key-service.ts'

export const apiKeyIdParam = z
  .string()
  .regex(/^[0-9a-z]{12}$/)
  .meta({ description: 'The id of a key: the 12 characters after rg_live_', example: 'k3v9x0m2q7ab' })

const scopesField = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(SCOPES.length)
  .meta({ description: 'None that the calling key does not have', uniqueItems: true, example: ['players:read'] })

/** Body of a `POST`. */
export const newApiKeySchema: z.ZodType<NewApiKey> = z
  .strictObject({
    name: lineField(100).meta({ description: 'What it is for', example: 'Store front' }),
    scopes: scopesField.superRefine((scopes, context) => {
      scopes.forEach((scope, index) => {
        if (scopes.indexOf(scope) === index) return
        context.addIssue({ code: 'custom', path: [index], message: 'is repeated', params: { code: 'duplicate' } })
      })
    }),
    validDays: z.int().min(1).max(MAX_KEY_DAYS).default(365).meta({ example: 90 }),
  })
  .meta({ id: 'NewApiKey' })

const shown = {
  id: z.string().meta({ example: 'k3v9x0m2q7ab' }),
  name: z.string().meta({ example: 'Store front' }),
  scopes: z.array(z.string()).meta({ example: ['players:read'] }),
  createdBy: z.string().meta({ description: 'The key or command that made it', example: 'command-line' }),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable().meta({ description: 'To the minute' }),
  revokedAt: z.iso.datetime().nullable().meta({ example: null }),
  replacedBy: z.string().nullable().meta({ description: 'The key that took its place by a rotation', example: null }),
}

export const apiKeySchema = z.object(shown).meta({ id: 'ApiKey' })

const token = z.string().meta({
  description: 'The secret, to be sent as Authorization: Bearer. It is stored nowhere and cannot be had again',
  example: 'rg_live_k3v9x0m2q7ab_EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXA_000000',
})

export const createdApiKeySchema = z.object({ ...shown, token }).meta({ id: 'CreatedApiKey' })

export const rotatedApiKeySchema = z
  .object({
    ...shown,
    token,
    replaced: apiKeySchema.meta({ description: `The old key, which lives ${ROTATION_OVERLAP_HOURS} hours more` }),
  })
  .meta({ id: 'RotatedApiKey' })
