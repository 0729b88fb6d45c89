import { typeMismatch } from '../failure.ts'
import { coerceOrFail } from './casts.ts'
import { commonType } from './coercion.ts'
import type { Context, OutputColumn, Scope, Session, Typed } from './scope.ts'
import type { Expression, Query } from './syntax.ts'
import { BOOLEAN, type TrinoType, typeText, UNKNOWN } from './trino-type.ts'

export interface Analyzed {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
}

export const analyze = (e: Expression, c: Context): Typed => c.session.analyzers.expression(e, c)

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
