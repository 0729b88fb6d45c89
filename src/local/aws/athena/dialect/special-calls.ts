/** Calls whose meaning does not fit a line of a table. */
import { notSupported, QueryFailure } from '../failure.ts'
import { analyze, bool, commonOf } from './analyze.ts'
import { coerce } from './casts.ts'
import { AGGREGATES } from './functions.ts'
import { arithmetic, compare, requireOrderable } from './operators.ts'
import { analyzeReduce } from './reduce.ts'
import { functionNotFound } from './resolve.ts'
import type { Context, Typed } from './scope.ts'
import { quoteText } from './scope.ts'
import type { Call } from './syntax.ts'
import { isInteger, isText, map, physicalType, type TrinoType, typeText, VARCHAR } from './trino-type.ts'

type Special = (e: Call, c: Context) => Typed | undefined

const arity = (e: Call, from: number, to = from) => {
  if (e.args.length < from || e.args.length > to) throw functionNotFound(e.name)
}

const SPECIAL: Readonly<Record<string, Special>> = {
  coalesce(e, c) {
    if (e.args.length < 2)
      throw new QueryFailure('INVALID_ARGUMENTS', 'The "coalesce" function must have at least two arguments')
    const values = e.args.map((a) => analyze(a, c))
    const type = commonOf(values, 'All COALESCE operands')
    return { sql: `coalesce(${values.map((v) => coerce(c.session, v, type).sql).join(', ')})`, type }
  },
  nullif(e, c) {
    if (e.args.length !== 2) throw new QueryFailure('INVALID_ARGUMENTS', 'Invalid number of arguments for NULLIF')
    const [a, b] = e.args.map((x) => analyze(x, c)) as [Typed, Typed]
    return { sql: `CASE WHEN ${compare(c.session, '=', a, b).sql} THEN NULL ELSE ${a.sql} END`, type: a.type }
  },
  if(e, c) {
    if (e.args.length < 2 || e.args.length > 3)
      throw new QueryFailure('INVALID_ARGUMENTS', 'Invalid number of arguments for IF')
    const condition = bool(e.args[0]!, c, 'IF condition')
    const results = e.args.slice(1).map((a) => analyze(a, c))
    const type = commonOf(results, 'Result types for IF')
    const [yes, no] = results.map((r) => coerce(c.session, r, type).sql)
    return { sql: `CASE WHEN ${condition} THEN ${yes} ELSE ${no ?? `CAST(NULL AS ${physicalType(type)})`} END`, type }
  },
  try(e, c) {
    arity(e, 1)
    // DuckDB's own TRY goes wrong over functions of ours that meet NULLs, so those answer NULL themselves; what could tell that
    // NULL from another one must not stand in between
    if (
      /"kind":"(?:case|isNull|isDistinct|and|or|not|lambda|subquery|exists|inQuery|in)"|"name":"(?:coalesce|if|nullif|concat_ws|try)"/.test(
        JSON.stringify(e.args[0]),
      )
    )
      throw notSupported('TRY over a condition')
    c.session.tryDepth++
    try {
      const value = analyze(e.args[0]!, c)
      return { sql: value.sql.includes('trino_') ? value.sql : `TRY(${value.sql})`, type: value.type }
    } finally {
      c.session.tryDepth--
    }
  },
  typeof(e, c) {
    arity(e, 1)
    const value = analyze(e.args[0]!, c)
    const text = `CAST(${quoteText(typeText(value.type))} AS VARCHAR)`
    // an aggregate must stay in the query, or it would no longer be one row
    const aggregates = /"kind":"call","name":"(\w+)"/g
    const calls = [...JSON.stringify(e.args[0]).matchAll(aggregates)].some((m) => AGGREGATES.has(m[1]!))
    return { sql: calls ? `CASE WHEN ${value.sql} IS NULL THEN ${text} ELSE ${text} END` : text, type: VARCHAR }
  },
  greatest: (e, c) => extreme(e, c),
  least: (e, c) => extreme(e, c),
  concat(e, c) {
    if (e.args.length < 2) throw functionNotFound('concat')
    const values = e.args.map((a) => analyze(a, c))
    const types = values.map((v) => v.type)
    if (types.every((t) => t.name === 'varchar' || t.name === 'unknown')) {
      return {
        sql: `(${values.map((v) => coerce(c.session, v, VARCHAR).sql).join(' || ')})`,
        type: VARCHAR,
      }
    }
    if (types.every((t) => t.name === 'varbinary'))
      return { sql: `(${values.map((v) => v.sql).join(' || ')})`, type: { name: 'varbinary' } }
    if (types.some((t) => t.name === 'unknown'))
      throw new QueryFailure('AMBIGUOUS_FUNCTION_CALL', 'Could not choose a best candidate for concat')
    const arrays = types.filter((t) => t.name === 'array')
    if (arrays.length === 0) throw functionNotFound('concat', types)
    return concatArrays(values, c)
  },
  map(e, c) {
    if (e.args.length === 0)
      return { sql: 'CAST(MAP {} AS MAP(INTEGER, INTEGER))', type: map({ name: 'unknown' }, { name: 'unknown' }) }
    arity(e, 2)
    const [k, v] = e.args.map((x) => analyze(x, c)) as [Typed, Typed]
    if (k.type.name !== 'array' || v.type.name !== 'array') throw functionNotFound('map', [k.type, v.type])
    const type = map(k.type.args![0]!, v.type.args![0]!)
    return { sql: `${c.session.udf('map_of', [k.type, v.type], type)}(${k.sql}, ${v.sql})`, type }
  },
  mod(e, c) {
    arity(e, 2)
    const [a, b] = e.args.map((x) => analyze(x, c)) as [Typed, Typed]
    const exact = (t: TrinoType) => t.name === 'decimal' || t.name === 'unknown' || isInteger(t)
    const decimals = exact(a.type) && exact(b.type) && (a.type.name === 'decimal' || b.type.name === 'decimal')
    return decimals ? arithmetic(c.session, '%', a, b) : undefined
  },
  date(e, c) {
    arity(e, 1)
    const value = analyze(e.args[0]!, c)
    if (!isText(value.type) && !['date', 'timestamp', 'timestamp with time zone', 'unknown'].includes(value.type.name))
      throw functionNotFound('date', [value.type])
    return analyze({ kind: 'cast', value: e.args[0]!, type: { name: 'date', parameters: [] }, safe: false }, c)
  },
  now(e, c) {
    arity(e, 0)
    return analyze({ kind: 'current', what: 'current_timestamp' }, c)
  },
  current_timezone(e) {
    arity(e, 0)
    return { sql: `CAST('UTC' AS VARCHAR)`, type: VARCHAR }
  },
}

