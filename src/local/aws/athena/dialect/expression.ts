/** Names, literals, operators and predicates: syntax in, DuckDB text with a Trino type out. Unknown things are refused. */
import { notSupported, QueryFailure, syntaxError, typeMismatch } from '../failure.ts'
import { analyze, analyzeQuery, bool, commonOf } from './analyze.ts'
import { analyzeCall } from './calls.ts'
import { castTo, coerce, coerceOrFail } from './casts.ts'
import { commonType } from './coercion.ts'
import { analyzeJsonCall } from './json-calls.ts'
import { binaryLiteral, instantSql, intervalLiteral, numberLiteral, textLiteral, typedLiteral } from './literals.ts'
import { arithmetic, compare, concatenate, distinctFrom, instantOf, negate } from './operators.ts'
import { type Context, columnNotFound, findField, nameKey, quoteText, type Typed } from './scope.ts'
import type { Expression, Name } from './syntax.ts'
import {
  array,
  BIGINT,
  BOOLEAN,
  DATE,
  isInteger,
  isInterval,
  physicalType,
  resolveType,
  row,
  sameType,
  type TrinoType,
  time,
  timestamp,
  timestampTz,
  typeText,
  UNKNOWN,
  VARCHAR,
} from './trino-type.ts'

export function analyzeExpression(e: Expression, c: Context): Typed {
  switch (e.kind) {
    case 'null':
      return { sql: 'NULL', type: UNKNOWN }
    case 'boolean':
      return { sql: e.value ? 'TRUE' : 'FALSE', type: BOOLEAN }
    case 'number':
      return numberLiteral(e.form, e.text)
    case 'string':
      return textLiteral(e.value)
    case 'binary':
      return binaryLiteral(e.hex)
    case 'typed':
      return typedLiteral(c.session, e.type, e.value)
    case 'interval':
      return intervalLiteral(e)
    case 'column':
      return column(e.name, c)
    case 'field':
      return fieldAccess(e, c)
    case 'parameter':
      return parameter(e.index, c)
    case 'unary':
      return e.op === '-' ? negated(e.value, c) : analyze(e.value, c)
    case 'binaryOp': {
      const left = analyze(e.left, c)
      const right = analyze(e.right, c)
      if (e.op !== '||') return arithmetic(c.session, e.op, left, right)
      return (
        concatenate(c.session, left, right) ??
        analyzeCall(
          { kind: 'call', name: 'concat', args: [e.left, e.right], distinct: false, star: false, orderBy: [] },
          c,
        )
      )
    }
    case 'compare':
      return compare(c.session, e.op, analyze(e.left, c), analyze(e.right, c))
    case 'and':
    case 'or':
      return {
        sql: `(${e.terms.map((t) => bool(t, c, `Logical expression term`)).join(e.kind === 'and' ? ' AND ' : ' OR ')})`,
        type: BOOLEAN,
      }
    case 'not':
      return { sql: `(NOT ${bool(e.value, c, 'Value of logical NOT expression')})`, type: BOOLEAN }
    case 'between': {
      // one type for all three: that of the upper bound decides about the lower one too
      const all = [e.value, e.low, e.high].map((x) => analyze(x, c))
      const type = commonOf(all, 'BETWEEN value, min and max')
      const [value, from, to] = all.map((v) => coerce(c.session, v, type)) as [Typed, Typed, Typed]
      const low = compare(c.session, '>=', value, from)
      const high = compare(c.session, '<=', value, to)
      return { sql: `(${low.sql} AND ${high.sql})`, type: BOOLEAN }
    }
    case 'in':
      return inList(e, c)
    case 'inQuery':
    case 'quantified':
      return againstQuery(e, c)
    case 'like':
      return like(e, c)
    case 'isNull': {
      const value = analyze(e.value, c)
      return { sql: `(${value.sql} IS NULL)`, type: BOOLEAN }
    }
    case 'isDistinct':
      return distinctFrom(c.session, analyze(e.left, c), analyze(e.right, c))
    case 'exists':
      noLambda(c)
      return { sql: `EXISTS (${analyzeQuery(e.query, c.session, c.scope).sql})`, type: BOOLEAN }
    case 'subquery':
      return scalarSubquery(e, c)
    case 'case':
      return caseWhen(e, c)
    case 'cast':
      return cast(e, c)
    case 'atTimeZone': {
      const { type } = analyze(e.value, c)
      if (type.name === 'date')
        throw typeMismatch(
          `Type of value must be a time or timestamp with or without time zone (actual ${typeText(type)})`,
        )
      return analyzeCall(
        { kind: 'call', name: '$at_time_zone', args: [e.value, e.zone], distinct: false, star: false, orderBy: [] },
        c,
      )
    }
    case 'extract': {
      const name =
        {
          dow: 'day_of_week',
          doy: 'day_of_year',
          yow: 'year_of_week',
          timezone_hour: 'timezone_hour',
          timezone_minute: 'timezone_minute',
        }[e.field] ?? e.field
      if (
        ![
          'year',
          'quarter',
          'month',
          'week',
          'day',
          'day_of_month',
          'day_of_week',
          'day_of_year',
          'year_of_week',
          'hour',
          'minute',
          'second',
          'timezone_hour',
          'timezone_minute',
        ].includes(name)
      )
        throw syntaxError(`Invalid EXTRACT field: ${e.field.slice(0, 30)}`)
      return analyzeCall({ kind: 'call', name, args: [e.value], distinct: false, star: false, orderBy: [] }, c)
    }
    case 'subscript':
      return subscript(e, c)
    case 'array':
      return arrayOf(e.items, c)
    case 'row': {
      const items = e.items.map((i) => analyze(i, c))
      return {
        sql: `struct_pack(${items.map((t, i) => `f${i} := ${t.sql}`).join(', ')})`,
        type: row(items.map((t) => t.type)),
      }
    }
    case 'lambda':
      throw typeMismatch('a lambda may stand only where a function expects one')
    case 'grouping': {
      const columns = e.columns.map((x) => analyze(x, c).sql)
      return { sql: `CAST(grouping(${columns.join(', ')}) AS INTEGER)`, type: { name: 'integer' } }
    }
    case 'trim': {
      const name = { both: 'trim', leading: 'ltrim', trailing: 'rtrim' }[e.side]
      return analyzeCall(
        {
          kind: 'call',
          name,
          args: e.characters === undefined ? [e.value] : [e.value, e.characters],
          distinct: false,
          star: false,
          orderBy: [],
        },
        c,
      )
    }
    case 'normalize':
      if (!['NFC', 'NFD', 'NFKC', 'NFKD'].includes(e.form))
        throw syntaxError(`Invalid normalization form: ${e.form.slice(0, 20)}`)
      return analyzeCall(
        {
          kind: 'call',
          name: `$normalize_${e.form.toLowerCase()}`,
          args: [e.value],
          distinct: false,
          star: false,
          orderBy: [],
        },
        c,
      )
    case 'current':
      return current(e.what, e.precision, c)
    case 'jsonCall':
      return analyzeJsonCall(e, c)
    case 'call':
      return analyzeCall(e, c)
  }
}

