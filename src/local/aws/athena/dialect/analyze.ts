import { notSupported, typeMismatch } from '../failure.ts'
import { coerceOrFail } from './casts.ts'
import { commonType } from './coercion.ts'
import type { Context, OutputColumn, Scope, Session, Typed } from './scope.ts'
import type { Expression, Query } from './syntax.ts'
import { BOOLEAN, type TrinoType, typeText, UNKNOWN } from './trino-type.ts'

export interface Analyzed {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
}

/** Deeper trees than any statement of a person; the stack bears several times as much. */
const MAX_EXPRESSION_DEPTH = 1_500
/** Some forms name their operands twice, so that nested ones double: ended long before it hurts. */
const MAX_EXPRESSION_SQL_CHARS = 4_000_000

export function analyze(e: Expression, c: Context): Typed {
  const { session } = c
  const known = session.analyzed.get(c)?.get(e)
  if (known !== undefined) return known
  if (session.expressionDepth >= MAX_EXPRESSION_DEPTH) throw notSupported('an expression nested so deeply')
  session.expressionDepth++
  try {
    const typed = session.analyzers.expression(e, c)
    if (typed.sql.length > MAX_EXPRESSION_SQL_CHARS) throw notSupported('an expression of this size')
    const ofContext = session.analyzed.get(c) ?? new WeakMap<Expression, Typed>()
    session.analyzed.set(c, ofContext.set(e, typed))
    return typed
  } finally {
    session.expressionDepth--
  }
}

export const analyzeQuery = (q: Query, session: Session, outer?: Scope): Analyzed =>
  session.analyzers.query(q, session, outer)

export function bool(e: Expression, c: Context, what: string): string {
  return coerceOrFail(c.session, analyze(e, c), BOOLEAN, what).sql
}

export function commonOf(values: readonly Typed[], what: string): TrinoType {
  let common: TrinoType = UNKNOWN
  for (const v of values) {
    const next = commonType(common, v.type)
    if (next === undefined)
      throw typeMismatch(`${what} must be the same type: ${typeText(common)}, ${typeText(v.type)}`)
    common = next
  }
  return common
}
