import type { RawKind } from '../list.ts'

/** Values as PostgreSQL writes them (TimeZone UTC, DateStyle ISO), as JSON. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: what JSON must escape (RFC 8259, section 7), and lone surrogates
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/

/** The text of a value in JSON. @throws RangeError for an integer that a JSON number cannot carry */
export function jsonText(value: string, kind: RawKind): string {
  switch (kind) {
    case 'text':
      return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`
    case 'word':
      return `"${value}"`
    case 'timestamp':
      return `"${instantText(value)}"`
    case 'number':
      return integerText(value)
    case 'decimal':
      return String(Number(value))
    case 'boolean':
      return booleanText(value)
    case 'json':
      return value
    case 'array':
      return JSON.stringify(textArray(value))
  }
}

/** The value as `present` gives it, NULL included. */
export function jsonValue(value: string | null | undefined, kind: RawKind): unknown {
  if (value === null || value === undefined) return null
  return kind === 'timestamp' ? new Date(instantText(value)) : JSON.parse(jsonText(value, kind))
}

/** `2026-01-31 12:00:00.12+00` as ISO 8601 to the millisecond. */
export function instantText(value: string): string {
  // What is no four-digit year after Christ has another length or end.
  if (value.charCodeAt(10) !== 0x20 || !value.endsWith('+00')) return new Date(value).toISOString()
  const fraction = value.slice(19, -3)
  const milliseconds = fraction === '' ? '.000' : fraction.padEnd(4, '0')
  return `${value.slice(0, 10)}T${value.slice(11, 19)}${milliseconds}Z`
}

export const booleanText = (value: string): string => (value === 't' ? 'true' : 'false')

const SAFE_DIGITS = 15

export function integerText(value: string): string {
  if (value.length > SAFE_DIGITS && !Number.isSafeInteger(Number(value))) {
    throw new RangeError('an integer is too large for a JSON number')
  }
  return value
}

/** `{action,"a \"b\""}` as its texts (PostgreSQL documentation, section 8.15.6). One dimension, no NULLs: the columns have none. */
export function textArray(value: string): string[] {
  const texts: string[] = []
  const element = /"((?:[^"\\]|\\.)*)"|([^",{}]+)/gs
  for (const [, quoted, bare] of value.matchAll(element)) {
    texts.push(quoted === undefined ? (bare as string) : quoted.replace(/\\(.)/gs, '$1'))
  }
  return texts
}
