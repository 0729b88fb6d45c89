import { notSupported } from '../failure.ts'
import type { Cursor } from './cursor.ts'
import type { Call, Expression, Frame, FrameBound, IntervalUnit, SortItem, WindowSpec } from './syntax.ts'
import { parseTypeName } from './type-names.ts'

export function parseExpression(c: Cursor): Expression {
  return c.nested(() => parseOr(c))
}

function parseOr(c: Cursor): Expression {
  const terms = [parseAnd(c)]
  while (c.takeWord('OR')) terms.push(parseAnd(c))
  return terms.length === 1 ? terms[0]! : { kind: 'or', terms }
}

function parseAnd(c: Cursor): Expression {
  const terms = [parseNot(c)]
  while (c.takeWord('AND')) terms.push(parseNot(c))
  return terms.length === 1 ? terms[0]! : { kind: 'and', terms }
}

function parseNot(c: Cursor): Expression {
  if (c.takeWord('NOT')) return { kind: 'not', value: c.nested(() => parseNot(c)) }
  return parsePredicate(c)
}

const COMPARISONS = ['=', '<>', '!=', '<', '<=', '>', '>=']

function parsePredicate(c: Cursor): Expression {
  let left = parseValue(c)
  for (;;) {
    const op = COMPARISONS.find((s) => c.isSymbol(s))
    if (op !== undefined) {
      c.next()
      const name = op === '!=' ? '<>' : op
      if ((c.isWord('ALL') || c.isWord('ANY') || c.isWord('SOME')) && c.isSymbol('(', 1)) {
        const all = c.next().text === 'ALL'
        left = { kind: 'quantified', op: name, left, all, query: c.parenthesized(() => c.grammar.query(c)) }
      } else left = { kind: 'compare', op: name, left, right: parseValue(c) }
      continue
    }
    if (c.takeWord('IS')) {
      const negated = c.takeWord('NOT')
      let test: Expression
      if (c.takeWord('NULL')) test = { kind: 'isNull', value: left }
      else {
        c.word('DISTINCT', 'FROM')
        test = { kind: 'isDistinct', left, right: parseValue(c) }
      }
      left = negated ? { kind: 'not', value: test } : test
      continue
    }
    const negated = c.isWord('NOT') && ['BETWEEN', 'IN', 'LIKE'].includes(c.peek(1).text)
    if (negated) c.next()
    const test = parseTest(c, left)
    if (test === undefined) return left
    left = negated ? { kind: 'not', value: test } : test
  }
}

function parseTest(c: Cursor, value: Expression): Expression | undefined {
  if (c.takeWord('BETWEEN')) {
    const low = parseValue(c)
    c.word('AND')
    return { kind: 'between', value, low, high: parseValue(c) }
  }
  if (c.takeWord('IN')) {
    c.symbol('(')
    let test: Expression
    if (startsQuery(c)) test = { kind: 'inQuery', value, query: c.grammar.query(c) }
    else test = { kind: 'in', value, list: c.list(() => parseExpression(c)) }
    c.symbol(')')
    return test
  }
  if (c.takeWord('LIKE')) {
    const pattern = parseValue(c)
    return c.takeWord('ESCAPE')
      ? { kind: 'like', value, pattern, escape: parseValue(c) }
      : { kind: 'like', value, pattern }
  }
  return undefined
}

/** Does a query (and not an expression) begin here, perhaps after parentheses? */
export function startsQuery(c: Cursor): boolean {
  let ahead = 0
  while (c.isSymbol('(', ahead)) ahead++
  const t = c.peek(ahead)
  return (
    t.kind === 'word' &&
    (['SELECT', 'WITH', 'VALUES'].includes(t.text) || (t.text === 'TABLE' && !c.isSymbol('(', ahead + 1)))
  )
}

export function parseValue(c: Cursor): Expression {
  let left = parseTerm(c)
  for (;;) {
    const op = ['+', '-', '||'].find((s) => c.isSymbol(s)) as '+' | '-' | '||' | undefined
    if (op === undefined) return left
    c.next()
    left = { kind: 'binaryOp', op, left, right: parseTerm(c) }
  }
}

