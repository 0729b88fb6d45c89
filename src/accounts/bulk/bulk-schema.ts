import { z } from 'zod'
import { instantField } from '../text/text-schema.ts'

/**
 * The fields of a `POST` for a line that may also change a row: all of them may be absent, and absence says nothing. So the
 * defaults of a new record are taken off; a default inside would turn "not touched" into "emptied".
 */
export function lineFields(newFields: z.ZodRawShape): z.ZodRawShape {
  const fields = Object.entries(newFields).map(([name, field]) => {
    const bare = field instanceof z.ZodDefault ? field.unwrap() : field
    return [name, z.optional(bare as z.ZodType)] as const
  })
  return Object.fromEntries(fields)
}

export const idField = z.uuid().transform((id) => id.toLowerCase())

/** What every line may carry beside the fields of a `POST`. */
export const originFields = { id: idField.optional(), createdAt: instantField.optional() }
