import { AppError, type ErrorCode, type FieldError } from '../errors.ts'

/** Identifiers, not addresses: the same in every deployment, so that clients can compare them. */
const TYPE_BASE = 'https://accounts.rocketgames.example/problems/'

export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** What to do about it; the text of `/v1/problems/{slug}`. */
  readonly advice: string
  readonly type?: string
}

/** The one map from error codes to HTTP, and the text that explains each. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    advice: 'Send one JSON value in UTF-8. A byte order mark, comments and trailing commas are not JSON.',
  },
  'malformed-input': {
    status: 400,
    title: 'The request cannot be understood',
    advice: 'Compare the request with the operation in /v1/openapi.json.',
  },
  'unknown-parameter': {
    status: 400,
    title: 'A query parameter is unknown or repeated',
    advice: 'Nothing in a query is ignored. Send each parameter once and only those that the operation lists.',
  },
  'invalid-parameter': {
    status: 400,
    title: 'A query parameter has a value that is not allowed',
    advice: 'errors[] names the parameter and what it allows.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor cannot be used',
    advice: 'A cursor belongs to one filter, sort and key. Start again from the first page.',
  },
  'malformed-header': {
    status: 400,
    title: 'A request header cannot be understood',
    advice: 'errors[] names the header and its form.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid API key is needed',
    advice: 'Send Authorization: Bearer rg_live_…; the key must be neither expired nor revoked.',
  },
  forbidden: {
    status: 403,
    title: 'The API key does not have the scope for this',
    advice: 'The member scope names what is missing. Ask for a key that has it.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing',
    advice: 'Check the address and the id.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This method does not exist here',
    advice: 'The Allow header lists the methods. Records are closed by a transition, not deleted.',
  },
  'not-acceptable': {
    status: 406,
    title: 'None of the accepted media types can be produced',
    advice: 'Accept application/json, or what the operation lists.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is too large',
    advice: 'A JSON body may have 256 KB. Send many records through /v1/imports.',
  },
  'uri-too-long': {
    status: 414,
    title: 'The address is too long',
    advice: 'An address may have 8 KB. Use fewer values in one filter.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The media type of the body is not supported',
    advice: 'Send Content-Type: application/json, or what the operation lists, in UTF-8.',
  },
  conflict: { status: 409, title: 'The request is in conflict with another record', advice: 'Read the record again.' },
  'username-taken': { status: 409, title: 'The username is taken', advice: 'Choose another username.' },
  'email-taken': { status: 409, title: 'The e-mail address is taken', advice: 'Look the account up by its address.' },
  'identity-taken': {
    status: 409,
    title: 'The identity is linked to another player',
    advice: 'Unlink it there first.',
  },
  'slug-taken': { status: 409, title: 'The slug is taken', advice: 'Choose another slug.' },
  'last-owner': {
    status: 409,
    title: 'An active studio needs at least one active owner',
    advice: 'Add another active owner first, or close the studio.',
  },
  'last-identity': {
    status: 409,
    title: 'The player would have no way left to sign in',
    advice: 'Link another identity or set an e-mail address first.',
  },
  'in-use': { status: 409, title: 'Other records refer to this one', advice: 'Remove or change those first.' },
  'invalid-transition': {
    status: 409,
    title: 'This step does not exist from the present state',
    advice: 'The member allowed lists the steps that do.',
  },
  'idempotency-in-progress': {
    status: 409,
    title: 'A request with this Idempotency-Key is still running',
    advice: 'Send it again after Retry-After seconds.',
  },
  'snapshot-running': {
    status: 409,
    title: 'A snapshot is running already',
    advice: 'The member snapshotId names it. Wait for it.',
  },
  'version-mismatch': {
    status: 412,
    title: 'The record has changed since it was read',
    advice: 'Read it again, apply the change to the new state, send its ETag in If-Match.',
  },
  'precondition-required': {
    status: 428,
    title: 'If-Match is required',
    advice: 'Send the ETag of the state that the change is based on, or * to overwrite on purpose.',
  },
  validation: { status: 422, title: 'The request has invalid fields', advice: 'errors[] points at each of them.' },
  'transition-blocked': {
    status: 422,
    title: 'The step exists, but facts are missing',
    advice: 'The member missing lists them.',
  },
  'idempotency-mismatch': {
    status: 422,
    title: 'The Idempotency-Key was used with another request',
    advice: 'Use a new key for a new request.',
  },
  'query-not-allowed': {
    status: 422,
    title: 'The query is not one that may run here',
    advice: 'Send one statement that reads: SELECT, WITH, SHOW, DESCRIBE or EXPLAIN of a SELECT.',
  },
  'budget-exceeded': {
    status: 422,
    title: 'The query would read more than it may',
    advice: 'Select fewer columns or a shorter range of snapshots.',
  },
  'answer-too-large': {
    status: 422,
    title: 'The answer is larger than this way of the service can carry',
    advice:
      'Send Accept-Encoding: zstd, gzip, or ask for fewer rows at once. A whole list comes as a job in small parts: POST /v1/exports.',
  },
  'duplicate-in-input': {
    status: 422,
    title: 'The same key stands twice in the input',
    advice: 'The member firstLine names the first one.',
  },
  'not-applied': {
    status: 424,
    title: 'Another line of an import that is all or nothing was refused',
    advice: 'The member causedByLine names the first one. Correct it and send the import again.',
  },
  'quota-exceeded': {
    status: 429,
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too many requests',
    advice: 'Send it again after Retry-After seconds.',
  },
  internal: {
    status: 500,
    title: 'The service has a defect',
    advice: 'Report the requestId. Nothing was changed unless the answer was 2xx.',
  },
  unavailable: {
    status: 503,
    title: 'The service cannot answer now',
    advice: 'Send it again after Retry-After seconds.',
  },
}

/** An RFC 9457 problem as it stands in an answer, an import line or a job. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly instance?: string
  readonly requestId?: string
  /** Where there are traces. */
  readonly traceId?: string
  readonly errors?: readonly FieldError[]
  readonly [extension: string]: unknown
}

export function problemType(code: ErrorCode): string {
  return PROBLEMS[code].type ?? `${TYPE_BASE}${code}`
}

/** The text form of an error. Carries what the error's author wrote, and nothing of an unexpected error. */
export function problemOf(
  error: AppError,
  where: { instance?: string; requestId?: string; traceId?: string } = {},
): Problem {
  const kind = PROBLEMS[error.code]
  return {
    ...error.extra,
    type: problemType(error.code),
    title: kind.title,
    status: kind.status,
    detail: error.message,
    ...(where.instance === undefined ? {} : { instance: where.instance }),
    code: error.code,
    ...(where.requestId === undefined ? {} : { requestId: where.requestId }),
    ...(where.traceId === undefined ? {} : { traceId: where.traceId }),
    ...(error.errors.length === 0 ? {} : { errors: error.errors }),
  }
}

/** The error as an expected one: anything that is not an `AppError` is a defect, and its text stays inside. */
export function expected(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('internal', 'The request could not be finished because of a defect in the service', {
    cause: error,
  })
}
