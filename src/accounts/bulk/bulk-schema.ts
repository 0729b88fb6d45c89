import { z } from 'zod'
import { instantField } from '../text/text-schema.ts'
import type { Reference } from './bulk-reference.ts'

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

const made = z.iso.datetime({ offset: true }).optional()

/**
 * Fields that the service makes by itself. A row of an export has them, and it may be sent back as it is: they are checked for
 * their form and then say nothing. `withoutMade` takes them off.
 */
export const madeFields = { version: z.int().min(1).optional(), updatedAt: made }
/** Of records with a state. */
export const madeStateFields = { ...madeFields, statusChangedAt: made }

interface Made {
  readonly version?: unknown
  readonly updatedAt?: unknown
  readonly statusChangedAt?: unknown
  readonly erasedAt?: unknown
}

export function withoutMade<Line extends object>(line: Line & Made): Omit<Line, keyof Made> {
  const { version: _version, updatedAt: _updatedAt, statusChangedAt: _changedAt, erasedAt: _erasedAt, ...rest } = line
  return rest
}

/** What a reference is made of before its place in the line is known. */
type Named = Omit<Reference, 'pointer'>

/**
 * A reference: an object with exactly one unique key of the parent.
 *
 * @param shape the fields of all keys
 * @param nameOf the key, if the fields that are there make exactly one
 */
export function referenceField<Shape extends z.ZodRawShape>(
  shape: Shape,
  nameOf: (fields: Partial<z.output<z.ZodObject<Shape>>>) => Named | undefined,
): z.ZodType<Named> {
  return z
    .strictObject(shape)
    .partial()
    .transform((fields, context): Named => {
      const name = nameOf(fields as Partial<z.output<z.ZodObject<Shape>>>)
      if (name !== undefined) return name
      const message = 'must have exactly one unique key of the record that it refers to'
      context.addIssue({ code: 'custom', message, params: { code: 'reference' } })
      return z.NEVER
    }) as unknown as z.ZodType<Named>
}

/** The one key of a reference whose keys are single fields. */
export function onlyKey(fields: Readonly<Record<string, unknown>>): Named | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const [entry] = given
  return entry === undefined || given.length > 1 ? undefined : { by: entry[0], text: String(entry[1]) }
}

/**
 * The parent of a line, given as `studio` (a reference) or as `studioId`; undefined: neither.
 *
 * @param at where the line stands, when it is part of another one
 */
export function parentOf(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  context: z.RefinementCtx,
  at: readonly PropertyKey[] = [],
): Reference | undefined {
  const [named, id] = [fields[name] as Named | undefined, fields[`${name}Id`] as string | undefined]
  const prefix = at.map((part) => `/${String(part)}`).join('')
  if (named !== undefined && id !== undefined) {
    const message = `send ${name} or ${name}Id, not both`
    context.addIssue({ code: 'custom', path: [`${name}Id`], message, params: { code: 'not-allowed' } })
  }
  if (named !== undefined) return { ...named, pointer: `${prefix}/${name}` }
  return id === undefined ? undefined : { by: 'id', text: id, pointer: `${prefix}/${name}Id` }
}
