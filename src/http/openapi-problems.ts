import type { ErrorCode } from '../errors.ts'
import { honoursIdempotencyKey, type Route } from './route.ts'

/** The problems that an operation may answer: those it names and those that follow from its declaration. */
export function problemCodes(route: Route): ErrorCode[] {
  // 415 without a body too: an operation that takes none refuses one.
  const codes = new Set<ErrorCode>([
    'unknown-parameter',
    'method-not-allowed',
    'not-acceptable',
    'uri-too-long',
    'unsupported-media-type',
  ])
  const add = (...more: readonly ErrorCode[]) => {
    for (const code of more) codes.add(code)
  }
  if (route.query !== undefined) add('invalid-parameter')
  if (route.query?.parameters.some(({ name }) => name === 'cursor')) add('invalid-cursor')
  if (route.params !== undefined) add('not-found')
  if (route.access !== 'open') add('unauthenticated', 'quota-exceeded', 'unavailable')
  // Also where any key will do: a filter, a field or an expansion may need a scope of its own.
  if (route.access !== 'open' && (route.access !== 'key' || route.query !== undefined)) add('forbidden')
  if (route.body !== undefined) add('malformed-json', 'malformed-input', 'payload-too-large', 'validation')
  if (route.ifMatch !== undefined) add('malformed-header', 'version-mismatch')
  if (route.ifMatch === 'required') add('precondition-required')
  if (route.createOnly) add('malformed-header', 'version-mismatch')
  if (honoursIdempotencyKey(route)) add('malformed-header', 'idempotency-in-progress', 'idempotency-mismatch')
  if (route.refusedHeaders !== undefined) add('malformed-header')
  add(...(route.problems ?? []))
  add('internal')
  return [...codes]
}
