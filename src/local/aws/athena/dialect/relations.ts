import { notSupported, QueryFailure, typeMismatch } from '../failure.ts'
import { analyze, analyzeQuery, bool } from './analyze.ts'
import { coerce } from './casts.ts'
import { commonType } from './coercion.ts'
import { parseQueryText } from './grammar.ts'
import { instantOf } from './operators.ts'
import { restrictPartitions } from './partition-keys.ts'
import {
  type Context,
  type Field,
  nameKey,
  type OutputColumn,
  quoteName,
  renamed,
  type Scope,
  type Session,
} from './scope.ts'
import type { Name, Relation } from './syntax.ts'
import { BIGINT, type TrinoType, typeText } from './trino-type.ts'

type JoinType = (Relation & { kind: 'join' })['type']

interface From {
  readonly sql: string
  readonly fields: readonly Field[]
}

export function analyzeFrom(relations: readonly Relation[], session: Session, scope: Scope): From {
  let out: From = { sql: '', fields: [] }
  for (const r of relations) {
    const next = analyzeRelation(r, session, scope, out.fields)
    out = {
      sql: out.sql === '' ? next.sql : `${out.sql} CROSS JOIN ${isLateral(r) ? 'LATERAL ' : ''}${next.sql}`,
      fields: [...out.fields, ...next.fields],
    }
  }
  return out
}

const isLateral = (r: Relation): boolean =>
  r.kind === 'lateral' || r.kind === 'unnest' || (r.kind === 'aliased' && isLateral(r.relation))

/** `left`: fields that stand before this relation, seen by LATERAL and UNNEST. */
function analyzeRelation(r: Relation, session: Session, scope: Scope, left: readonly Field[]): From {
  switch (r.kind) {
    case 'table':
      return table(r.name, session, scope)
    case 'query':
      return fromColumns(analyzeQuery(r.query, session, outerOf(scope)), session)
    case 'lateral':
      return keyless(fromColumns(analyzeQuery(r.query, session, withFields(scope, left)), session))
    case 'unnest':
      return unnest(r, session, scope, left)
    case 'aliased': {
      const inner = analyzeRelation(r.relation, session, scope, left)
      const relation = nameKey(r.alias)
      const visible = inner.fields.filter((f) => !f.hidden)
      const names = renamed(
        visible.map((f) => ({ type: f.type, ...(f.label === undefined ? {} : { name: f.label }) })),
        r.columns?.map((n) => n.text),
        relation,
      )
      const fields = visible.map(
        (f, i): Field => ({
          relation,
          type: f.type,
          sql: f.sql,
          ...(names[i]!.name === undefined ? {} : { name: names[i]!.name!.toLowerCase(), label: names[i]!.name! }),
          ...(f.keys === undefined ? {} : { keys: f.keys }),
        }),
      )
      return {
        sql: inner.sql,
        fields: [
          ...fields,
          ...(r.columns === undefined ? inner.fields.filter((f) => f.hidden).map((f) => ({ ...f, relation })) : []),
        ],
      }
    }
    case 'join':
      return join(r, session, scope, left)
    case 'sample':
      throw notSupported('TABLESAMPLE')
  }
}

/** A subquery in FROM sees what its own query may see around it, not its neighbours. */
const outerOf = (scope: Scope): Scope => scope
const withFields = (scope: Scope, fields: readonly Field[]): Scope => ({ fields, ctes: scope.ctes, parent: scope })

function fromColumns(q: { sql: string; columns: readonly OutputColumn[] }, session: Session, relation?: string): From {
  const id = session.id('r')
  return { sql: `(${q.sql}) AS ${id}`, fields: fieldsOf(id, q.columns, relation) }
}

const fieldsOf = (id: string, columns: readonly OutputColumn[], relation?: string): Field[] =>
  columns.map((c, i) => ({
    sql: `${id}.c${i}`,
    type: c.type,
    ...(relation === undefined ? {} : { relation }),
    ...(c.name === undefined ? {} : { name: c.name.toLowerCase(), label: c.name }),
    ...(c.keys === undefined ? {} : { keys: c.keys }),
  }))

const keyless = ({ sql, fields }: From): From => ({ sql, fields: withoutKeys(fields) })

/** For rows that are made once and read in several places, or that stay, filled with NULL, when those of the partition are gone. */
const withoutKeys = (fields: readonly Field[]): Field[] => fields.map(({ keys: _, ...field }) => field)