function column(name: Name, c: Context): Typed {
  const key = nameKey(name)
  const parameterOfLambda = c.lambdas.get(key)
  if (parameterOfLambda !== undefined) return parameterOfLambda
  const field = findField(c.scope, undefined, key)
  if (field === undefined) throw columnNotFound(name.text)
  return { sql: field.sql, type: field.type }
}

/** `a.b`: a column of a relation, else a field of a row. */
function fieldAccess(e: Expression & { kind: 'field' }, c: Context): Typed {
  const path = qualifiedPath(e)
  if (path !== undefined && !c.lambdas.has(path[0]!)) {
    const field = findField(c.scope, path.at(-2), path.at(-1)!)
    if (field !== undefined) return { sql: field.sql, type: field.type }
  }
  if (
    e.base.kind === 'column' &&
    !c.lambdas.has(nameKey(e.base.name)) &&
    findField(c.scope, undefined, nameKey(e.base.name)) === undefined
  )
    throw columnNotFound(`${e.base.name.text}.${e.name.text}`)
  const base = analyze(e.base, c)
  if (base.type.name !== 'row') throw typeMismatch(`Expression of type ${typeText(base.type)} is not a row`)
  const index = base.type.fields!.findIndex((f) => f?.toLowerCase() === nameKey(e.name))
  if (index < 0) throw columnNotFound(e.name.text)
  return { sql: `struct_extract(${base.sql}, 'f${index}')`, type: base.type.args![index]! }
}

function qualifiedPath(e: Expression): string[] | undefined {
  if (e.kind === 'column') return [nameKey(e.name)]
  if (e.kind !== 'field') return undefined
  const base = qualifiedPath(e.base)
  return base === undefined ? undefined : [...base, nameKey(e.name)]
}

