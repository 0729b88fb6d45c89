import { AppError, type ErrorCode, invalid } from '../errors.ts'
import { ANONYMOUS } from './authentication.ts'
import { mediaType } from './body.ts'
import { parseIfMatch } from './conditional.ts'
import { PROBLEMS, type Problem, problemOf } from './problems.ts'
import { NO_QUERY } from './query.ts'
import { invalidParameter, unknownParameter } from './query-string.ts'
import type { Route } from './route.ts'
import { methodNotAllowed, notAcceptable, preconditionRequired } from './router.ts'
import { requireScope } from './visibility.ts'

/**
 * Problems for the API document. What follows from the declaration of an operation is made by the code that answers requests, so
 * that an example is what a caller would get; what needs records is told by a sentence of the kind that the services write.
 */

const REQUEST_ID = '0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11'

/** An example of a problem of any operation. */
export function commonProblem(code: ErrorCode): Problem {
  return problemOf(sample(code), { requestId: REQUEST_ID })
}

/** An example of a problem of this operation. */
export function problemOfOperation(code: ErrorCode, route: Route, instance: string): Problem {
  return problemOf(derived(code, route) ?? sample(code), { instance, requestId: REQUEST_ID })
}

/** Does the problem say something else at every operation? */
export function isOperationsOwn(code: ErrorCode): boolean {
  return Object.hasOwn(DERIVED, code)
}

type Derivation = (route: Route) => AppError | undefined

const DERIVED: { readonly [code in ErrorCode]?: Derivation } = {
  'unknown-parameter': (route) => {
    const names = (route.query ?? NO_QUERY).parameters.map(({ name }) => name)
    return unknownParameter({ parameter: 'colour', name: 'colour', operator: undefined, value: 'red' }, names)
  },
  'invalid-parameter': ({ query }) => {
    const parameters = query?.parameters ?? []
    const limit = parameters.find(({ name }) => name === 'limit')
    if (limit !== undefined) {
      const { minimum, maximum } = limit.schema
      return invalidParameter('limit', 'range', `must be an integer from ${minimum ?? 1} to ${maximum ?? 200}`)
    }
    const [first] = parameters
    const allowed = first?.schema.enum as readonly string[] | undefined
    if (first === undefined) return undefined
    return allowed === undefined
      ? invalidParameter(first.name, 'format', first.description)
      : invalidParameter(first.name, 'not-allowed', `must be one of ${allowed.join(', ')}`)
  },
  forbidden: ({ access }) => {
    const [scope] = typeof access === 'string' ? [] : access
    return scope === undefined ? undefined : thrown(() => requireScope(ANONYMOUS, scope))
  },
  'method-not-allowed': (route) => methodNotAllowed(route.method === 'put' ? 'POST' : 'PUT', [route]),
  'not-acceptable': (route) => notAcceptable(route),
  'unsupported-media-type': ({ body }) =>
    body === undefined
      ? new AppError('unsupported-media-type', 'This operation takes no body')
      : thrown(() => mediaType('text/xml', body.types)),
  validation: ({ body }) =>
    body?.kind === 'json' ? thrown(() => body.read({ colour: 'red' }), 'validation') : undefined,
}

function derived(code: ErrorCode, route: Route): AppError | undefined {
  return DERIVED[code]?.(route)
}

/** The error that the work ends with; undefined when it ends well, or with another code. */
function thrown(work: () => unknown, code?: ErrorCode): AppError | undefined {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError && (code === undefined || error.code === code)) return error
  }
  return undefined
}

interface Sample {
  readonly detail: string
  readonly extra?: Readonly<Record<string, unknown>>
  readonly errors?: AppError['errors']
}

function sample(code: ErrorCode): AppError {
  const made = MADE[code]?.()
  if (made !== undefined) return made
  const { detail, extra, errors } = SAMPLES[code] ?? { detail: PROBLEMS[code].title }
  return new AppError(code, detail, { ...(extra ? { extra } : {}), ...(errors ? { errors } : {}) })
}

const MADE: { readonly [code in ErrorCode]?: () => AppError | undefined } = {
  'malformed-header': () => thrown(() => parseIfMatch('7')),
  'precondition-required': preconditionRequired,
  validation: () => invalid([{ pointer: '/username', code: 'too-short', detail: 'at least 3' }]),
}

const at = (pointer: string, code: string, detail?: string) => ({
  errors: [{ pointer, code, ...(detail === undefined ? {} : { detail }) }],
})

const SAMPLES: { readonly [code in ErrorCode]?: Sample } = {
  'malformed-json': { detail: 'The body is not one JSON value in UTF-8' },
  'malformed-input': { detail: 'The body ended before its end' },
  'invalid-cursor': {
    detail: 'The cursor was changed, or belongs to another filter, sort or key; start from the first page',
    errors: [{ parameter: 'cursor', code: 'invalid' }],
  },
  unauthenticated: { detail: 'The request carries no API key that is valid now' },
  forbidden: { detail: 'This needs the scope players:read', extra: { scope: 'players:read' } },
  'not-found': { detail: 'There is no record with this id' },
  'payload-too-large': { detail: 'The body has more than 262144 bytes', extra: { maxBytes: 262_144 } },
  'uri-too-long': { detail: 'The address has more than 8192 bytes' },
  conflict: { detail: 'Another studio has this external reference', ...at('/externalRef', 'conflict') },
  'username-taken': { detail: 'Another player has this username', ...at('/username', 'username-taken') },
  'email-taken': { detail: 'Another player has this address', ...at('/email', 'email-taken') },
  'identity-taken': { detail: 'This account is linked to a player already', ...at('/subject', 'identity-taken') },
  'slug-taken': { detail: 'Another studio has this slug', ...at('/slug', 'slug-taken') },
  'last-owner': { detail: 'An active or suspended studio needs another active owner first' },
  'last-identity': { detail: 'Nothing else leads to this player: link another account or add an address' },
  'in-use': { detail: 'Players own the game on this platform; set delistedOn instead of removing it' },
  'invalid-transition': {
    detail: 'There is no step from prospect to active',
    extra: { from: 'prospect', allowed: ['in_review', 'rejected', 'closed'] },
  },
  'idempotency-in-progress': { detail: 'A request with this Idempotency-Key is still running' },
  'snapshot-running': {
    detail: 'A snapshot is running already',
    extra: { snapshotId: '20260305t020000z-01kaq3c9' },
  },
  'version-mismatch': { detail: 'The record has changed since the version that If-Match names' },
  'transition-blocked': {
    detail: 'The step to released needs: min-age, exact-release-date',
    extra: { from: 'announced', to: 'released', missing: ['min-age', 'exact-release-date'] },
  },
  'idempotency-mismatch': { detail: 'The Idempotency-Key was used with another request' },
  'query-not-allowed': {
    detail: 'DROP is not among the statements that may run here',
    ...at('/sql', 'query-not-allowed'),
    extra: { allowed: ['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'EXPLAIN'] },
  },
  'budget-exceeded': { detail: 'The query was stopped: it would have read more bytes than the work group allows' },
  'answer-too-large': {
    detail: 'The answer has more than 6291556 bytes in the form in which a function has to give it',
    extra: { maxBytes: 6_291_556 },
  },
  'duplicate-in-input': { detail: 'The key of line 1 stands here again', extra: { firstLine: 1 } },
  'quota-exceeded': {
    detail: 'The policy default allows 6000 requests of a key in 60 s; wait 41 s',
    extra: { 'violated-policies': ['default'] },
  },
  internal: { detail: 'The request could not be finished because of a defect in the service' },
  unavailable: { detail: 'The database cannot be reached now; try again' },
}
