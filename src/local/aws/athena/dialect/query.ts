/** Queries: relations, scopes, grouping, set operations. Columns of every query are called c0, c1, … inside DuckDB. */
import { notSupported, QueryFailure, typeMismatch } from '../failure.ts'
import { direction } from './aggregates.ts'
import { type Analyzed, analyze, analyzeQuery } from './analyze.ts'
import { coerce } from './casts.ts'
import { commonType } from './coercion.ts'
import { orderingKey, refuseInstants } from './operators.ts'
import { type Context, type NamedQuery, nameKey, renamed, type Scope, type Session } from './scope.ts'
import { analyzeSelect, limitSql } from './select.ts'
import type { CommonTable, Query, QueryBody, SortItem } from './syntax.ts'
import { row, type TrinoType, typeText } from './trino-type.ts'

export function analyzeWholeQuery(q: Query, session: Session, outer?: Scope): Analyzed {
  const ctes = new Map<string, NamedQuery>(outer?.ctes ?? [])
  const definitions: string[] = []
  const own = new Set<string>()
  for (const w of q.with) {
    const key = nameKey(w.name)
    if (own.has(key))
      throw new QueryFailure('DUPLICATE_NAMED_QUERY', `WITH query name '${key}' specified more than once`)
    own.add(key)
    const scope: Scope = { fields: [], ctes, ...(outer === undefined ? {} : { parent: outer }) }
    if (q.recursive && mentions(w, key)) throw notSupported('WITH RECURSIVE')
    const inner = analyzeQuery(w.query, session, scope)
    const columns = renamed(
      inner.columns,
      w.columns?.map((n) => n.text),
      key,
    )
    const id = session.id('w')
    definitions.push(`${id} AS (${inner.sql})`)
    ctes.set(key, { sql: id, columns })
  }
  const scope: Scope = { fields: [], ctes, ...(outer === undefined ? {} : { parent: outer }) }
  const body = analyzeBody(q.body, session, scope, q)
  const prefix = definitions.length === 0 ? '' : `WITH ${definitions.join(', ')} `
  return { sql: prefix + body.sql, columns: body.columns }
}

const mentions = (w: CommonTable, key: string) =>
  JSON.stringify(w.query)
    .toLowerCase()
    .includes(`"text":${JSON.stringify(key)}`)

/** A body with the ORDER BY and LIMIT around it. */
function analyzeBody(body: QueryBody, session: Session, scope: Scope, q: Query): Analyzed {
  if (body.kind === 'select') return analyzeSelect(body, session, scope, q)
  const inner = analyzePlain(body, session, scope)
  const order =
    q.orderBy.length === 0 ? '' : ` ORDER BY ${q.orderBy.map((s) => outputSort(s, inner, session, scope)).join(', ')}`
  const limit = limitSql(q, session, scope)
  if (q.withTies) throw notSupported('FETCH FIRST WITH TIES')
  if (order === '' && limit === '') return inner
  const cols = inner.columns.map((_, i) => `o.c${i}`).join(', ')
  const columns = inner.columns.map(({ keys: _, ...column }) => column)
  return { sql: `SELECT ${cols} FROM (${inner.sql}) AS o${order}${limit}`, columns }
}

function outputSort(s: SortItem, inner: Analyzed, session: Session, scope: Scope): string {
  const position = s.key.kind === 'number' && s.key.form === 'integer' ? Number(s.key.text) : undefined
  if (position !== undefined) {
    const column = inner.columns[position - 1]
    if (column === undefined)
      throw new QueryFailure('INVALID_COLUMN_REFERENCE', `ORDER BY position ${position} is not in select list`)
    return `${orderingKey({ sql: `o.c${position - 1}`, type: column.type }, 'ORDER BY')}${direction(s)}`
  }
  const fields = inner.columns.map((c, i) => ({
    sql: `o.c${i}`,
    type: c.type,
    ...(c.name === undefined ? {} : { name: c.name.toLowerCase() }),
  }))
  const context: Context = {
    session,
    scope: { fields, ctes: scope.ctes, ...(scope.parent === undefined ? {} : { parent: scope.parent }) },
    lambdas: new Map(),
    clause: 'ORDER BY',
    aggregates: 'forbidden',
    windowing: 'forbidden',
    windows: new Map(),
  }
  return `${orderingKey(analyze(s.key, context), 'ORDER BY')}${direction(s)}`
}

