/**
 * Everything that can go wrong on purpose, one page.
 *
 * A problem is thrown as `AppError` with a stable `code`; the boundary (HTTP, command line, import line) decides how it is
 * shown. The HTTP status of each code lives in `http/problems.ts`. Messages say what was given, what is allowed and what to
 * do - never a personal value, never SQL.
 */

export type ErrorCode =
  // 400
  | 'malformed-json'
  | 'malformed-input'
  | 'unknown-parameter'
  | 'invalid-parameter'
  | 'invalid-cursor'
  | 'malformed-header'
  // 401, 403, 404
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  // 405, 406, 413, 414, 415
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'payload-too-large'
  | 'uri-too-long'
  | 'unsupported-media-type'
  // 409
  | 'conflict'
  | 'username-taken'
  | 'email-taken'
  | 'identity-taken'
  | 'slug-taken'
  | 'last-owner'
  | 'last-identity'
  | 'in-use'
  | 'invalid-transition'
  | 'idempotency-in-progress'
  | 'snapshot-running'
  // 412, 428
  | 'version-mismatch'
  | 'precondition-required'
  // 422
  | 'validation'
  | 'transition-blocked'
  | 'idempotency-mismatch'
  | 'query-not-allowed'
  | 'budget-exceeded'
  | 'answer-too-large'
  | 'duplicate-in-input'
  // 424
  | 'not-applied'
  // 429
  | 'quota-exceeded'
  // 500, 503
  | 'internal'
  | 'unavailable'

/** One invalid field: `pointer` (RFC 6901) into the body, or `parameter` of the query. Never carries the value. */
export interface FieldError {
  readonly pointer?: string
  readonly parameter?: string
  readonly header?: string
  readonly code: string
  readonly detail?: string
  /** Further facts that are no personal data, for example `firstLine` of a duplicate. */
  readonly [extra: string]: unknown
}

/** What every problem has (RFC 9457, section 3.1, and ours): an extension of that name would be lost. */
type ProblemMember = 'type' | 'title' | 'status' | 'detail' | 'instance' | 'code' | 'requestId' | 'traceId' | 'errors'

export interface AppErrorOptions {
  readonly errors?: readonly FieldError[]
  /** Extension members of the problem: `allowed`, `missing`, `snapshotId`, … Never personal data, never a standard member. */
  readonly extra?: Readonly<Record<string, unknown>> & { readonly [member in ProblemMember]?: never }
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** An expected failure: the caller can do something about it. Everything else is a defect and becomes `internal`. */
export class AppError extends Error {
  override readonly name: string = 'AppError'
  readonly code: ErrorCode
  readonly errors: readonly FieldError[]
  readonly extra: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.errors = options.errors ?? []
    this.extra = options.extra ?? {}
    this.headers = options.headers ?? {}
  }
}

/** 422 with one pointer per invalid field. */
export function invalid(errors: readonly FieldError[]): AppError {
  const detail = errors.length === 1 ? '1 field is invalid' : `${errors.length} fields are invalid`
  return new AppError('validation', detail, { errors })
}

/** The settings or the command line cannot be used; the command line ends with exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

/** Text of an error for a log line: its message and those of its causes that it does not end with already, without stack. */
export function describe(error: unknown): string {
  const texts: string[] = []
  for (let e: unknown = error; e instanceof Error && texts.length < 5; e = e.cause) {
    const own = e.message || (e as { code?: string }).code || e.name
    if (!texts.at(-1)?.endsWith(own)) texts.push(own)
  }
  return texts.length > 0 ? texts.join(': ') : String(error)
}
