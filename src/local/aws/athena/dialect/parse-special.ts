/** Expressions that begin with a word and are no ordinary calls. */
import { notSupported } from '../failure.ts'
import type { Cursor } from './cursor.ts'
import { parseCallTail, parseExpression, parseInterval, parseSortItem, parseValue } from './parse-expression.ts'
import type { Expression, JsonBehaviour, JsonCall } from './syntax.ts'
import { parseTypeName } from './type-names.ts'

const CURRENT = [
  'CURRENT_DATE',
  'CURRENT_TIME',
  'CURRENT_TIMESTAMP',
  'LOCALTIME',
  'LOCALTIMESTAMP',
  'CURRENT_USER',
  'CURRENT_CATALOG',
  'CURRENT_SCHEMA',
  'CURRENT_PATH',
]

export function parseSpecial(c: Cursor): Expression | undefined {
  const word = c.peek().text
  const calls = c.isSymbol('(', 1)
  if (CURRENT.includes(word)) {
    c.next()
    const precision = c.isSymbol('(') && c.peek(1).kind === 'integer' ? c.parenthesized(() => c.integer()) : undefined
    return { kind: 'current', what: word.toLowerCase(), ...(precision === undefined ? {} : { precision }) }
  }
  switch (word) {
    case 'NULL':
      c.next()
      return { kind: 'null' }
    case 'TRUE':
    case 'FALSE':
      c.next()
      return { kind: 'boolean', value: word === 'TRUE' }
    case 'CASE':
      return parseCase(c)
    case 'EXISTS':
      c.next()
      return { kind: 'exists', query: c.parenthesized(() => c.grammar.query(c)) }
    case 'INTERVAL':
      return c.peek(1).kind === 'string' || ((c.isSymbol('-', 1) || c.isSymbol('+', 1)) && c.peek(2).kind === 'string')
        ? parseInterval(c)
        : undefined
    case 'ARRAY':
      if (!c.isSymbol('[', 1)) return undefined
      c.at += 2
      return finishList(c)
  }
  if (calls) return parseSpecialCall(c, word)
  return parseTypedLiteral(c)
}

function finishList(c: Cursor): Expression {
  const items = c.isSymbol(']') ? [] : c.list(() => parseExpression(c))
  c.symbol(']')
  return { kind: 'array', items }
}

function parseSpecialCall(c: Cursor, word: string): Expression | undefined {
  switch (word) {
    case 'CAST':
    case 'TRY_CAST': {
      c.at += 2
      const value = parseExpression(c)
      c.word('AS')
      const type = parseTypeName(c)
      c.symbol(')')
      return { kind: 'cast', value, type, safe: word === 'TRY_CAST' }
    }
    case 'ROW':
      c.next()
      return { kind: 'row', items: c.parenthesized(() => c.list(() => parseExpression(c))) }
    case 'EXTRACT': {
      c.at += 2
      const field = c.next().text.toLowerCase()
      c.word('FROM')
      const value = parseExpression(c)
      c.symbol(')')
      return { kind: 'extract', field, value }
    }
    case 'SUBSTRING': {
      const start = c.at
      c.at += 2
      const value = parseExpression(c)
      if (!c.takeWord('FROM')) {
        c.at = start
        return undefined
      }
      const args = [value, parseExpression(c)]
      if (c.takeWord('FOR')) args.push(parseExpression(c))
      c.symbol(')')
      return { kind: 'call', name: 'substring', args, distinct: false, star: false, orderBy: [] }
    }
    case 'POSITION': {
      c.at += 2
      const what = parseValue(c)
      c.word('IN')
      const within = parseValue(c)
      c.symbol(')')
      return { kind: 'call', name: 'strpos', args: [within, what], distinct: false, star: false, orderBy: [] }
    }
    case 'TRIM':
      return parseTrim(c)
    case 'NORMALIZE': {
      c.at += 2
      const value = parseExpression(c)
      const form = c.takeSymbol(',') ? c.next().text : 'NFC'
      c.symbol(')')
      return { kind: 'normalize', value, form }
    }
    case 'GROUPING':
      c.next()
      return { kind: 'grouping', columns: c.parenthesized(() => c.list(() => parseExpression(c))) }
    case 'LISTAGG':
      return parseListagg(c)
    case 'JSON_VALUE':
    case 'JSON_QUERY':
    case 'JSON_EXISTS':
      return parseJsonCall(c, word.toLowerCase() as JsonCall['name'])
    case 'JSON_OBJECT':
    case 'JSON_ARRAY':
    case 'JSON_TABLE':
      throw notSupported(word)
    default:
      return undefined
  }
}

function parseCase(c: Cursor): Expression {
  c.next()
  const operand = c.isWord('WHEN') ? undefined : parseExpression(c)
  const whens: { when: Expression; result: Expression }[] = []
  do {
    c.word('WHEN')
    const when = parseExpression(c)
    c.word('THEN')
    whens.push({ when, result: parseExpression(c) })
  } while (c.isWord('WHEN'))
  const otherwise = c.takeWord('ELSE') ? parseExpression(c) : undefined
  c.word('END')
  return {
    kind: 'case',
    whens,
    ...(operand === undefined ? {} : { operand }),
    ...(otherwise === undefined ? {} : { otherwise }),
  }
}