function analyzePlain(body: QueryBody, session: Session, scope: Scope): Analyzed {
  switch (body.kind) {
    case 'select':
      return analyzeSelect(body, session, scope)
    case 'nested':
      return analyzeQuery(body.query, session, scope)
    case 'tableName':
      return analyzeSelect(
        {
          kind: 'select',
          distinct: false,
          items: [{ kind: 'all' }],
          from: [{ kind: 'table', name: body.name }],
          windows: [],
        },
        session,
        scope,
      )
    case 'values':
      return analyzeValues(body, session, scope)
    case 'setOp': {
      const left = analyzePlain(body.left, session, scope)
      const right = analyzePlain(body.right, session, scope)
      if (left.columns.length !== right.columns.length)
        throw typeMismatch(
          `${body.op} query has different number of fields: ${left.columns.length}, ${right.columns.length}`,
        )
      const columns = left.columns.map((l, i) => {
        const type = commonType(l.type, right.columns[i]!.type)
        if (type === undefined)
          throw typeMismatch(
            `column ${i + 1} in ${body.op} query has incompatible types: ${typeText(l.type)}, ${typeText(right.columns[i]!.type)}`,
          )
        const keys = body.op === 'UNION' ? [...(l.keys ?? []), ...(right.columns[i]!.keys ?? [])] : []
        return { ...(l.name === undefined ? {} : { name: l.name }), type, ...(keys.length === 0 ? {} : { keys }) }
      })
      if (!(body.op === 'UNION' && body.all))
        refuseInstants(
          columns.map((c) => c.type),
          body.op,
        )
      const side = (a: Analyzed) => {
        const id = session.id('u')
        return `(SELECT ${columns.map((c, i) => `${coerce(session, { sql: `${id}.c${i}`, type: a.columns[i]!.type }, c.type).sql} AS c${i}`).join(', ')} FROM (${a.sql}) AS ${id})`
      }
      return { sql: `${side(left)} ${body.op}${body.all ? ' ALL' : ''} ${side(right)}`, columns }
    }
  }
}

function analyzeValues(body: QueryBody & { kind: 'values' }, session: Session, scope: Scope): Analyzed {
  const context: Context = {
    session,
    scope,
    lambdas: new Map(),
    clause: 'VALUES',
    aggregates: 'forbidden',
    windowing: 'forbidden',
    windows: new Map(),
  }
  const rows = body.rows.map((r) => (r.kind === 'row' ? r.items : [r]).map((e) => analyze(e, context)))
  const width = rows[0]!.length
  if (width === 1 && rows[0]![0]!.type.name === 'row' && body.rows[0]!.kind !== 'row')
    throw notSupported('VALUES over expressions of type row')
  if (rows.some((r) => r.length !== width)) throw typeMismatch('Values rows have mismatched types')
  const types = rows[0]!.map((_, i) =>
    rows.reduce<TrinoType>(
      (t, r) => {
        const next = commonType(t, r[i]!.type)
        if (next === undefined)
          throw typeMismatch(
            `Values rows have mismatched types: ${typeText(row([t]))} vs ${typeText(row([r[i]!.type]))}`,
          )
        return next
      },
      { name: 'unknown' },
    ),
  )
  const id = session.id('v')
  const text = rows.map((r) => `(${r.map((v, i) => coerce(session, v, types[i]!).sql).join(', ')})`).join(', ')
  const names = types.map((_, i) => `c${i}`)
  return {
    sql: `SELECT ${names.map((n) => `${id}.${n} AS ${n}`).join(', ')} FROM (VALUES ${text}) AS ${id}(${names.join(', ')})`,
    columns: types.map((type) => ({ type })),
  }
}