export function specialCall(e: Call, c: Context): Typed | undefined {
  if (e.name === 'reduce') return analyzeReduce(e, c)
  const special = Object.hasOwn(SPECIAL, e.name) ? SPECIAL[e.name] : undefined
  if (special === undefined) return undefined
  if (
    e.star ||
    e.distinct ||
    e.over !== undefined ||
    e.filter !== undefined ||
    e.orderBy.length > 0 ||
    e.args.some((a) => a.kind === 'lambda')
  )
    throw functionNotFound(e.name)
  return special(e, c)
}

/** NULL where any argument is NULL, unlike DuckDB's. */
function extreme(e: Call, c: Context): Typed {
  const values = e.args.map((a) => analyze(a, c))
  if (values.length === 0) throw functionNotFound(e.name)
  const type = commonOf(values, `All ${e.name} operands`)
  requireOrderable(type, e.name)
  if (type.name === 'unknown') return { sql: 'NULL', type }
  const args = values.map((v) => coerce(c.session, v, type).sql)
  if (['real', 'double', 'timestamp with time zone'].includes(type.name) || type.args !== undefined)
    return {
      sql: `${c.session.udf(
        e.name,
        values.map(() => type),
        type,
      )}(${args.join(', ')})`,
      type,
    }
  return {
    sql: `CASE WHEN ${args.map((a) => `${a} IS NULL`).join(' OR ')} THEN NULL ELSE ${e.name}(${args.join(', ')}) END`,
    type,
  }
}

function concatArrays(values: readonly Typed[], c: Context): Typed {
  const elements = values.map((v) => (v.type.name === 'array' ? v.type.args![0]!.name : undefined))
  if (
    values.length === 2 &&
    elements.every((n) => n !== undefined) &&
    elements.filter((n) => n === 'unknown').length === 1
  )
    throw new QueryFailure('AMBIGUOUS_FUNCTION_CALL', 'Could not choose a best candidate for concat')
  let item: TrinoType = { name: 'unknown' }
  const parts = values.map((v) => ({
    value: v,
    element: v.type.name === 'array' ? v.type.args![0]! : v.type,
    isArray: v.type.name === 'array',
  }))
  for (const p of parts)
    item = commonOf(
      [
        { sql: '', type: item },
        { sql: '', type: p.element },
      ],
      'Elements of concatenated arrays',
    )
  if (values.length > 2 && parts.some((p) => !p.isArray))
    throw functionNotFound(
      'concat',
      values.map((v) => v.type),
    )
  const type: TrinoType = { name: 'array', args: [item] }
  const sql = parts.map((p) =>
    p.isArray ? coerce(c.session, p.value, type).sql : `[${coerce(c.session, p.value, item).sql}]`,
  )
  const whole = sql.reduce((a, b) => `list_concat(${a}, ${b})`)
  const nulls = parts.flatMap((p, i) => (p.isArray ? [`${sql[i]} IS NULL`] : []))
  return { sql: `CASE WHEN ${nulls.join(' OR ')} THEN NULL ELSE ${whole} END`, type }
}
