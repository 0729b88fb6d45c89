import { notSupported, QueryFailure, typeMismatch } from '../failure.ts'
import { direction } from './aggregates.ts'
import type { Analyzed } from './analyze.ts'
import { analyze, bool } from './analyze.ts'
import { isComparable, orderingKey, refuseInstants } from './operators.ts'
import { isRowByRow, keysOf, restrictPartitions } from './partition-keys.ts'
import { analyzeFrom } from './relations.ts'
import {
  type Context,
  type Field,
  nameKey,
  type OutputColumn,
  type PartitionKey,
  type Scope,
  type Session,
  type Typed,
} from './scope.ts'
import type { Expression, GroupingElement, Query, Select, SelectItem, SortItem } from './syntax.ts'
import { typeText } from './trino-type.ts'

interface Item {
  readonly typed: Typed
  readonly source?: Expression
  readonly name?: string
  readonly keys?: readonly PartitionKey[]
}

export function analyzeSelect(s: Select, session: Session, scope: Scope, q?: Query): Analyzed {
  const from = analyzeFrom(s.from, session, scope)
  const inner: Scope = {
    fields: from.fields,
    ctes: scope.ctes,
    ...(scope.parent === undefined && scope.fields.length === 0
      ? {}
      : { parent: scope.fields.length > 0 ? scope : scope.parent! }),
  }
  const base: Context = {
    session,
    scope: inner,
    lambdas: new Map(),
    clause: 'WHERE clause',
    aggregates: 'forbidden',
    windowing: 'forbidden',
    windows: new Map(),
  }
  const where = s.where === undefined ? '' : ` WHERE ${bool(s.where, base, 'WHERE clause')}`
  if (s.where !== undefined) restrictPartitions(s.where, base, from.fields)
  const windows = new Map(s.windows.map((w) => [w.name, w.spec] as const))
  const selecting: Context = { ...base, clause: 'SELECT', aggregates: 'allowed', windowing: 'allowed', windows }
  const items = s.items.flatMap((i) => selectItems(i, from.fields, selecting))
  const group =
    s.groupBy === undefined
      ? ''
      : groupSql(s.groupBy.elements, items, { ...base, clause: 'GROUP BY clause' }, s.groupBy.distinct)
  const having =
    s.having === undefined
      ? ''
      : ` HAVING ${bool(s.having, { ...selecting, clause: 'HAVING clause', windowing: 'forbidden' }, 'HAVING clause')}`
  if (s.distinct) {
    refuseInstants(
      items.map((i) => i.typed.type),
      'SELECT DISTINCT',
    )
    for (const i of items)
      if (!isComparable(i.typed.type))
        throw typeMismatch(`DISTINCT can only be applied to comparable types (actual: ${typeText(i.typed.type)})`)
  }
  const order =
    q === undefined || q.orderBy.length === 0
      ? ''
      : ` ORDER BY ${q.orderBy.map((o) => sortKey(o, items, selecting, s.distinct)).join(', ')}`
  if (q?.withTies) throw notSupported('FETCH FIRST WITH TIES')
  const limit = q === undefined ? '' : limitSql(q, session, scope)
  const list = items.map((i, n) => `${i.typed.sql} AS c${n}`).join(', ')
  const passesKeys = items.some((i) => i.keys !== undefined) && limit === '' && isRowByRow(s)
  return {
    sql: `SELECT ${s.distinct ? 'DISTINCT ' : ''}${list}${from.sql === '' ? '' : ` FROM ${from.sql}`}${where}${group}${having}${order}${limit}`,
    columns: items.map(
      (i): OutputColumn => ({
        type: i.typed.type,
        ...(i.name === undefined ? {} : { name: i.name }),
        ...(i.keys === undefined || !passesKeys ? {} : { keys: i.keys }),
      }),
    ),
  }
}

