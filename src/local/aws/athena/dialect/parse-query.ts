import { notSupported } from '../failure.ts'
import type { Cursor } from './cursor.ts'
import { parseExpression, parseSortItem, parseWindowSpec, startsQuery } from './parse-expression.ts'
import type {
  CommonTable,
  Expression,
  GroupingElement,
  Name,
  Query,
  QueryBody,
  Relation,
  Select,
  SelectItem,
} from './syntax.ts'

export function parseQuery(c: Cursor): Query {
  return c.nested(() => {
    let recursive = false
    let ctes: CommonTable[] = []
    if (c.takeWord('WITH')) {
      recursive = c.takeWord('RECURSIVE')
      ctes = c.list(() => parseCommonTable(c))
    }
    const body = parseSetOp(c)
    const orderBy = c.takeWord('ORDER', 'BY') ? c.list(() => parseSortItem(c)) : []
    let offset: Expression | undefined
    if (c.takeWord('OFFSET')) {
      offset = parseRowCount(c)
      if (!c.takeWord('ROWS')) c.takeWord('ROW')
    }
    let limit: Expression | undefined
    let withTies = false
    if (c.takeWord('LIMIT')) limit = c.takeWord('ALL') ? undefined : parseRowCount(c)
    else if (c.takeWord('FETCH')) {
      if (!c.takeWord('FIRST')) c.word('NEXT')
      limit = c.isWord('ROW') || c.isWord('ROWS') ? { kind: 'number', form: 'integer', text: '1' } : parseRowCount(c)
      if (!c.takeWord('ROWS')) c.word('ROW')
      if (c.takeWord('WITH')) {
        c.word('TIES')
        withTies = true
      } else c.word('ONLY')
    }
    return {
      recursive,
      with: ctes,
      body,
      orderBy,
      withTies,
      ...(offset === undefined ? {} : { offset }),
      ...(limit === undefined ? {} : { limit }),
    }
  })
}

function parseRowCount(c: Cursor): Expression {
  if (c.takeSymbol('?')) return { kind: 'parameter', index: c.parameters++ }
  return { kind: 'number', form: 'integer', text: String(c.integer()) }
}

function parseCommonTable(c: Cursor): CommonTable {
  const name = c.name()
  const columns = c.isSymbol('(') ? c.parenthesized(() => c.list(() => c.name())) : undefined
  c.word('AS')
  const query = c.parenthesized(() => parseQuery(c))
  return columns === undefined ? { name, query } : { name, columns, query }
}

function parseSetOp(c: Cursor): QueryBody {
  let left = parseIntersect(c)
  while (c.isWord('UNION') || c.isWord('EXCEPT')) {
    const op = c.next().text as 'UNION' | 'EXCEPT'
    const all = takeQuantifier(c)
    left = { kind: 'setOp', op, all, left, right: parseIntersect(c) }
  }
  return left
}

function parseIntersect(c: Cursor): QueryBody {
  let left = parseQueryPrimary(c)
  while (c.takeWord('INTERSECT')) {
    const all = takeQuantifier(c)
    left = { kind: 'setOp', op: 'INTERSECT', all, left, right: parseQueryPrimary(c) }
  }
  return left
}

function takeQuantifier(c: Cursor): boolean {
  const all = c.takeWord('ALL')
  if (!all) c.takeWord('DISTINCT')
  return all
}

function parseQueryPrimary(c: Cursor): QueryBody {
  if (c.isSymbol('(')) return { kind: 'nested', query: c.parenthesized(() => parseQuery(c)) }
  if (c.takeWord('VALUES')) return { kind: 'values', rows: c.list(() => parseExpression(c)) }
  if (c.takeWord('TABLE')) return { kind: 'tableName', name: c.qualifiedName() }
  return parseSelect(c)
}

function parseSelect(c: Cursor): Select {
  c.word('SELECT')
  const distinct = c.takeWord('DISTINCT')
  if (!distinct) c.takeWord('ALL')
  const items = c.list(() => parseSelectItem(c))
  const from = c.takeWord('FROM') ? c.list(() => parseRelation(c)) : []
  const where = c.takeWord('WHERE') ? parseExpression(c) : undefined
  const groupBy = c.takeWord('GROUP', 'BY') ? parseGroupBy(c) : undefined
  const having = c.takeWord('HAVING') ? parseExpression(c) : undefined
  const windows = c.takeWord('WINDOW')
    ? c.list(() => {
        const name = c.name().text.toLowerCase()
        c.word('AS')
        return { name, spec: c.parenthesized(() => parseWindowSpec(c)) }
      })
    : []
  return {
    kind: 'select',
    distinct,
    items,
    from,
    windows,
    ...(where === undefined ? {} : { where }),
    ...(groupBy === undefined ? {} : { groupBy }),
    ...(having === undefined ? {} : { having }),
  }
}

