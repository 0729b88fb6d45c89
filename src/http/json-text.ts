import { AppError } from '../errors.ts'

/**
 * JSON text as a value, strictly: one value, and no object with the same name twice. RFC 8259 leaves open which of two equal
 * names counts; `JSON.parse` takes the last and forgets the first in silence.
 *
 * @throws AppError `malformed-json`, without a word of the text
 */
export function parseJsonText(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the input.
    throw new AppError('malformed-json', 'The body is not one JSON value in UTF-8')
  }
  if (!namesEachOnce(text, value) && repeatsName(text))
    throw new AppError('malformed-json', 'The body has an object with the same field twice')
  return value
}

/**
 * Without a backslash every text of the input stands in the value as it is, unless an object had a name twice and lost one with
 * its colon. So if the value has as many colons as the input, nothing was lost. False: it may have been, or a text is escaped.
 */
function namesEachOnce(text: string, value: unknown): boolean {
  return !text.includes('\\') && colonsIn(text) === colonsOf(value)
}

/** Deeper values are rare, and their depth must not become that of a recursion. */
const MAX_DEPTH = 32

/** The colons that the JSON of the value has: one behind each name, and those in its texts. NaN: it is too deep to count. */
function colonsOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return colonsIn(value)
  if (typeof value !== 'object' || value === null) return 0
  if (depth === MAX_DEPTH) return Number.NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += colonsOf(item, depth + 1)
    return count
  }
  for (const name in value) count += 1 + colonsIn(name) + colonsOf((value as Record<string, unknown>)[name], depth + 1)
  return count
}

function colonsIn(text: string): number {
  let count = 0
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) count++
  return count
}

/** Walks over valid JSON: only strings, brackets and colons matter. */
function repeatsName(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token, colon] = match
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const names = open.at(-1)
      const name = JSON.parse(token.slice(0, token.length - colon.length)) as string
      if (names?.has(name)) return true
      names?.add(name)
    }
  }
  return false
}
