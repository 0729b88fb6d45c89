import type { z } from 'zod'
import type { FieldError } from '../errors.ts'

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

/** At most so many errors are told; a body with more has one cause. */
const MAX_ERRORS = 100
/** Deeper than any schema here, and shallow enough for recursion. */
const MAX_DEPTH = 32

/**
 * Checks one input object against its schema, without I/O: a request body or an import line. No coercion; unknown fields are
 * errors; the errors name places and rules, never values.
 */
export function check<S extends z.ZodType>(schema: S, input: unknown): Checked<z.output<S>> {
  const texts = isStorable(input) ? [] : textErrors(input)
  if (texts.length > 0) return { ok: false, errors: texts }
  const parsed = schema.safeParse(input, { reportInput: false })
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, errors: parsed.error.issues.flatMap((issue) => fieldErrors(issue, input)).slice(0, MAX_ERRORS) }
}

/** A JSON pointer, RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Is this text that Postgres can store and give back unchanged: no NUL, no half of a surrogate pair? */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Has the value nothing that `textErrors` would tell? */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth >= MAX_DEPTH) return false
  for (const key of Object.keys(value)) {
    if (!isStorableText(key) || !isStorable((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

/** Texts that would be refused or changed on their way into the database, wherever they stand. */
function textErrors(input: unknown): FieldError[] {
  const errors: FieldError[] = []
  const visit = (value: unknown, path: readonly PropertyKey[]): void => {
    if (errors.length >= MAX_ERRORS) return
    if (typeof value === 'string') {
      if (isStorableText(value)) return
      errors.push({ pointer: pointer(path), code: 'invalid-text', detail: 'has a NUL or half of a surrogate pair' })
    } else if (typeof value === 'object' && value !== null) {
      if (path.length >= MAX_DEPTH) {
        errors.push({ pointer: pointer(path), code: 'too-deep', detail: `nested deeper than ${MAX_DEPTH} levels` })
        return
      }
      for (const [key, item] of Object.entries(value)) {
        if (!isStorableText(key)) errors.push({ pointer: pointer(path), code: 'unknown-field' })
        else visit(item, [...path, Array.isArray(value) ? Number(key) : key])
      }
    }
  }
  visit(input, [])
  return errors
}

/** What stands at this place of the input; undefined: nothing. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part]
  }
  return value
}

function fieldErrors(issue: z.core.$ZodIssue, input: unknown): FieldError[] {
  const at = pointer(issue.path)
  // zod calls an absent field one of the wrong type, or, where there is a list of values, one that is not in it.
  const mayBeAbsent = issue.code === 'invalid_type' || issue.code === 'invalid_value'
  if (mayBeAbsent && valueAt(input, issue.path) === undefined) return [{ pointer: at, code: 'required' }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key]), code: 'unknown-field' }))
    case 'invalid_type':
      return [{ pointer: at, code: 'type', detail: `must be ${article(issue.expected)}` }]
    case 'invalid_value':
      return [{ pointer: at, code: 'not-allowed', detail: `must be one of ${issue.values.map(String).join(', ')}` }]
    case 'too_small':
      return [{ pointer: at, code: sizeCode(issue.origin, 'short', 'small'), detail: `at least ${issue.minimum}` }]
    case 'too_big':
      return [{ pointer: at, code: sizeCode(issue.origin, 'long', 'large'), detail: `at most ${issue.maximum}` }]
    case 'invalid_format':
      return [{ pointer: at, code: 'format', detail: issue.message }]
    case 'custom':
      return [
        {
          pointer: at,
          code: typeof issue.params?.code === 'string' ? issue.params.code : 'invalid',
          detail: issue.message,
        },
      ]
    default:
      return [{ pointer: at, code: 'invalid', detail: issue.message }]
  }
}

function sizeCode(origin: string, ofLengths: string, ofNumbers: string): string {
  return `too-${origin === 'number' || origin === 'int' || origin === 'bigint' ? ofNumbers : ofLengths}`
}

function article(expected: string): string {
  if (expected === 'int') return 'an integer'
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`
}
