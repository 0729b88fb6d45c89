import { type QueryFailure, syntaxError } from '../failure.ts'
import type { Expression, Name, Query } from './syntax.ts'
import type { Token } from './tokens.ts'

/** Words that cannot stand as a name without quotes (Trino's reserved words). */
const RESERVED = new Set(
  `ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_ROLE
CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT
EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN JSON_ARRAY
JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE LEFT LIKE LISTAGG LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT
NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES
WHEN WHERE WITH`.split(/\s+/),
)
/** Deeper nesting than any real statement; keeps recursion away from the end of the stack. */
const MAX_DEPTH = 150

/** The rules that call each other; a cursor carries them, so that no module needs its own callers. */
export interface Grammar {
  expression(c: Cursor): Expression
  query(c: Cursor): Query
  /** Expressions that begin with a word and are no ordinary calls. */
  special(c: Cursor): Expression | undefined
}

/** A position in a list of tokens. */
export class Cursor {
  readonly sql: string
  readonly tokens: readonly Token[]
  at = 0
  depth = 0
  parameters = 0

  readonly #grammar: Grammar | undefined

  /** Without a grammar only names, types and words can be read. */
  constructor(sql: string, tokens: readonly Token[], grammar?: Grammar) {
    this.#grammar = grammar
    this.sql = sql
    this.tokens = tokens
  }

  get grammar(): Grammar {
    if (this.#grammar === undefined) throw this.fail()
    return this.#grammar
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!
  }

  next(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.at++
    return token
  }

  fail(expected?: string): QueryFailure {
    const t = this.peek()
    const found = t.kind === 'end' ? '<EOF>' : t.raw.slice(0, 40)
    return syntaxError(
      `line ${t.line}:${t.column}: mismatched input '${found}'${expected ? `. Expecting: ${expected}` : ''}`,
    )
  }

  isWord(...words: string[]): boolean {
    return words.every((w, i) => this.peek(i).kind === 'word' && this.peek(i).text === w)
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const t = this.peek(ahead)
    return t.kind === 'symbol' && t.text === symbol
  }

  /** Takes all these words, or none. */
  takeWord(...words: string[]): boolean {
    if (!this.isWord(...words)) return false
    this.at += words.length
    return true
  }

  takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false
    this.at++
    return true
  }

  word(...words: string[]): void {
    for (const w of words) if (!this.takeWord(w)) throw this.fail(`'${w}'`)
  }

  symbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.fail(`'${symbol}'`)
  }

  isName(ahead = 0): boolean {
    const t = this.peek(ahead)
    return t.kind === 'quoted' || (t.kind === 'word' && !RESERVED.has(t.text))
  }

  name(): Name {
    if (!this.isName()) throw this.fail('<identifier>')
    const t = this.next()
    if (t.kind === 'quoted' && t.text === '') throw syntaxError(`line ${t.line}:${t.column}: a name of no length`)
    return { text: t.kind === 'quoted' ? t.text : t.raw, quoted: t.kind === 'quoted' }
  }

  qualifiedName(): Name[] {
    const out = [this.name()]
    while (this.takeSymbol('.')) out.push(this.name())
    return out
  }

  string(): string {
    if (this.peek().kind !== 'string') throw this.fail('<string>')
    return this.next().text
  }

  integer(): number {
    if (this.peek().kind !== 'integer') throw this.fail('<integer>')
    return Number(this.next().text)
  }

  list<T>(item: () => T): T[] {
    const out = [item()]
    while (this.takeSymbol(',')) out.push(item())
    return out
  }

  parenthesized<T>(item: () => T): T {
    this.symbol('(')
    const out = item()
    this.symbol(')')
    return out
  }

  nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw syntaxError('the statement is nested too deeply')
    try {
      return read()
    } finally {
      this.depth--
    }
  }

  end(): void {
    if (this.peek().kind !== 'end') throw this.fail('<EOF>')
  }
}