function parseTerm(c: Cursor): Expression {
  let left = parseUnary(c)
  for (;;) {
    const op = ['*', '/', '%'].find((s) => c.isSymbol(s)) as '*' | '/' | '%' | undefined
    if (op === undefined) return left
    c.next()
    left = { kind: 'binaryOp', op, left, right: parseUnary(c) }
  }
}

function parseUnary(c: Cursor): Expression {
  for (const op of ['-', '+'] as const)
    if (c.takeSymbol(op)) return c.nested(() => ({ kind: 'unary', op, value: parseUnary(c) }) as const)
  return parsePostfix(c)
}

function parsePostfix(c: Cursor): Expression {
  let value = parsePrimary(c)
  for (;;) {
    if (c.takeSymbol('[')) {
      value = { kind: 'subscript', value, index: parseValue(c) }
      c.symbol(']')
    } else if (c.isSymbol('.') && c.isName(1)) {
      c.next()
      value = { kind: 'field', base: value, name: c.name() }
    } else if (c.takeWord('AT', 'TIME', 'ZONE')) {
      value = {
        kind: 'atTimeZone',
        value,
        zone: c.isWord('INTERVAL') ? parsePrimary(c) : { kind: 'string', value: c.string() },
      }
    } else return value
  }
}

function parsePrimary(c: Cursor): Expression {
  const t = c.peek()
  switch (t.kind) {
    case 'integer':
    case 'decimal':
    case 'double':
      c.next()
      return { kind: 'number', form: t.kind, text: t.text }
    case 'string':
      c.next()
      return { kind: 'string', value: t.text }
    case 'unicode':
      c.next()
      return { kind: 'string', value: unescapeUnicode(t.text, c.takeWord('UESCAPE') ? c.string() : '\\') }
    case 'binary':
      c.next()
      return { kind: 'binary', hex: t.text.replace(/\s/g, '') }
    case 'symbol':
      if (c.takeSymbol('?')) return { kind: 'parameter', index: c.parameters++ }
      if (t.text === '(') return parseParentheses(c)
      throw c.fail('<expression>')
    case 'end':
      throw c.fail('<expression>')
    default:
      return parseNamed(c)
  }
}

function unescapeUnicode(text: string, escapeBy: string): string {
  const e = escapeBy.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replace(new RegExp(`${e}(${e}|\\+[0-9a-fA-F]{6}|[0-9a-fA-F]{4})`, 'g'), (_, code: string) =>
    code === escapeBy ? escapeBy : String.fromCodePoint(Number.parseInt(code.replace('+', ''), 16)),
  )
}

function parseParentheses(c: Cursor): Expression {
  if (isLambda(c)) {
    const parameters = c.parenthesized(() => (c.isSymbol(')') ? [] : c.list(() => c.name().text.toLowerCase())))
    c.symbol('->')
    return { kind: 'lambda', parameters, body: parseExpression(c) }
  }
  c.symbol('(')
  if (startsQuery(c)) {
    const start = c.at
    const query = c.grammar.query(c)
    if (c.takeSymbol(')')) return { kind: 'subquery', query }
    c.at = start
  }
  const items = c.list(() => parseExpression(c))
  c.symbol(')')
  return items.length === 1 ? items[0]! : { kind: 'row', items }
}

function isLambda(c: Cursor): boolean {
  let i = 1
  if (!c.isSymbol(')', i)) {
    for (;;) {
      if (!c.isName(i)) return false
      i++
      if (!c.isSymbol(',', i)) break
      i++
    }
  }
  return c.isSymbol(')', i) && c.isSymbol('->', i + 1)
}

function parseNamed(c: Cursor): Expression {
  if (c.peek().kind === 'word') {
    const special = c.grammar.special(c)
    if (special !== undefined) return special
  }
  if (c.isName() && c.isSymbol('->', 1)) {
    const parameter = c.name().text.toLowerCase()
    c.next()
    return { kind: 'lambda', parameters: [parameter], body: parseExpression(c) }
  }
  if (c.isName() && c.isSymbol('(', 1)) return parseCall(c, c.name().text.toLowerCase())
  return { kind: 'column', name: c.name() }
}

