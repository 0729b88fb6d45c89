/** Trino's lexical rules: https://trino.io/docs/current/language/reserved.html and SqlBase.g4. */
import { syntaxError } from '../failure.ts'

export type TokenKind =
  | 'word'
  | 'quoted'
  | 'string'
  | 'unicode'
  | 'binary'
  | 'integer'
  | 'decimal'
  | 'double'
  | 'symbol'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** Words upper case, symbols and numbers as written, strings and quoted names without their quotes. */
  readonly text: string
  /** As written, for names. */
  readonly raw: string
  readonly start: number
  readonly end: number
  readonly line: number
  readonly column: number
}

const SYMBOLS = [
  '<>',
  '!=',
  '<=',
  '>=',
  '||',
  '->',
  '=>',
  '(',
  ')',
  ',',
  '.',
  ';',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '=',
  '[',
  ']',
  '?',
  '{',
  '}',
  '|',
  '^',
  '$',
  ':',
  '@',
  '&',
  '~',
  '!',
]
const WORD = /[\p{L}_][\p{L}\p{N}_@:]*/uy
const NUMBER = /(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const MAX_TOKENS = 200_000

/** `backquotes`: Hive's DDL quotes names so; Trino does not know them. */
export function tokenize(sql: string, backquotes = false): Token[] {
  const out: Token[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  const fail = (message: string) => syntaxError(`line ${line}:${at - lineStart + 1}: ${message}`)
  const push = (kind: TokenKind, text: string, end: number) => {
    if (out.length >= MAX_TOKENS) throw fail('the statement is too long')
    const raw = sql.slice(at, end)
    out.push({ kind, text, raw, start: at, end, line, column: at - lineStart + 1 })
    for (let i = raw.indexOf('\n'); i >= 0; i = raw.indexOf('\n', i + 1)) {
      line++
      lineStart = at + i + 1
    }
    at = end
  }
  const quotedEnd = (quote: string, from: number): number => {
    for (let i = from; ; i++) {
      i = sql.indexOf(quote, i)
      if (i < 0) throw fail(`a text that begins with ${quote} does not end`)
      if (sql[i + 1] !== quote) return i
      i++
    }
  }
  while (at < sql.length) {
    const c = sql[at]!
    if (/\s/.test(c)) {
      if (c === '\n') {
        line++
        lineStart = at + 1
      }
      at++
      continue
    }
    if (sql.startsWith('--', at)) {
      const length = sql.slice(at).search(/[\r\n]/)
      const end = length < 0 ? -1 : at + length
      at = end < 0 ? sql.length : end
      continue
    }
    if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      if (end < 0) throw fail('a comment does not end')
      for (let i = at; i < end; i++)
        if (sql[i] === '\n') {
          line++
          lineStart = i + 1
        }
      at = end + 2
      continue
    }
    const prefix = /^(?:X|U&)?'/i.exec(sql.slice(at, at + 3))?.[0]
    if (prefix !== undefined) {
      const from = at + prefix.length
      const end = quotedEnd("'", from)
      const text = sql.slice(from, end).replaceAll("''", "'")
      push(prefix.length === 1 ? 'string' : prefix.length === 2 ? 'binary' : 'unicode', text, end + 1)
      continue
    }
    if (c === '"' || (c === '`' && backquotes)) {
      const end = quotedEnd(c, at + 1)
      push('quoted', sql.slice(at + 1, end).replaceAll(c + c, c), end + 1)
      continue
    }
    NUMBER.lastIndex = at
    const number = NUMBER.exec(sql)?.[0]
    if (number !== undefined) {
      WORD.lastIndex = at + number.length
      if (WORD.test(sql)) throw fail(`a name must not begin with a digit; quote it: "${number}…"`)
      const text = number.replaceAll('_', '')
      push(/e/i.test(text) ? 'double' : text.includes('.') ? 'decimal' : 'integer', text, at + number.length)
      continue
    }
    WORD.lastIndex = at
    const word = WORD.exec(sql)?.[0]
    if (word !== undefined) {
      push('word', word.toUpperCase(), at + word.length)
      continue
    }
    const symbol = SYMBOLS.find((s) => sql.startsWith(s, at))
    if (symbol === undefined) throw fail(`mismatched input '${c}'`)
    push('symbol', symbol, at + symbol.length)
  }
  push('end', '', sql.length)
  return out
}