/** TRIM(x), TRIM(x, chars), TRIM([BOTH|LEADING|TRAILING] [chars] FROM x). */
function parseTrim(c: Cursor): Expression {
  c.at += 2
  const sides = { BOTH: 'both', LEADING: 'leading', TRAILING: 'trailing' } as const
  const word = c.peek().text as keyof typeof sides
  const side = c.peek().kind === 'word' && word in sides && !c.isSymbol(')', 1) ? sides[word] : undefined
  if (side !== undefined) c.next()
  if (c.takeWord('FROM')) {
    const value = parseExpression(c)
    c.symbol(')')
    return { kind: 'trim', side: side ?? 'both', value }
  }
  const first = parseExpression(c)
  let out: Expression
  if (c.takeWord('FROM')) out = { kind: 'trim', side: side ?? 'both', value: parseExpression(c), characters: first }
  else if (side === undefined && c.takeSymbol(','))
    out = { kind: 'trim', side: 'both', value: first, characters: parseExpression(c) }
  else out = { kind: 'trim', side: side ?? 'both', value: first }
  c.symbol(')')
  return out
}

function parseListagg(c: Cursor): Expression {
  c.at += 2
  const distinct = c.takeWord('DISTINCT')
  const args = c.list(() => parseExpression(c))
  let overflow: string | undefined
  if (c.takeWord('ON', 'OVERFLOW')) {
    overflow = c.next().text
    if (overflow !== 'ERROR') {
      if (c.peek().kind === 'string') c.next()
      if (!c.takeWord('WITH', 'COUNT')) c.takeWord('WITHOUT', 'COUNT')
    }
  }
  c.symbol(')')
  c.word('WITHIN', 'GROUP')
  const orderBy = c.parenthesized(() => {
    c.word('ORDER', 'BY')
    return c.list(() => parseSortItem(c))
  })
  return parseCallTail(c, {
    kind: 'call',
    name: 'listagg',
    args,
    distinct,
    star: false,
    orderBy,
    ...(overflow === undefined ? {} : { overflow }),
  })
}

function parseJsonCall(c: Cursor, name: JsonCall['name']): Expression {
  c.at += 2
  const input = parseExpression(c)
  const format = c.takeWord('FORMAT', 'JSON')
  c.symbol(',')
  const path = c.string()
  const passing = c.takeWord('PASSING')
  if (passing) throw notSupported('PASSING in JSON functions')
  let out: JsonCall = { kind: 'jsonCall', name, input, path, passing, format }
  if (c.takeWord('RETURNING')) out = { ...out, returning: parseTypeName(c) }
  if (c.takeWord('WITHOUT')) {
    c.takeWord('ARRAY')
    c.word('WRAPPER')
    out = { ...out, wrapper: 'WITHOUT' }
  } else if (c.takeWord('WITH')) {
    const wrapper = c.takeWord('CONDITIONAL') ? 'CONDITIONAL' : 'UNCONDITIONAL'
    if (wrapper === 'UNCONDITIONAL') c.takeWord('UNCONDITIONAL')
    c.takeWord('ARRAY')
    c.word('WRAPPER')
    out = { ...out, wrapper }
  }
  if (c.isWord('KEEP') || c.isWord('OMIT')) {
    const quotes = c.next().text as 'KEEP' | 'OMIT'
    c.word('QUOTES')
    if (c.takeWord('ON')) c.word('SCALAR', 'STRING')
    out = { ...out, quotes }
  }
  while (!c.isSymbol(')')) {
    const behaviour = parseBehaviour(c)
    c.word('ON')
    if (c.takeWord('EMPTY')) out = { ...out, onEmpty: behaviour }
    else {
      c.word('ERROR')
      out = { ...out, onError: behaviour }
    }
  }
  c.symbol(')')
  return out
}

function parseBehaviour(c: Cursor): JsonBehaviour {
  if (c.takeWord('DEFAULT')) return { kind: 'DEFAULT', value: parseExpression(c) }
  if (c.takeWord('EMPTY', 'ARRAY')) return { kind: 'EMPTY ARRAY' }
  if (c.takeWord('EMPTY', 'OBJECT')) return { kind: 'EMPTY OBJECT' }
  const word = c.next().text
  if (['NULL', 'ERROR', 'TRUE', 'FALSE', 'UNKNOWN'].includes(word)) return { kind: word as JsonBehaviour['kind'] }
  c.at--
  throw c.fail("'NULL'")
}

/** `DATE '2026-01-01'`, `DECIMAL '1.5'`, `BIGINT '1'`: a type's name directly before a text. */
function parseTypedLiteral(c: Cursor): Expression | undefined {
  if (!c.isName()) return undefined
  if (c.isWord('DOUBLE', 'PRECISION') && c.peek(2).kind === 'string') {
    c.at += 2
    return { kind: 'typed', type: { name: 'double', parameters: [] }, value: c.string() }
  }
  if (c.peek(1).kind !== 'string') return undefined
  const name = c.name().text.toLowerCase()
  return { kind: 'typed', type: { name, parameters: [] }, value: c.string() }
}