/** From the opening parenthesis on. */
export function parseCall(c: Cursor, name: string): Call {
  c.symbol('(')
  let star = false
  let distinct = false
  let args: Expression[] = []
  let orderBy: SortItem[] = []
  if (c.takeSymbol('*')) star = true
  else if (!c.isSymbol(')')) {
    distinct = c.takeWord('DISTINCT')
    if (!distinct) c.takeWord('ALL')
    args = c.list(() => parseExpression(c))
    if (c.takeWord('ORDER', 'BY')) orderBy = c.list(() => parseSortItem(c))
  }
  c.symbol(')')
  return parseCallTail(c, { kind: 'call', name, args, distinct, star, orderBy })
}

export function parseCallTail(c: Cursor, call: Call): Call {
  let out = call
  if (c.isWord('FILTER') && c.isSymbol('(', 1)) {
    c.next()
    out = {
      ...out,
      filter: c.parenthesized(() => {
        c.word('WHERE')
        return parseExpression(c)
      }),
    }
  }
  if (c.takeWord('IGNORE', 'NULLS')) out = { ...out, nulls: 'IGNORE' }
  else if (c.takeWord('RESPECT', 'NULLS')) out = { ...out, nulls: 'RESPECT' }
  if (c.takeWord('OVER')) out = { ...out, over: parseOver(c) }
  return out
}

function parseOver(c: Cursor): WindowSpec {
  if (!c.isSymbol('(')) return { base: c.name().text.toLowerCase(), partitionBy: [], orderBy: [] }
  return c.parenthesized(() => parseWindowSpec(c))
}

export function parseWindowSpec(c: Cursor): WindowSpec {
  const base = c.isName() && !c.isWord('PARTITION', 'BY') && !isFrameStart(c) ? c.name().text.toLowerCase() : undefined
  const partitionBy = c.takeWord('PARTITION', 'BY') ? c.list(() => parseExpression(c)) : []
  const orderBy = c.takeWord('ORDER', 'BY') ? c.list(() => parseSortItem(c)) : []
  const frame = isFrameStart(c) ? parseFrame(c) : undefined
  return { partitionBy, orderBy, ...(base === undefined ? {} : { base }), ...(frame === undefined ? {} : { frame }) }
}

function isFrameStart(c: Cursor): boolean {
  const after = c.peek(1)
  return (
    (c.isWord('ROWS') || c.isWord('RANGE') || c.isWord('GROUPS')) &&
    after.kind !== 'end' &&
    !c.isSymbol(')', 1) &&
    !c.isSymbol(',', 1)
  )
}

function parseFrame(c: Cursor): Frame {
  const unit = c.next().text as Frame['unit']
  if (!c.takeWord('BETWEEN')) return { unit, start: parseBound(c), end: { kind: 'current' } }
  const start = parseBound(c)
  c.word('AND')
  return { unit, start, end: parseBound(c) }
}

function parseBound(c: Cursor): FrameBound {
  if (c.takeWord('UNBOUNDED', 'PRECEDING')) return { kind: 'unboundedPreceding' }
  if (c.takeWord('UNBOUNDED', 'FOLLOWING')) return { kind: 'unboundedFollowing' }
  if (c.takeWord('CURRENT', 'ROW')) return { kind: 'current' }
  const value = parseExpression(c)
  if (c.takeWord('PRECEDING')) return { kind: 'preceding', value }
  c.word('FOLLOWING')
  return { kind: 'following', value }
}

export function parseSortItem(c: Cursor): SortItem {
  const key = parseExpression(c)
  const descending = c.takeWord('DESC')
  if (!descending) c.takeWord('ASC')
  let nullsFirst = false
  if (c.takeWord('NULLS', 'FIRST')) nullsFirst = true
  else c.takeWord('NULLS', 'LAST')
  return { key, descending, nullsFirst }
}

const UNITS = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND']

export function parseInterval(c: Cursor): Expression {
  c.next()
  const sign = c.takeSymbol('-') ? -1 : 1
  if (sign === 1) c.takeSymbol('+')
  const value = c.string()
  const unit = () => {
    const t = c.next()
    if (!UNITS.includes(t.text)) throw notSupported(`interval unit ${t.raw.slice(0, 20)}`)
    return t.text as IntervalUnit
  }
  const from = unit()
  return c.takeWord('TO')
    ? { kind: 'interval', sign, value, unit: from, to: unit() }
    : { kind: 'interval', sign, value, unit: from }
}

export { parseTypeName }