function selectItems(item: SelectItem, fields: readonly Field[], c: Context): Item[] {
  const ofField = (f: Field): Item => ({
    typed: { sql: f.sql, type: f.type },
    ...(f.label === undefined ? {} : { name: f.label }),
    ...(f.keys === undefined ? {} : { keys: f.keys }),
  })
  if (item.kind === 'all') {
    const visible = fields.filter((f) => !f.hidden)
    if (visible.length === 0)
      throw new QueryFailure('COLUMN_NOT_FOUND', 'SELECT * not allowed from relation that has no columns')
    return visible.map(ofField)
  }
  if (item.kind === 'allOf') {
    const path =
      item.base.kind === 'column'
        ? nameKey(item.base.name)
        : item.base.kind === 'field'
          ? nameKey(item.base.name)
          : undefined
    const own = path === undefined ? [] : fields.filter((f) => f.relation === path && !f.hidden)
    if (own.length > 0) {
      if (item.aliases.length > 0 && item.aliases.length !== own.length)
        throw new QueryFailure('MISMATCHED_COLUMN_ALIASES', 'Column alias list does not fit')
      return own.map((f, i) => (item.aliases.length > 0 ? { ...ofField(f), name: item.aliases[i]!.text } : ofField(f)))
    }
    if (item.base.kind === 'column')
      throw new QueryFailure('TABLE_NOT_FOUND', `Unable to resolve reference ${item.base.name.text}`)
    const base = analyze(item.base, c)
    if (base.type.name !== 'row') throw typeMismatch('the expression before .* is not a row')
    return base.type.args!.map((type, i) => {
      const name = item.aliases[i]?.text ?? base.type.fields![i]
      return { typed: { sql: `struct_extract(${base.sql}, 'f${i}')`, type }, ...(name === undefined ? {} : { name }) }
    })
  }
  const typed = analyze(item.value, c)
  if (typed.type.name === 'function') throw typeMismatch('a lambda is no value')
  const name = item.alias?.text ?? impliedName(item.value)
  const keys = keysOf(item.value, c, fields)
  return [
    {
      typed: typed.type.name === 'unknown' && typed.sql === 'NULL' ? { ...typed, sql: 'CAST(NULL AS INTEGER)' } : typed,
      source: item.value,
      ...(name === undefined ? {} : { name }),
      ...(keys.length === 0 ? {} : { keys }),
    },
  ]
}

function impliedName(e: Expression): string | undefined {
  if (e.kind === 'column') return e.name.text
  // a field of something that has no name itself gives none
  if (e.kind === 'field' && impliedName(e.base) !== undefined) return e.name.text
  return undefined
}

const position = (e: Expression) => (e.kind === 'number' && e.form === 'integer' ? Number(e.text) : undefined)

function groupSql(elements: readonly GroupingElement[], items: readonly Item[], c: Context, distinct: boolean): string {
  if (distinct && elements.length > 1) throw notSupported('GROUP BY DISTINCT')
  const key = (e: Expression, simple: boolean): string => {
    const at = position(e)
    let typed: Typed
    if (at !== undefined) {
      const item = items[at - 1]
      if (item === undefined)
        throw new QueryFailure('INVALID_COLUMN_REFERENCE', `GROUP BY position ${at} is not in select list`)
      if (item.source !== undefined) analyze(item.source, c)
      typed = item.typed
    } else {
      if (!simple && e.kind !== 'column' && e.kind !== 'field')
        throw new QueryFailure('INVALID_COLUMN_REFERENCE', 'GROUP BY expression must be a column reference')
      typed = analyze(e, c)
      const same = items.find((i) => i.source !== undefined && JSON.stringify(i.source) === JSON.stringify(e))
      if (same !== undefined) typed = same.typed
    }
    if (!isComparable(typed.type))
      throw typeMismatch(`${typeText(typed.type)} is not comparable, and therefore cannot be used in GROUP BY`)
    if (typed.zoned !== true) refuseInstants([typed.type], 'GROUP BY')
    return typed.sql === 'NULL' ? 'CAST(NULL AS INTEGER)' : typed.sql
  }
  const sets = (list: readonly (readonly Expression[])[], simple: boolean) =>
    list.map((set) => `(${set.map((e) => key(e, simple)).join(', ')})`).join(', ')
  const parts = elements.map((g) => {
    if (g.kind === 'simple') return g.keys.length === 0 ? '()' : g.keys.map((e) => key(e, true)).join(', ')
    if (g.kind === 'sets') return `GROUPING SETS (${sets(g.sets, false)})`
    return `${g.kind.toUpperCase()} (${sets(g.sets, false)})`
  })
  if (parts.length === 1 && parts[0] === '()') return ' GROUP BY GROUPING SETS (())'
  return ` GROUP BY ${parts.map((p) => (p === '()' ? 'GROUPING SETS (())' : p)).join(', ')}`
}