function parameter(index: number, c: Context): Typed {
  const value = c.session.parameters[index]
  if (value === undefined)
    throw new QueryFailure(
      'INVALID_PARAMETER_USAGE',
      `Incorrect number of parameters: no value for parameter ${index + 1}`,
    )
  return analyze(value, c)
}

/** The smallest integers are written as a minus before a number that is itself too large. */
function negated(e: Expression, c: Context): Typed {
  if (
    e.kind === 'number' &&
    e.form === 'integer' &&
    (BigInt(e.text) === 9223372036854775808n || BigInt(e.text) === 2147483648n)
  ) {
    const type = e.text === '2147483648' ? { name: 'integer' } : BIGINT
    if (type === BIGINT || BigInt(e.text) === 2147483648n)
      return { sql: `CAST('-${e.text}' AS ${physicalType(type)})`, type, constant: -BigInt(e.text) }
  }
  return negate(c.session, analyze(e, c))
}

function inList(e: Expression & { kind: 'in' }, c: Context): Typed {
  const value = analyze(e.value, c)
  const items = e.list.map((i) => analyze(i, c))
  let common: TrinoType = value.type
  for (const i of items) {
    const next = commonType(common, i.type)
    if (next === undefined)
      throw typeMismatch(`IN value and list items must be the same type: ${typeText(common)}, ${typeText(i.type)}`)
    common = next
  }
  const simple = common.args === undefined && common.name !== 'real' && common.name !== 'double'
  if (simple && common.name !== 'unknown') {
    const sql = (t: Typed) => instantOf(coerce(c.session, t, common))
    return { sql: `(${sql(value)} IN (${items.map(sql).join(', ')}))`, type: BOOLEAN }
  }
  return { sql: `(${items.map((i) => compare(c.session, '=', value, i).sql).join(' OR ')})`, type: BOOLEAN }
}

const noLambda = (c: Context) => {
  if (c.lambdas.size > 0) throw notSupported('a subquery inside a lambda')
}

function againstQuery(e: Extract<Expression, { kind: 'inQuery' | 'quantified' }>, c: Context): Typed {
  noLambda(c)
  const value = analyze(e.kind === 'inQuery' ? e.value : e.left, c)
  const query = analyzeQuery(e.query, c.session, c.scope)
  if (value.type.name === 'row' || query.columns.length !== 1)
    throw notSupported('a comparison of rows with a subquery')
  const common = commonType(value.type, query.columns[0]!.type)
  if (common === undefined)
    throw typeMismatch(
      `value and result of subquery must be of the same type: ${typeText(value.type)} vs ${typeText(query.columns[0]!.type)}`,
    )
  if (common.args !== undefined || common.name === 'unknown')
    throw notSupported(`a subquery of type ${typeText(common)} in a comparison`)
  const key = (t: Typed) => instantOf(coerce(c.session, t, common))
  const id = c.session.id('s')
  const inner = `SELECT ${key({ sql: `${id}.c0`, type: query.columns[0]!.type })} FROM (${query.sql}) AS ${id}`
  if (e.kind === 'inQuery') return { sql: `(${key(value)} IN (${inner}))`, type: BOOLEAN }
  return { sql: `(${key(value)} ${e.op} ${e.all ? 'ALL' : 'ANY'} (${inner}))`, type: BOOLEAN }
}

function scalarSubquery(e: Expression & { kind: 'subquery' }, c: Context): Typed {
  noLambda(c)
  const query = analyzeQuery(e.query, c.session, c.scope)
  if (query.columns.length === 1) return { sql: `(${query.sql})`, type: query.columns[0]!.type }
  const id = c.session.id('s')
  const packed = query.columns.map((_, i) => `f${i} := ${id}.c${i}`).join(', ')
  return {
    sql: `(SELECT struct_pack(${packed}) FROM (${query.sql}) AS ${id})`,
    type: row(
      query.columns.map((x) => x.type),
      query.columns.map((x) => x.name),
    ),
  }
}

function like(e: Expression & { kind: 'like' }, c: Context): Typed {
  const value = analyze(e.value, c)
  const pattern = analyze(e.pattern, c)
  const escapeBy = e.escape === undefined ? undefined : analyze(e.escape, c)
  for (const t of [value, pattern, ...(escapeBy === undefined ? [] : [escapeBy])])
    if (t.type.name !== 'varchar' && t.type.name !== 'unknown')
      throw typeMismatch(`LIKE must be applied to varchar (actual: ${typeText(t.type)})`)
  if (escapeBy === undefined && typeof pattern.constant === 'string')
    return { sql: `(${value.sql} LIKE ${pattern.sql} ESCAPE '')`, type: BOOLEAN }
  const args = [value, pattern, ...(escapeBy === undefined ? [] : [escapeBy])].map((t) => coerce(c.session, t, VARCHAR))
  return {
    sql: `${c.session.udf(
      'like',
      args.map(() => VARCHAR),
      BOOLEAN,
    )}(${args.map((a) => a.sql).join(', ')})`,
    type: BOOLEAN,
  }
}