function table(name: readonly Name[], session: Session, scope: Scope): From {
  const relation = nameKey(name.at(-1)!)
  if (name.length === 1) {
    const cte = scope.ctes.get(relation)
    if (cte !== undefined) {
      const id = session.id('r')
      return { sql: `${cte.sql} AS ${id}`, fields: withoutKeys(fieldsOf(id, cte.columns, relation)) }
    }
  }
  const found = session.tables.resolve(name.map(nameKey), session.database)
  if ('view' in found) return view(found.key, found.view, relation, session)
  const id = session.id('r')
  const fields = found.table.columns.map(
    (c): Field => ({
      relation,
      name: c.name.toLowerCase(),
      label: c.name,
      type: c.type,
      sql: `${id}.${c.sql ?? quoteName(c.name)}`,
      ...(c.hidden ? { hidden: true } : {}),
      ...(c.key === undefined ? {} : { keys: [c.key] }),
    }),
  )
  return { sql: `${found.table.sql} AS ${id}`, fields }
}

function view(
  key: string,
  v: { sql: string; schema: string; columns: readonly { name: string; type: TrinoType }[] },
  relation: string,
  session: Session,
): From {
  if (session.viewStack.includes(key))
    throw new QueryFailure('VIEW_IS_RECURSIVE', 'Statement would create a recursive view')
  session.viewStack.push(key)
  const database = session.database
  session.database = v.schema
  try {
    const inner = analyzeQuery(parseQueryText(v.sql), session)
    if (inner.columns.length !== v.columns.length)
      throw new QueryFailure(
        'VIEW_IS_STALE',
        `View '${key}' is stale or in invalid state: its query has ${inner.columns.length} columns, the view ${v.columns.length}`,
      )
    const id = session.id('r')
    const fields = v.columns.map((c, i): Field => {
      const type = inner.columns[i]!.type
      const common = commonType(type, c.type)
      if (common === undefined || (common.name !== c.type.name && c.type.name !== 'unknown'))
        throw new QueryFailure(
          'VIEW_IS_STALE',
          `View '${key}' is stale or in invalid state: column ${c.name} is of type ${typeText(type)}, the view says ${typeText(c.type)}`,
        )
      const value = { sql: `${id}.c${i}`, type }
      const { sql } = coerce(session, value, c.type)
      const keys = sql === value.sql ? inner.columns[i]!.keys : undefined
      return {
        relation,
        name: c.name.toLowerCase(),
        label: c.name,
        type: c.type.name === 'unknown' ? type : c.type,
        sql,
        ...(keys === undefined ? {} : { keys }),
      }
    })
    return { sql: `(${inner.sql}) AS ${id}`, fields }
  } finally {
    session.viewStack.pop()
    session.database = database
  }
}

function join(r: Relation & { kind: 'join' }, session: Session, scope: Scope, before: readonly Field[]): From {
  const left = analyzeRelation(r.left, session, scope, before)
  const right = analyzeRelation(r.right, session, scope, [...before, ...left.fields])
  const lateral = isLateral(r.right)
  if (lateral && (r.type === 'RIGHT' || r.type === 'FULL'))
    throw new QueryFailure(
      'INVALID_COLUMN_REFERENCE',
      `LATERAL and UNNEST cannot stand on the right of a ${r.type} JOIN`,
    )
  const word = lateral ? 'LATERAL ' : ''
  const fields = joinedFields(r.type, left, right)
  if (r.type === 'CROSS') return { sql: `${left.sql} CROSS JOIN ${word}${group(r.right, right.sql)}`, fields }
  const context: Context = {
    session,
    scope: { ...scope, fields, ...(scope.fields.length > 0 ? { parent: scope } : {}) },
    lambdas: new Map(),
    clause: 'JOIN clause',
    aggregates: 'forbidden',
    windowing: 'forbidden',
    windows: new Map(),
  }
  if (r.using !== undefined) return using(r, left, right, context, word)
  const on = bool(r.on!, context, 'JOIN ON clause')
  if (r.type !== 'FULL') restrictPartitions(r.on!, context, matchedFields(r.type, left, right))
  if (lateral && unnestOf(r.right) && !(r.on!.kind === 'boolean' && r.on!.value))
    throw notSupported('JOIN involving UNNEST with a condition other than ON TRUE')
  return { sql: `${left.sql} ${r.type} JOIN ${word}${group(r.right, right.sql)} ON ${on}`, fields }
}

/** A side whose rows stay without a match shows NULL for the other's columns. */
const joinedFields = (type: JoinType, left: From, right: From): Field[] => [
  ...(type === 'RIGHT' || type === 'FULL' ? withoutKeys(left.fields) : left.fields),
  ...(type === 'LEFT' || type === 'FULL' ? withoutKeys(right.fields) : right.fields),
]

/** Of the rows that the condition of a join drops: those of a side that stays are not among them. */
const matchedFields = (type: JoinType, left: From, right: From): Field[] => [
  ...(type === 'LEFT' ? [] : left.fields),
  ...(type === 'RIGHT' ? [] : right.fields),
]

