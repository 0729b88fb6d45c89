/** Aggregate and window functions. */
import { notSupported, QueryFailure, typeMismatch } from '../failure.ts'
import { analyze, bool } from './analyze.ts'
import { coerce } from './casts.ts'
import { AGGREGATES, WINDOWS } from './functions.ts'
import { isComparable, orderingKey, refuseInstants } from './operators.ts'
import { functionNotFound, resolve } from './resolve.ts'
import type { Context, Typed } from './scope.ts'
import type { Call, Expression, FrameBound, SortItem, WindowSpec } from './syntax.ts'
import { BIGINT, isInteger, isInterval, isNumeric, physicalType, type TrinoType, typeText } from './trino-type.ts'

export function analyzeAggregate(e: Call, c: Context): Typed {
  const aggregate = AGGREGATES.get(e.name)
  if (e.over === undefined) {
    if (aggregate === undefined)
      throw new QueryFailure('MISSING_OVER', `Window function ${e.name} requires an OVER clause`)
    if (c.aggregates === 'inside')
      throw new QueryFailure('NESTED_AGGREGATION', `Cannot nest aggregations inside aggregation '${e.name}'`)
    if (c.aggregates === 'forbidden')
      throw new QueryFailure(
        'EXPRESSION_NOT_SCALAR',
        `${c.clause} cannot contain aggregations, window functions or grouping operations: ${e.name}`,
      )
  } else {
    if (c.windowing === 'inside')
      throw new QueryFailure(
        'NESTED_WINDOW',
        `Cannot nest window functions or row pattern measures inside window function '${e.name}'`,
      )
    if (c.windowing === 'forbidden')
      throw new QueryFailure(
        'EXPRESSION_NOT_SCALAR',
        `${c.clause} cannot contain aggregations, window functions or grouping operations: ${e.name}`,
      )
    if (e.distinct) throw notSupported('DISTINCT in window function parameters')
    if (e.orderBy.length > 0) throw notSupported('ORDER BY in window function parameters')
    if (e.filter !== undefined) throw notSupported('FILTER with a window function')
    const offset = e.args[1]
    if (['lag', 'lead', 'nth_value', 'ntile'].includes(e.name) && offset?.kind === 'unary')
      throw new QueryFailure('INVALID_FUNCTION_ARGUMENT', `Offset of ${e.name} must be at least 0`)
  }
  if (e.nulls !== undefined && aggregate !== undefined && !WINDOWS.has(e.name))
    throw new QueryFailure('NULL_TREATMENT_NOT_ALLOWED', `Cannot specify null treatment clause for ${e.name} function`)
  if (e.overflow !== undefined && e.overflow !== 'ERROR') throw notSupported('listagg ON OVERFLOW TRUNCATE')
  // inside of an aggregate none may stand; inside of a window function an aggregate of the query may
  const inner: Context =
    e.over === undefined ? { ...c, aggregates: 'inside', windowing: 'inside' } : { ...c, windowing: 'inside' }
  const over = e.over === undefined ? '' : ` OVER (${windowSql(resolveWindow(e.over, c), inner, e.name)})`
  const filter = e.filter === undefined ? undefined : bool(e.filter, inner, 'Filter expression')
  const fraction = e.name === 'approx_percentile' && e.args[1] !== undefined ? percentage(e.args[1]) : undefined
  if (e.star) {
    if (e.name !== 'count') throw functionNotFound(e.name)
    return { sql: `count(*)${filter === undefined ? '' : ` FILTER (WHERE ${filter})`}${over}`, type: BIGINT }
  }
  if (e.name === 'count' && e.args.length === 0)
    return { sql: `count(*)${filter === undefined ? '' : ` FILTER (WHERE ${filter})`}${over}`, type: BIGINT }
  const r = resolve(e.name, (e.over !== undefined ? (WINDOWS.get(e.name) ?? aggregate) : aggregate)!, e.args, inner)
  if ((e.name === 'sum' || e.name === 'avg') && analyze(e.args[0]!, inner).type.name === 'unknown')
    throw new QueryFailure('AMBIGUOUS_FUNCTION_CALL', `Could not choose a best candidate for ${e.name}`)
  if (['min', 'max', 'min_by', 'max_by'].includes(e.name) && ['row', 'array'].includes(r.parameters.at(-1)!.name))
    throw notSupported(`${e.name} over ${r.parameters.at(-1)!.name}`)
  if (e.distinct && !r.parameters.every(isComparable))
    throw typeMismatch(
      `DISTINCT can only be applied to comparable types (actual: ${r.parameters.map(typeText).join()})`,
    )
  // the same instant in two zones is one value in Trino and two here
  if (e.distinct || e.name === 'approx_distinct') refuseInstants(r.parameters, 'DISTINCT')
  const order = sortSql(e.orderBy, inner, 'ORDER BY of an aggregate')
  if (
    e.distinct &&
    e.orderBy.length > 0 &&
    e.orderBy.some((s) => !e.args.some((a) => JSON.stringify(a) === JSON.stringify(s.key)))
  )
    throw new QueryFailure(
      'EXPRESSION_NOT_IN_DISTINCT',
      'For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments',
    )
  return {
    sql: expand(
      r.signature.body,
      {
        args: fraction === undefined ? r.args.map((a) => a.sql) : [r.args[0]!.sql, fraction],
        distinct: e.distinct,
        order,
        filter,
        over,
        nulls: e.nulls,
        returns: r.returns,
        parameters: r.parameters,
      },
      c,
    ),
    type: r.returns,
  }
}

