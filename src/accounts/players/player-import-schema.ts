import { z } from 'zod'
import { type Checked, check } from '../../http/validation.ts'
import { lineFields, madeFields, originFields, withoutMade } from '../bulk/bulk-schema.ts'
import { instantField } from '../text/text-schema.ts'
import { type IdentityDraft, identityErrors } from './identity.ts'
import { newIdentityFields } from './identity-schema.ts'
import { plainPlayerLine } from './plain-player-line-schema.ts'
import type { PlayerLine } from './player-import.ts'
import { newPlayerFields, playerColumns } from './player-schema.ts'

const MAX_IDENTITIES = 50

const identitySchema = z
  .strictObject({
    ...lineFields(newIdentityFields),
    provider: newIdentityFields.provider,
    namespace: newIdentityFields.namespace,
    subject: newIdentityFields.subject,
    linkedAt: instantField.optional(),
  })
  .superRefine((identity, context) => {
    for (const { pointer, code, detail } of identityErrors(identity as unknown as IdentityDraft)) {
      context.addIssue({ code: 'custom', path: [pointer?.slice(1) ?? ''], message: detail ?? '', params: { code } })
    }
  })

export const playerLineSchema = z
  .strictObject({
    ...lineFields(newPlayerFields),
    ...originFields,
    ...madeFields,
    erasedAt: z.null().optional(),
    status: z.enum(['active', 'closed']).optional(),
    closedAt: instantField.nullable().optional(),
    identities: z.array(identitySchema).max(MAX_IDENTITIES).optional(),
  })
  .transform((line) => playerColumns(withoutMade(line) as Parameters<typeof playerColumns>[0]) as PlayerLine)

/** Checks one line of an import without I/O. */
export function parsePlayerLine(input: unknown): Checked<PlayerLine> {
  const plain = plainPlayerLine(input)
  return plain === undefined ? check(playerLineSchema, input) : { ok: true, value: plain }
}