const unnestOf = (r: Relation): boolean => r.kind === 'unnest' || (r.kind === 'aliased' && unnestOf(r.relation))
const group = (r: Relation, sql: string) =>
  r.kind === 'join' || (r.kind === 'aliased' && r.relation.kind === 'join') ? `(${sql})` : sql

/** The joined columns stand first, once, without a relation's name. */
function using(r: Relation & { kind: 'join' }, left: From, right: From, c: Context, word: string): From {
  const conditions: string[] = []
  const joined: Field[] = []
  const names = new Set<string>()
  for (const n of r.using!) {
    const key = nameKey(n)
    names.add(key)
    const [l, rr] = [left, right].map((side) => {
      const found = side.fields.filter((f) => f.name === key)
      if (found.length === 0)
        throw new QueryFailure(
          'COLUMN_NOT_FOUND',
          `Column '${n.text}' is missing from ${side === left ? 'left' : 'right'} side of join`,
        )
      if (found.length > 1) throw new QueryFailure('AMBIGUOUS_NAME', `Column '${n.text}' is ambiguous`)
      return found[0]!
    }) as [Field, Field]
    const type = commonType(l.type, rr.type)
    if (type === undefined || type.args !== undefined)
      throw typeMismatch(`Cannot join using '${n.text}': ${typeText(l.type)} and ${typeText(rr.type)}`)
    const [x, y] = [coerce(c.session, l, type), coerce(c.session, rr, type)]
    conditions.push(`${instantOf(x)} = ${instantOf(y)}`)
    const sql =
      r.type === 'INNER' || r.type === 'LEFT' ? x.sql : r.type === 'RIGHT' ? y.sql : `coalesce(${x.sql}, ${y.sql})`
    const keys = [...(sideKeys(l, x, r.type !== 'RIGHT') ?? []), ...(sideKeys(rr, y, r.type !== 'LEFT') ?? [])]
    joined.push({ name: key, label: n.text, type, sql, ...(r.type === 'FULL' || keys.length === 0 ? {} : { keys }) })
  }
  const rest = joinedFields(r.type, left, right).filter((f) => f.name === undefined || !names.has(f.name))
  return {
    sql: `${left.sql} ${r.type} JOIN ${word}${group(r.right, right.sql)} ON ${conditions.join(' AND ')}`,
    fields: [...joined, ...rest],
  }
}

/** Keys of a side of USING, if the joined column has its values in every row and as they are. */
const sideKeys = (field: Field, joined: { readonly sql: string }, always: boolean) =>
  always && field.sql === joined.sql ? field.keys : undefined

function unnest(r: Relation & { kind: 'unnest' }, session: Session, scope: Scope, left: readonly Field[]): From {
  const context: Context = {
    session,
    scope: withFields(scope, left),
    lambdas: new Map(),
    clause: 'UNNEST',
    aggregates: 'forbidden',
    windowing: 'forbidden',
    windows: new Map(),
  }
  const lists: string[] = []
  const columns: { sql: string; type: TrinoType; name?: string }[] = []
  const inner = session.id('x')
  for (const e of r.items) {
    const value = analyze(e, context)
    const n = lists.length
    if (value.type.name === 'array') {
      const item = value.type.args![0]!
      lists.push(value.sql)
      if (item.name === 'row')
        item.args!.forEach((type, i) => {
          const name = item.fields![i]
          columns.push({
            sql: `struct_extract(${inner}.u${n}, 'f${i}')`,
            type,
            ...(name === undefined ? {} : { name }),
          })
        })
      else columns.push({ sql: `${inner}.u${n}`, type: item })
    } else if (value.type.name === 'map') {
      lists.push(`map_keys(${value.sql})`, `map_values(${value.sql})`)
      columns.push(
        { sql: `${inner}.u${n}`, type: value.type.args![0]! },
        { sql: `${inner}.u${n + 1}`, type: value.type.args![1]! },
      )
    } else throw typeMismatch(`Cannot unnest type: ${typeText(value.type)}`)
  }
  const unnests = lists.map((l, i) => `unnest(${l}) AS u${i}`)
  if (r.ordinality) {
    unnests.push(
      `unnest(range(1, 1 + greatest(${lists.map((l) => `coalesce(len(${l}), 0)`).join(', ')}${lists.length === 1 ? ', 0' : ''}))) AS o`,
    )
    columns.push({ sql: `CAST(${inner}.o AS BIGINT)`, type: BIGINT })
  }
  const list = columns.map((col, i) => `${col.sql} AS c${i}`).join(', ')
  return fromColumns(
    {
      sql: `SELECT ${list} FROM (SELECT ${unnests.join(', ')}) AS ${inner}`,
      columns: columns.map((col) => ({ type: col.type, ...(col.name === undefined ? {} : { name: col.name }) })),
    },
    session,
  )
}
