import { invalidInput } from '../request.ts'

export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'sign'
  /** Without quotes. */
  readonly text: string
}

/** In the order they are tried. A quote inside a string is doubled. */
const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', /'((?:[^']|'')*)'/y],
  ['name', /"((?:[^"]|"")+)"/y],
  ['name', /`((?:[^`]|``)+)`/y],
  ['number', /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\p{L}\p{N}_])/uy],
  ['word', /[\p{L}\p{N}_$][\p{L}\p{N}_$.]*/uy],
  ['sign', /<>|!=|<=|>=|[=<>(),]/y],
]

/** @throws AwsError InvalidInputException, also for an apostrophe that is not doubled */
export function tokenize(expression: string): Token[] {
  const tokens: Token[] = []
  let at = skipSpaces(expression, 0)
  while (at < expression.length) {
    const [token, end] = tokenAt(expression, at)
    const before = tokens.at(-1)
    // 'O'Brien' is two tokens without a space between: an apostrophe that should have been doubled.
    if (before?.kind === 'string' && token.kind !== 'sign' && !/\s/.test(expression.charAt(at - 1))) {
      throw invalidInput(`Expression: an apostrophe inside a literal must be doubled, before ${token.text}`)
    }
    tokens.push(token)
    at = skipSpaces(expression, end)
  }
  return tokens
}

function tokenAt(expression: string, at: number): [Token, number] {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const found = pattern.exec(expression)
    if (!found) continue
    const quote = found[0].charAt(0)
    const text = found[1] === undefined ? found[0] : found[1].replaceAll(quote + quote, quote)
    return [{ kind, text }, pattern.lastIndex]
  }
  throw invalidInput(`Expression: cannot read from character ${at + 1}: ${expression.slice(at, at + 20)}`)
}

function skipSpaces(expression: string, from: number): number {
  const spaces = /\s*/y
  spaces.lastIndex = from
  spaces.exec(expression)
  return spaces.lastIndex
}
