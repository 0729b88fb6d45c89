import { Cursor, type Grammar } from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseQuery } from './parse-query.ts'
import { parseSpecial } from './parse-special.ts'
import type { Query } from './syntax.ts'
import { tokenize } from './tokens.ts'

const GRAMMAR: Grammar = { expression: parseExpression, query: parseQuery, special: parseSpecial }

/** `backquotes`: names may stand in them, as in Hive's DDL. */
export const openCursor = (sql: string, backquotes = false) => new Cursor(sql, tokenize(sql, backquotes), GRAMMAR)

/** The whole text is one query; a single `;` at the end is allowed. */
export function parseQueryText(sql: string): Query {
  const c = openCursor(sql)
  const query = parseQuery(c)
  c.takeSymbol(';')
  c.end()
  return query
}
