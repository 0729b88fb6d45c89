import { z } from 'zod'
import { type Checked, check } from '../../http/validation.ts'
import { lineFields, madeFields, originFields, withoutMade } from '../bulk/bulk-schema.ts'
import type { Email } from '../text/email.ts'
import type { OwnerLine } from './owner-import.ts'
import { emailColumns, newOwnerFields } from './owner-schema.ts'

const status = z.enum(['active', 'disabled']).optional()

export const ownerLineSchema = z
  .strictObject({ ...lineFields(newOwnerFields), ...originFields, ...madeFields, status })
  .transform((line) => {
    const { email, ...rest } = withoutMade(line) as { readonly email?: Email }
    return (email === undefined ? rest : emailColumns({ ...rest, email })) as OwnerLine
  })

/** Checks one line of an import without I/O. */
export function parseOwnerLine(input: unknown): Checked<OwnerLine> {
  return check(ownerLineSchema, input)
}