function parseSelectItem(c: Cursor): SelectItem {
  if (c.takeSymbol('*')) return { kind: 'all' }
  const value = parseExpression(c)
  if (c.isSymbol('.') && c.isSymbol('*', 1)) {
    c.at += 2
    const aliases = c.takeWord('AS') ? c.parenthesized(() => c.list(() => c.name())) : []
    return { kind: 'allOf', base: value, aliases }
  }
  if (c.takeWord('AS')) return { kind: 'expression', value, alias: c.name() }
  return c.isName() ? { kind: 'expression', value, alias: c.name() } : { kind: 'expression', value }
}

function parseGroupBy(c: Cursor): NonNullable<Select['groupBy']> {
  const distinct = c.takeWord('DISTINCT')
  if (!distinct) c.takeWord('ALL')
  return { distinct, elements: c.list(() => parseGroupingElement(c)) }
}

function parseGroupingElement(c: Cursor): GroupingElement {
  for (const kind of ['rollup', 'cube'] as const)
    if (c.takeWord(kind.toUpperCase()))
      return { kind, sets: c.parenthesized(() => (c.isSymbol(')') ? [] : c.list(() => parseGroupingSet(c)))) }
  if (c.takeWord('GROUPING', 'SETS'))
    return { kind: 'sets', sets: c.parenthesized(() => c.list(() => parseGroupingSet(c))) }
  return { kind: 'simple', keys: parseGroupingSet(c) }
}

function parseGroupingSet(c: Cursor): Expression[] {
  if (c.isSymbol('(') && c.isSymbol(')', 1)) {
    c.at += 2
    return []
  }
  const key = parseExpression(c)
  return key.kind === 'row' ? [...key.items] : [key]
}

function parseRelation(c: Cursor): Relation {
  let left = parseSampled(c)
  for (;;) {
    if (c.takeWord('CROSS', 'JOIN')) {
      left = { kind: 'join', type: 'CROSS', left, right: parseSampled(c) }
      continue
    }
    if (c.isWord('NATURAL')) throw notSupported('NATURAL JOIN')
    const type = takeJoinType(c)
    if (type === undefined) return left
    const right = parseRelation(c)
    if (c.takeWord('ON')) left = { kind: 'join', type, left, right, on: parseExpression(c) }
    else {
      c.word('USING')
      left = { kind: 'join', type, left, right, using: c.parenthesized(() => c.list(() => c.name())) }
    }
  }
}

function takeJoinType(c: Cursor): 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | undefined {
  if (c.takeWord('JOIN') || c.takeWord('INNER', 'JOIN')) return 'INNER'
  for (const side of ['LEFT', 'RIGHT', 'FULL'] as const)
    if (c.takeWord(side)) {
      c.takeWord('OUTER')
      c.word('JOIN')
      return side
    }
  return undefined
}

function parseSampled(c: Cursor): Relation {
  const relation = parseAliased(c)
  if (!c.takeWord('TABLESAMPLE')) return relation
  const method = c.next().text
  return { kind: 'sample', relation, method, percentage: c.parenthesized(() => parseExpression(c)) }
}

function parseAliased(c: Cursor): Relation {
  const relation = parseRelationPrimary(c)
  if (c.isWord('MATCH_RECOGNIZE') && c.isSymbol('(', 1)) throw notSupported('MATCH_RECOGNIZE')
  const as = c.takeWord('AS')
  if (
    !as &&
    !(
      c.isName() &&
      !c.isWord('TABLESAMPLE') &&
      !c.isWord('WINDOW') &&
      !c.isWord('LIMIT') &&
      !c.isWord('OFFSET') &&
      !c.isWord('FETCH')
    )
  )
    return relation
  const alias = c.name()
  const columns: Name[] | undefined = c.isSymbol('(') ? c.parenthesized(() => c.list(() => c.name())) : undefined
  return columns === undefined ? { kind: 'aliased', relation, alias } : { kind: 'aliased', relation, alias, columns }
}

function parseRelationPrimary(c: Cursor): Relation {
  if (c.isWord('UNNEST') && c.isSymbol('(', 1)) {
    c.next()
    const items = c.parenthesized(() => c.list(() => parseExpression(c)))
    return { kind: 'unnest', items, ordinality: c.takeWord('WITH', 'ORDINALITY') }
  }
  if (c.isWord('LATERAL') && c.isSymbol('(', 1)) {
    c.next()
    return { kind: 'lateral', query: c.parenthesized(() => parseQuery(c)) }
  }
  if (c.isWord('TABLE') && c.isSymbol('(', 1)) throw notSupported('a table function')
  if (c.isSymbol('(')) {
    if (startsQuery(c)) {
      const start = c.at
      try {
        return { kind: 'query', query: c.parenthesized(() => parseQuery(c)) }
      } catch (error) {
        // `((SELECT …) a JOIN b …)` begins like a query and is a relation
        if (!c.tokens[start + 1] || c.tokens[start + 1]!.text !== '(') throw error
        c.at = start
      }
    }
    return c.parenthesized(() => parseRelation(c))
  }
  return { kind: 'table', name: c.qualifiedName() }
}
