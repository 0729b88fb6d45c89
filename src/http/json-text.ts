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
  if (repeatsName(text)) throw new AppError('malformed-json', 'The body has an object with the same field twice')
  return value
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
