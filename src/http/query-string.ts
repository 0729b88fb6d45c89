import { AppError } from '../errors.ts'
import { isStorableText } from './validation.ts'

/** One parameter of a query as it was written: `createdAt[gte]=…` has the name `createdAt` and the operator `gte`. */
export interface QueryEntry {
  /** As a caller writes it, brackets and all; what problems name. */
  readonly parameter: string
  readonly name: string
  readonly operator: string | undefined
  readonly value: string
}

const NAME = /^([A-Za-z][A-Za-z0-9]{0,63})(?:\[([A-Za-z]{1,16})\])?$/
const MAX_PARAMETERS = 50

/** A request target in its two parts: everything after the first `?` is query, further question marks too (RFC 3986, 3.4). */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/**
 * Splits a query string. Nothing is ignored: a repeated parameter, an unreadable name or a broken escape is an error.
 *
 * @param raw without the `?`
 * @throws AppError `unknown-parameter`, `invalid-parameter`
 */
export function parseQueryString(raw: string): QueryEntry[] {
  const entries = new Map<string, QueryEntry>()
  for (const part of raw.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const parameter = decode(equals < 0 ? part : part.slice(0, equals))
    const match = NAME.exec(parameter ?? '')
    if (parameter === undefined || !match?.[1]) {
      throw new AppError('unknown-parameter', 'A query parameter has a name that cannot be read', {
        errors: [{ code: 'format', detail: 'parameters are written name=value or name[operator]=value' }],
      })
    }
    if (entries.has(parameter)) throw refused(parameter, 'repeated', `The parameter ${parameter} is repeated`)
    if (entries.size >= MAX_PARAMETERS) throw refused(parameter, 'too-many', `More than ${MAX_PARAMETERS} parameters`)
    const value = equals < 0 ? '' : decode(part.slice(equals + 1))
    if (value === undefined || !isStorableText(value)) {
      throw invalidParameter(parameter, 'format', 'must be percent-encoded UTF-8 without NUL')
    }
    entries.set(parameter, { parameter, name: match[1], operator: match[2], value })
  }
  return [...entries.values()]
}

export function unknownParameter(entry: QueryEntry, allowed: readonly string[]): AppError {
  return new AppError('unknown-parameter', `The parameter ${entry.parameter} does not exist here`, {
    errors: [{ parameter: entry.parameter, code: 'unknown', detail: `allowed: ${allowed.join(', ') || 'none'}` }],
  })
}

export function invalidParameter(parameter: string, code: string, detail: string): AppError {
  return new AppError('invalid-parameter', `${parameter}: ${detail}`, { errors: [{ parameter, code, detail }] })
}

function refused(parameter: string, code: string, message: string): AppError {
  return new AppError('unknown-parameter', message, { errors: [{ parameter, code }] })
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
