import { analyze } from './analyze.ts'
import { coerce } from './casts.ts'
import { coercible } from './coercion.ts'
import { functionNotFound } from './resolve.ts'
import type { Context, Typed } from './scope.ts'
import type { Call, Expression } from './syntax.ts'
import { physicalType, type TrinoType } from './trino-type.ts'

/**
 * reduce(array, start, (state, item) -> state, state -> result). DuckDB's list_reduce knows one type for state and item, so the
 * list becomes one of pairs of both.
 */
export function analyzeReduce(e: Call, c: Context): Typed {
  const [list, start, step, last] = e.args
  if (
    e.args.length !== 4 ||
    list === undefined ||
    start === undefined ||
    step?.kind !== 'lambda' ||
    last?.kind !== 'lambda' ||
    step.parameters.length !== 2 ||
    last.parameters.length !== 1
  )
    throw functionNotFound('reduce')
  const items = analyze(list, c)
  const first = analyze(start, c)
  if (items.type.name !== 'array') throw functionNotFound('reduce', [items.type])
  const [state, item] = [first.type, items.type.args![0]!]
  const lambda = (l: Expression & { kind: 'lambda' }, values: readonly Typed[]) => {
    const lambdas = new Map(c.lambdas)
    l.parameters.forEach((p, i) => {
      lambdas.set(p, values[i]!)
    })
    return analyze(l.body, { ...c, lambdas, aggregates: 'inside', windowing: 'inside' })
  }
  const [a, b, x, r] = ['a', 'b', 'x', 'r'].map((p) => c.session.id(p)) as [string, string, string, string]
  const part = (of: string, field: string, type: TrinoType): Typed => ({
    sql: `struct_extract(${of}, '${field}')`,
    type,
  })
  const next = lambda(step, [part(a, 's', state), part(b, 'e', item)])
  if (!coercible(next.type, state) && !(next.type.name === 'varchar' && state.name === 'varchar'))
    throw functionNotFound('reduce', [items.type, state, next.type])
  const [s, i] = [physicalType(state), physicalType(item)]
  const pair = (st: string, it: string) => `struct_pack(s := CAST(${st} AS ${s}), e := CAST(${it} AS ${i}))`
  const pairs = `list_transform(${items.sql}, lambda ${x}: ${pair('NULL', x)})`
  const reduced = `list_reduce(${pairs}, lambda ${a}, ${b}: ${pair(coerce(c.session, next, state).sql, `struct_extract(${b}, 'e')`)}, ${pair(first.sql, 'NULL')})`
  const result = lambda(last, [part(r, 's', state)])
  const sql = `CASE WHEN ${items.sql} IS NULL THEN CAST(NULL AS ${physicalType(result.type)}) ELSE list_extract(list_transform([${reduced}], lambda ${r}: ${result.sql}), 1) END`
  return { sql, type: result.type }
}