/**
 * Trino takes the value at floor(p·n) from below, DuckDB the one at ceil(p·n) - 1: the same from the other end, which a
 * negative fraction means there. Written as a decimal, so that 1 - p is exact.
 */
function percentage(e: Expression): string {
  if (e.kind === 'array') return `[${e.items.map(percentage).join(', ')}]`
  const negative = e.kind === 'unary' && e.op === '-'
  if (e.kind !== 'number' && !negative) throw notSupported('approx_percentile with a percentage that is not a literal')
  if (e.kind !== 'number' || Number(e.text) > 1)
    throw new QueryFailure('INVALID_FUNCTION_ARGUMENT', 'Percentile must be between 0 and 1')
  // DuckDB wants one sign for all: the whole, at 0 from the other end, becomes next to nothing
  const rest = 10n ** 12n - BigInt(Number(e.text).toFixed(12).replace('.', '')) || 1n
  return rest === 10n ** 12n ? '-1.0' : `-0.${String(rest).padStart(12, '0')}`
}

interface Parts {
  readonly args: readonly string[]
  readonly parameters: readonly TrinoType[]
  readonly distinct: boolean
  readonly order: string
  readonly filter: string | undefined
  readonly over: string
  readonly nulls: string | undefined
  readonly returns: TrinoType
}

/**
 * `{d}` DISTINCT, `{o}` ORDER BY, `{n}` IGNORE NULLS, `{w}` FILTER and OVER, `{w:cond}` the same with one more condition,
 * `$1` … arguments, `$r` the DuckDB type of the result, `@name:t1,t2(` a function in TypeScript, its parameter types before
 * the parenthesis.
 */