function caseWhen(e: Expression & { kind: 'case' }, c: Context): Typed {
  const operand = e.operand === undefined ? undefined : analyze(e.operand, c)
  const conditions = e.whens.map((w) =>
    operand === undefined
      ? bool(w.when, c, 'CASE WHEN clause')
      : compare(c.session, '=', operand, analyze(w.when, c)).sql,
  )
  const results = e.whens.map((w) => analyze(w.result, c))
  const otherwise = e.otherwise === undefined ? undefined : analyze(e.otherwise, c)
  const type = commonOf(otherwise === undefined ? results : [...results, otherwise], 'All CASE results')
  const sql = (t: Typed) => coerce(c.session, t, type).sql
  const whens = conditions.map((w, i) => `WHEN ${w} THEN ${sql(results[i]!)}`).join(' ')
  return {
    sql: `CASE ${whens} ELSE ${otherwise === undefined ? `CAST(NULL AS ${physicalType(type)})` : sql(otherwise)} END`,
    type,
  }
}

function cast(e: Expression & { kind: 'cast' }, c: Context): Typed {
  const value = analyze(e.value, c)
  const type = resolveType(e.type)
  if (isInterval(value.type) && sameType(value.type, type)) return value
  const out = castTo(c.session, value, type, e.safe)
  return isInteger(type) && typeof value.constant === 'bigint' ? { ...out, constant: value.constant } : out
}

function subscript(e: Expression & { kind: 'subscript' }, c: Context): Typed {
  const value = analyze(e.value, c)
  const index = analyze(e.index, c)
  if (value.type.name === 'array') {
    const item = value.type.args![0]!
    const i = coerceOrFail(c.session, index, BIGINT, 'Array subscript')
    return {
      sql: `${c.session.udf('array_subscript', [value.type, BIGINT], item)}(${value.sql}, ${i.sql})`,
      type: item,
    }
  }
  if (value.type.name === 'map') {
    const [key, item] = value.type.args as [TrinoType, TrinoType]
    const k = coerceOrFail(c.session, index, key, 'Map subscript')
    return { sql: `${c.session.udf('map_subscript', [value.type, key], item)}(${value.sql}, ${k.sql})`, type: item }
  }
  if (value.type.name === 'row') {
    const at = typeof index.constant === 'bigint' ? Number(index.constant) - 1 : -1
    if (typeof index.constant !== 'bigint') throw typeMismatch('Subscript expression on ROW requires a constant index')
    if (value.type.args![at] === undefined)
      throw new QueryFailure('INVALID_FUNCTION_ARGUMENT', `ROW index out of bounds: ${index.constant}`)
    return { sql: `struct_extract(${value.sql}, 'f${at}')`, type: value.type.args![at]! }
  }
  throw typeMismatch(`Cannot apply operator: ${typeText(value.type)}[${typeText(index.type)}]`)
}

function arrayOf(items: readonly Expression[], c: Context): Typed {
  const values = items.map((i) => analyze(i, c))
  const item = commonOf(values, 'All ARRAY elements')
  return {
    sql: `CAST([${values.map((v) => coerce(c.session, v, item).sql).join(', ')}] AS ${physicalType(array(item))})`,
    type: array(item),
  }
}

function current(what: string, precision: number | undefined, c: Context): Typed {
  const p = precision ?? 3
  if (p > 6) throw notSupported(`${what} with more than 6 digits`)
  const micros = BigInt(c.session.now.getTime()) * 1000n
  const instant = `make_timestamp(CAST(${micros} AS BIGINT))`
  switch (what) {
    case 'current_timestamp':
      return { sql: instantSql(instant, quoteText('UTC')), type: timestampTz(p) }
    case 'localtimestamp':
      return { sql: instant, type: timestamp(p) }
    case 'current_date':
      return { sql: `CAST(${instant} AS DATE)`, type: DATE }
    case 'localtime':
      return { sql: `CAST(${instant} AS TIME)`, type: time(p) }
    case 'current_catalog':
      return textLiteral('awsdatacatalog')
    case 'current_schema':
      return textLiteral(c.session.database)
    default:
      throw notSupported(what.toUpperCase())
  }
}
