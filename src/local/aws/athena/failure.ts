/** A statement that ends FAILED on purpose: `code` is Trino's error name, the first word of `StateChangeReason`. */
export class QueryFailure extends Error {
  override readonly name = 'QueryFailure'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export const syntaxError = (message: string) => new QueryFailure('SYNTAX_ERROR', message)
export const notSupported = (what: string) =>
  new QueryFailure('NOT_SUPPORTED', `${what} is not supported by the local engine`)
export const typeMismatch = (message: string) => new QueryFailure('TYPE_MISMATCH', message)
