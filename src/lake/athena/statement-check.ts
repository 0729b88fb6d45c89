import { AppError } from '../../errors.ts'

/**
 * Is a text one reading statement? The service's own check of analysts' SQL; the real fence is outside: the work group's limits
 * and a role that can only read. It knows just enough of Trino's grammar to see where strings, names and comments end.
 */

const STARTS = ['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'EXPLAIN'] as const
const EXPLAINED = ['SELECT', 'WITH']
const EXPLAIN_OPTIONS = ['ANALYZE', 'VERBOSE']

/** Athena's limit on a query's text. */
export const STATEMENT_BYTES = 262_144

export type StatementKind = 'query' | 'show' | 'describe' | 'explain'

export interface CheckedStatement {
  /** The text to run: without a trailing semicolon and what follows it. */
  readonly sql: string
  readonly kind: StatementKind
}

interface Token {
  readonly kind: 'word' | 'string' | 'name' | 'semicolon' | 'symbol'
  readonly text: string
  readonly start: number
}

function refuse(detail: string): AppError {
  return new AppError('query-not-allowed', detail, {
    errors: [{ pointer: '/sql', code: 'query-not-allowed', detail }],
    extra: { allowed: ['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'EXPLAIN'] },
  })
}

/** Where a quoted text that begins at `start` ends; the quote is escaped by doubling, never by a backslash. */
function endOfQuoted(sql: string, start: number, quote: string): number {
  for (let at = start + 1; ; at += 2) {
    at = sql.indexOf(quote, at)
    if (at < 0) throw refuse(`A text or name that is opened with ${quote} is not closed`)
    if (sql[at + 1] !== quote) return at + 1
  }
}

function endOfComment(sql: string, start: number): number {
  if (sql.startsWith('--', start)) {
    // Either character ends it: the engine takes a carriage return for the end of a line as well.
    const end = sql.slice(start).search(/[\r\n]/)
    return end < 0 ? sql.length : start + end + 1
  }
  const end = sql.indexOf('*/', start + 2)
  if (end < 0) throw refuse('A comment that is opened with /* is not closed')
  return end + 2
}

const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy
const SPACE = /\s+/uy

function* tokens(sql: string): Generator<Token> {
  let at = 0
  while (at < sql.length) {
    SPACE.lastIndex = at
    if (SPACE.test(sql)) {
      at = SPACE.lastIndex
      continue
    }
    if (sql.startsWith('--', at) || sql.startsWith('/*', at)) {
      at = endOfComment(sql, at)
      continue
    }
    const start = at
    const character = sql[at] ?? ''
    if (character === "'" || character === '"' || character === '`') {
      at = endOfQuoted(sql, at, character)
      yield { kind: character === "'" ? 'string' : 'name', text: sql.slice(start, at), start }
      continue
    }
    WORD.lastIndex = at
    if (WORD.test(sql)) {
      at = WORD.lastIndex
      yield { kind: 'word', text: sql.slice(start, at).toUpperCase(), start }
      continue
    }
    at += 1
    yield { kind: character === ';' ? 'semicolon' : 'symbol', text: character, start }
  }
}

/** What an EXPLAIN explains: the first word after its options. */
function explained(rest: readonly Token[]): string | undefined {
  let depth = 0
  for (const { kind, text } of rest) {
    if (text === '(') depth += 1
    else if (text === ')') depth -= 1
    else if (kind === 'word' && depth === 0 && !EXPLAIN_OPTIONS.includes(text)) return text
    // `EXPLAIN (SELECT 1)`: the parenthesis opens the query, not options.
    else if (kind === 'word' && depth > 0 && EXPLAINED.includes(text)) return text
  }
  return undefined
}

const KINDS: Readonly<Record<(typeof STARTS)[number], StatementKind>> = {
  SELECT: 'query',
  WITH: 'query',
  SHOW: 'show',
  DESCRIBE: 'describe',
  EXPLAIN: 'explain',
}

function isStart(word: string): word is (typeof STARTS)[number] {
  return (STARTS as readonly string[]).includes(word)
}

/**
 * Checks a statement and returns the text to run.
 *
 * @throws AppError `query-not-allowed`: empty, too long, something else than one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN, a
 *   second statement, or a text, name or comment that is not closed. The statement itself is never repeated in the message.
 */
export function checkStatement(sql: string): CheckedStatement {
  if (Buffer.byteLength(sql) > STATEMENT_BYTES) {
    throw refuse(`The statement is longer than ${STATEMENT_BYTES} bytes`)
  }
  if (sql.includes('\0')) throw refuse('The statement holds a NUL character')
  const all = [...tokens(sql)]
  const end = all.findIndex((token) => token.kind === 'semicolon')
  const statement = end < 0 ? all : all.slice(0, end)
  if (end >= 0 && all.slice(end).some((token) => token.kind !== 'semicolon')) {
    throw refuse('One statement at a time: something follows the semicolon')
  }
  const opening = statement.findIndex((token) => token.text !== '(')
  const first = statement[opening]
  if (first === undefined) throw refuse('There is no statement: the text is empty or holds comments only')
  if (first.kind !== 'word' || !isStart(first.text) || (opening > 0 && !EXPLAINED.includes(first.text))) {
    throw refuse('The first keyword must be SELECT, WITH, SHOW, DESCRIBE or EXPLAIN')
  }
  const kind = KINDS[first.text]
  if (kind === 'explain' && !EXPLAINED.includes(explained(statement.slice(opening + 1)) ?? '')) {
    throw refuse('EXPLAIN must explain a SELECT or WITH')
  }
  // Athena hands SHOW and DESCRIBE to its Hive parser, where a backslash escapes a quote: both readings must agree.
  if ((kind === 'show' || kind === 'describe') && statement.some((t) => t.kind !== 'word' && t.text.includes('\\'))) {
    throw refuse('SHOW and DESCRIBE must not hold a backslash')
  }
  return { sql: (end < 0 ? sql : sql.slice(0, all[end]?.start)).trim(), kind }
}
