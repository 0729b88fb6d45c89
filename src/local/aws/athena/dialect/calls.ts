import { notSupported, QueryFailure } from '../failure.ts'
import { analyzeAggregate } from './aggregates.ts'
import { instantiate, parsePattern, splitTop } from './function-table.ts'
import { AGGREGATES, SCALARS, UNSUPPORTED, WINDOWS } from './functions.ts'
import { functionNotFound, type Resolved, resolve } from './resolve.ts'
import type { Context, Typed } from './scope.ts'
import { specialCall } from './special-calls.ts'
import type { Call } from './syntax.ts'
import { physicalType } from './trino-type.ts'

export function analyzeCall(e: Call, c: Context): Typed {
  const special = specialCall(e, c)
  if (special !== undefined) return special
  if (AGGREGATES.has(e.name) || WINDOWS.has(e.name)) return analyzeAggregate(e, c)
  const signatures = SCALARS.get(e.name)
  if (signatures === undefined)
    throw UNSUPPORTED.has(e.name) ? notSupported(`function ${e.name}`) : functionNotFound(e.name)
  if (e.over !== undefined || e.filter !== undefined || e.distinct || e.star || e.orderBy.length > 0)
    throw new QueryFailure('FUNCTION_NOT_AGGREGATE', `${e.name} is not an aggregate function`)
  const resolved = resolve(e.name, signatures, e.args, c)
  return {
    sql: emit(resolved, c),
    type: resolved.returns,
    ...(e.name === 'from_unixtime' && e.args.length === 1 ? { zoned: true } : {}),
  }
}

export function emit(r: Resolved, c: Context): string {
  const { body } = r.signature
  if (/^@\??\w+$/.test(body)) {
    const nullCall = body.startsWith('@?')
    const name = c.session.udf(body.slice(nullCall ? 2 : 1), r.parameters, r.returns, nullCall)
    return `${name}(${r.args.map((a) => a.sql).join(', ')})`
  }
  // `@name[types > type](`: a function in TypeScript inside of other text
  return body
    .replace(/@(\w+)\[([^\]]*)\]/g, (_, name: string, types: string) => {
      const [parameters, returns] = types
        .split('>')
        .map((list) => splitTop(list).map((t) => instantiate(parsePattern(t), r.binding)))
      return c.session.udf(name, parameters!, returns![0]!)
    })
    .replace(/\$(\d|\*|r)/g, (_, n: string) =>
      n === '*'
        ? r.args.map((a) => a.sql).join(', ')
        : n === 'r'
          ? physicalType(r.returns)
          : r.args[Number(n) - 1]!.sql,
    )
}