function expand(body: string, p: Parts, c: Context): string {
  const args = (text: string) =>
    text.replace(/\$(\d|r)/g, (_, n: string) => (n === 'r' ? physicalType(p.returns) : p.args[Number(n) - 1]!))
  const suffix = (condition?: string) => {
    const all = [p.filter, condition === undefined ? undefined : args(condition)].filter((x) => x !== undefined)
    return `${all.length === 0 ? '' : ` FILTER (WHERE ${all.join(' AND ')})`}${p.over}`
  }
  const withParts = body
    .replaceAll('{d}', p.distinct ? 'DISTINCT ' : '')
    .replaceAll('{o}', p.order === '' ? '' : ` ORDER BY ${p.order}`)
    .replaceAll('{n}', p.nulls === 'IGNORE' ? ' IGNORE NULLS' : '')
    .replace(/\{w(?::([^}]*))?\}/g, (_, condition?: string) => suffix(condition))
    .replace(
      /@(\w+):([^(]*)\(/g,
      (_, name: string, types: string) =>
        `${c.session.udf(
          name,
          types.split(',').map((t) => udfType(t.trim(), p)),
          p.returns,
        )}(`,
    )
  return args(withParts)
}

function udfType(text: string, p: Parts): TrinoType {
  if (text === 'bigint' || text === 'double' || text === 'varchar') return { name: text }
  if (text === 'sum') return { name: 'decimal', p: 38, s: p.parameters[0]!.s! }
  const n = /^\[?(\d)\]?$/.exec(text)
  if (n === null) throw new Error(`unknown parameter type ${text}`)
  const type = p.parameters[Number(n[1]) - 1]!
  return text.startsWith('[') ? { name: 'array', args: [type] } : type
}

export function sortSql(items: readonly SortItem[], c: Context, what: string): string {
  return items.map((s) => `${orderingKey(analyze(s.key, c), what)}${direction(s)}`).join(', ')
}

export const direction = (s: SortItem) => `${s.descending ? ' DESC' : ' ASC'} NULLS ${s.nullsFirst ? 'FIRST' : 'LAST'}`

function resolveWindow(spec: WindowSpec, c: Context, depth = 0): WindowSpec {
  if (spec.base === undefined) return spec
  const base = c.windows.get(spec.base)
  if (base === undefined || depth > 20)
    throw new QueryFailure('INVALID_WINDOW_REFERENCE', `Cannot resolve WINDOW name ${spec.base}`)
  const whole = resolveWindow(base, c, depth + 1)
  if (spec.partitionBy.length > 0)
    throw new QueryFailure(
      'INVALID_PARTITION_BY',
      'WINDOW specification with named WINDOW reference cannot specify PARTITION BY',
    )
  if (spec.orderBy.length > 0 && whole.orderBy.length > 0)
    throw new QueryFailure('INVALID_ORDER_BY', 'Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY')
  return {
    partitionBy: whole.partitionBy,
    orderBy: spec.orderBy.length > 0 ? spec.orderBy : whole.orderBy,
    ...(spec.frame !== undefined ? { frame: spec.frame } : whole.frame !== undefined ? { frame: whole.frame } : {}),
  }
}

const NO_FRAME = ['rank', 'dense_rank', 'row_number', 'percent_rank', 'cume_dist', 'ntile', 'lag', 'lead']

function windowSql(w: WindowSpec, c: Context, name: string): string {
  const parts: string[] = []
  if (w.partitionBy.length > 0) parts.push(`PARTITION BY ${w.partitionBy.map((e) => orderingKeyOf(e, c)).join(', ')}`)
  if (w.orderBy.length > 0) parts.push(`ORDER BY ${sortSql(w.orderBy, c, 'window function ORDER BY')}`)
  else if (['lag', 'lead'].includes(name))
    throw new QueryFailure('MISSING_ORDER_BY', `${name} requires an ORDER BY clause`)
  if (w.frame !== undefined) {
    if (NO_FRAME.includes(name) && ['lag', 'lead'].includes(name))
      throw new QueryFailure('INVALID_WINDOW_FRAME', `Cannot specify window frame for ${name} function`)
    const { unit, start, end } = w.frame
    if (
      start.kind === 'unboundedFollowing' ||
      end.kind === 'unboundedPreceding' ||
      (start.kind === 'current' && end.kind === 'preceding') ||
      (start.kind === 'following' && (end.kind === 'current' || end.kind === 'preceding'))
    )
      throw new QueryFailure('INVALID_WINDOW_FRAME', 'the window frame starts after it ends')
    if (unit === 'RANGE' && (hasValue(start) || hasValue(end)) && w.orderBy.length !== 1)
      throw new QueryFailure(
        w.orderBy.length === 0 ? 'MISSING_ORDER_BY' : 'INVALID_ORDER_BY',
        'Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY',
      )
    if (unit === 'GROUPS' && w.orderBy.length === 0)
      throw new QueryFailure('MISSING_ORDER_BY', 'Window frame of type GROUPS requires ORDER BY')
    const key = unit === 'RANGE' && w.orderBy.length === 1 ? analyze(w.orderBy[0]!.key, c).type : undefined
    parts.push(`${unit} BETWEEN ${boundSql(start, c, key)} AND ${boundSql(end, c, key)}`)
  }
  return parts.join(' ')
}

const orderingKeyOf = (e: Expression, c: Context) => {
  const value = analyze(e, c)
  if (!isComparable(value.type))
    throw typeMismatch(
      `${typeText(value.type)} is not comparable, and therefore cannot be used in window function PARTITION BY`,
    )
  return value.type.name === 'timestamp with time zone' ? `${value.sql}.t` : value.sql
}

const hasValue = (b: FrameBound) => b.kind === 'preceding' || b.kind === 'following'

function boundSql(b: FrameBound, c: Context, key: TrinoType | undefined): string {
  switch (b.kind) {
    case 'unboundedPreceding':
      return 'UNBOUNDED PRECEDING'
    case 'unboundedFollowing':
      return 'UNBOUNDED FOLLOWING'
    case 'current':
      return 'CURRENT ROW'
    case 'preceding':
    case 'following': {
      const value = analyze(b.value, c)
      const word = b.kind.toUpperCase()
      if (key === undefined) {
        if (!isInteger(value.type))
          throw typeMismatch(`Window frame ROWS bound must be an integer (actual: ${typeText(value.type)})`)
        if (typeof value.constant === 'bigint' && value.constant < 0n)
          throw new QueryFailure('INVALID_WINDOW_FRAME', 'Window frame offset value must not be negative or null')
        return `${value.sql} ${word}`
      }
      if (isInterval(value.type) && ['date', 'timestamp'].includes(key.name)) {
        if (typeof value.constant !== 'bigint') throw notSupported('a RANGE frame whose interval is not a literal')
        if (value.constant < 0n)
          throw new QueryFailure('INVALID_WINDOW_FRAME', 'Window frame offset value must not be negative or null')
        return value.type.name === 'interval day to second'
          ? `INTERVAL '${value.constant} milliseconds' ${word}`
          : `INTERVAL '${value.constant} months' ${word}`
      }
      if (!isNumeric(key) || !isNumeric(value.type))
        throw typeMismatch(
          `Window frame of type RANGE does not match the ORDER BY: ${typeText(key)} and ${typeText(value.type)}`,
        )
      return `${coerce(c.session, value, key).sql} ${word}`
    }
  }
}