function sortKey(o: SortItem, items: readonly Item[], c: Context, distinct: boolean): string {
  const at = position(o.key)
  let index = at === undefined ? undefined : at - 1
  if (index !== undefined && items[index] === undefined)
    throw new QueryFailure('INVALID_COLUMN_REFERENCE', `ORDER BY position ${at} is not in select list`)
  const aliases = new Map<string, number[]>()
  items.forEach((i, n) => {
    if (i.name !== undefined) aliases.set(i.name.toLowerCase(), [...(aliases.get(i.name.toLowerCase()) ?? []), n])
  })
  if (index === undefined && o.key.kind === 'column') {
    const found = aliases.get(nameKey(o.key.name))
    if (found !== undefined) {
      if (found.length > 1 && new Set(found.map((n) => items[n]!.typed.sql)).size > 1)
        throw new QueryFailure('AMBIGUOUS_NAME', `Column '${o.key.name.text}' is ambiguous`)
      index = found[0]!
    }
  }
  const written = index === undefined ? analyzeSortKey(o.key, items, c) : items[index]!.typed
  if (index === undefined) index = items.findIndex((i) => i.typed.sql === written.sql)
  if (index < 0 && distinct)
    throw new QueryFailure(
      'EXPRESSION_NOT_IN_DISTINCT',
      'For SELECT DISTINCT, ORDER BY expressions must appear in select list',
    )
  const key = orderingKey(written, 'ORDER BY')
  return `${index >= 0 && key === items[index]!.typed.sql ? index + 1 : key}${direction(o)}`
}

/** Inside of an expression in ORDER BY the names of the output stand before those of the source. */
function analyzeSortKey(e: Expression, items: readonly Item[], c: Context): Typed {
  const named = items.flatMap((i): Field[] =>
    i.name === undefined || i.source === undefined
      ? []
      : [{ name: i.name.toLowerCase(), type: i.typed.type, sql: i.typed.sql }],
  )
  const renamed = named.filter((n) => named.filter((m) => m.name === n.name).length === 1)
  const hidden = new Set(renamed.map((n) => n.name))
  const fields = [
    ...renamed,
    ...c.scope.fields.map((f) =>
      f.name !== undefined && hidden.has(f.name) ? { ...f, name: `${f.relation ?? ''}\0${f.name}` } : f,
    ),
  ]
  try {
    return analyze(e, { ...c, clause: 'ORDER BY', scope: { ...c.scope, fields } })
  } catch (error) {
    if (error instanceof QueryFailure && error.code === 'COLUMN_NOT_FOUND')
      return analyze(e, { ...c, clause: 'ORDER BY' })
    throw error
  }
}

export function limitSql(q: Query, session: Session, scope: Scope): string {
  const count = (e: Expression | undefined, word: string) => {
    if (e === undefined) return ''
    const c: Context = {
      session,
      scope,
      lambdas: new Map(),
      clause: word,
      aggregates: 'forbidden',
      windowing: 'forbidden',
      windows: new Map(),
    }
    const value = analyze(e, c)
    if (typeof value.constant !== 'bigint') throw typeMismatch(`${word} row count must be an integer`)
    return ` ${word} ${value.constant}`
  }
  return count(q.limit, 'LIMIT') + count(q.offset, 'OFFSET')
}
