import { z } from 'zod'
import { parseEmail } from '../text/email.ts'
import { fold } from '../text/fold.ts'
import { IDENTITY_PROVIDERS } from './identity.ts'
import { MAX_LOOKUP_IDENTIFIERS, type PlayerIdentifier } from './player-lookup.ts'
import { playerSchema } from './player-schema.ts'

/** Longer than any of them may be: what is beyond it is a mistake, what is within it and names nobody is not found. */
const MAX_CHARACTERS = 512
const text = z.string().min(1).max(MAX_CHARACTERS)

const identifierFields = {
  id: z
    .uuid()
    .transform((id) => id.toLowerCase())
    .meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11' }),
  username: text.meta({ description: 'In any letter case and Unicode form', example: 'Nova' }),
  email: text.meta({ description: 'In any letter case', example: 'nova@example.com' }),
  provider: z.enum(IDENTITY_PROVIDERS).meta({ example: 'steam' }),
  namespace: z
    .string()
    .max(MAX_CHARACTERS)
    .meta({ description: "The studio's slug with the provider studio, else empty or absent", example: '' }),
  subject: text.meta({ description: "The provider's own key of the account", example: '76561198000000001' }),
}

type Given = Partial<z.output<z.ZodObject<typeof identifierFields>>>

function identifierOf({ id, username, email, provider, namespace = '', subject }: Given): PlayerIdentifier | undefined {
  if (id !== undefined) return { by: 'id', id }
  if (username !== undefined) return { by: 'username', key: fold(username) }
  if (email !== undefined) {
    const parsed = parseEmail(email)
    return { by: 'email', key: parsed.ok ? parsed.value.key : undefined }
  }
  if (provider === undefined || subject === undefined) return undefined
  return { by: 'identity', provider, namespace, subject }
}

/** Exactly one of the four ways, and nothing of another one beside it. */
function isOneWay(given: Given): boolean {
  const { id, username, email, provider, namespace, subject } = given
  const isIdentity = provider !== undefined || namespace !== undefined || subject !== undefined
  return [id !== undefined, username !== undefined, email !== undefined, isIdentity].filter(Boolean).length === 1
}

const identifierSchema = z
  .strictObject(identifierFields)
  .partial()
  .meta({
    id: 'PlayerIdentifier',
    description: 'Exactly one of id, username, email, or provider with subject (and namespace)',
    example: { provider: 'steam', subject: '76561198000000001' },
  })
  .transform((given, context): PlayerIdentifier => {
    const identifier = isOneWay(given as Given) ? identifierOf(given as Given) : undefined
    if (identifier !== undefined) return identifier
    const message = 'must have exactly one of id, username, email, or provider with subject'
    context.addIssue({ code: 'custom', message, params: { code: 'identifier' } })
    return z.NEVER
  })
  .superRefine((identifier, context) => {
    if (identifier.by !== 'identity') return
    const needed = identifier.provider === 'studio'
    if (needed === (identifier.namespace !== '')) return
    const [code, message] = needed
      ? ['required', 'the slug of the studio']
      : ['not-allowed', 'only with the provider studio']
    context.addIssue({ code: 'custom', path: ['namespace'], message, params: { code } })
  })

export const playerLookupSchema: z.ZodType<{ readonly identifiers: readonly PlayerIdentifier[] }> = z
  .strictObject({ identifiers: z.array(identifierSchema).min(1).max(MAX_LOOKUP_IDENTIFIERS) })
  .meta({ id: 'PlayerLookup' })

export const playerLookupAnswerSchema = z
  .object({
    data: z
      .array(z.object({ found: z.boolean().meta({ example: true }), player: playerSchema.nullable() }))
      .meta({ description: 'One for each identifier, in their order' }),
  })
  .meta({ id: 'PlayerLookupAnswer' })
