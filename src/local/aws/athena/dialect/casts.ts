import { type QueryFailure, typeMismatch } from '../failure.ts'
import { coercible } from './coercion.ts'
import type { Session, Typed } from './scope.ts'
import {
  INTEGERS,
  isInteger,
  isInterval,
  isNumeric,
  isText,
  physicalType,
  sameType,
  type TrinoType,
  typeText,
} from './trino-type.ts'

const cannot = (from: TrinoType, to: TrinoType): QueryFailure =>
  typeMismatch(`Cannot cast ${typeText(from)} to ${typeText(to)}`)

/** Conversions in which DuckDB's own CAST means what Trino's does: nothing can fail, be cut or be rounded. */
function isNative(from: TrinoType, to: TrinoType): boolean {
  if (isInteger(from)) {
    if (isInteger(to)) return INTEGERS.indexOf(from.name) <= INTEGERS.indexOf(to.name)
    if (to.name === 'varchar') return to.p === undefined
    if (to.name === 'decimal')
      return to.p! - to.s! >= { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }[from.name as 'bigint']
    return to.name === 'double' || (to.name === 'real' && from.name !== 'bigint' && from.name !== 'integer')
  }
  if (from.name === 'decimal') {
    if (to.name === 'decimal') return to.s! >= from.s! && to.p! - to.s! >= from.p! - from.s!
    if (to.name === 'varchar') return to.p === undefined
    return to.name === 'double' && from.p! <= 15
  }
  if (from.name === 'real' && to.name === 'double') return true
  if (from.name === 'double' && to.name === 'real') return true
  if (from.name === 'date') return (to.name === 'varchar' && to.p === undefined) || to.name === 'timestamp'
  if (from.name === 'timestamp') return to.name === 'date' || (to.name === 'timestamp' && to.p! >= from.p!)
  if (from.name === 'boolean') return (to.name === 'varchar' && to.p === undefined) || isInteger(to)
  return false
}

/** Is there a cast at all? Trino decides this before any row is read. */
function castable(from: TrinoType, to: TrinoType): boolean {
  if (from.name === 'unknown' || sameType(from, to)) return true
  if (to.name === 'json')
    return (
      isText(from) ||
      isNumeric(from) ||
      from.name === 'boolean' ||
      from.name === 'date' ||
      from.name === 'timestamp' ||
      castableParts(from, (t) => castable(t, to))
    )
  if (from.name === 'json')
    return (
      to.name === 'varchar' ||
      isNumeric(to) ||
      to.name === 'boolean' ||
      castableParts(to, (t) => t.name === 'json' || castable(from, t))
    )
  if (from.args !== undefined)
    return (
      from.name === to.name &&
      from.args.length === to.args?.length &&
      from.args.every((a, i) => castable(a, to.args![i]!))
    )
  if (to.name === 'varchar') return from.name !== 'varbinary' && from.name !== 'function'
  if (to.name === 'char') return isText(from)
  if (isText(from))
    return (
      to.args === undefined &&
      !['varbinary', 'interval day to second', 'interval year to month', 'function', 'unknown'].includes(to.name)
    )
  if (isNumeric(from) || from.name === 'boolean') return isNumeric(to) || to.name === 'boolean'
  const temporal = ['date', 'timestamp', 'timestamp with time zone']
  if (from.name === 'date') return temporal.includes(to.name)
  if (from.name === 'time') return to.name === 'time'
  if (from.name === 'timestamp' || from.name === 'timestamp with time zone')
    return temporal.includes(to.name) || to.name === 'time'
  return false
}

const castableParts = (t: TrinoType, test: (part: TrinoType) => boolean) => t.args?.every(test) === true

export function castTo(session: Session, value: Typed, to: TrinoType, safe = false): Typed {
  const from = value.type
  if (!castable(from, to)) throw cannot(from, to)
  if (from.name === 'unknown') return { sql: `CAST(${value.sql} AS ${physicalType(to)})`, type: to }
  if (sameType(from, to)) return { ...value, type: to }
  if (isInterval(from) && !isText(to)) throw cannot(from, to)
  if (isNative(from, to))
    return {
      sql: `CAST(${value.sql} AS ${physicalType(to)})`,
      type: to,
      finite: isInteger(from) || from.name === 'decimal' || value.finite === true,
    }
  if (from.name === 'char' && to.name === 'varchar') {
    const padded = `rpad(${value.sql}, ${from.p}, ' ')`
    return { sql: to.p === undefined || to.p >= from.p! ? padded : `left(${padded}, ${to.p})`, type: to }
  }
  if (
    from.name === 'varchar' &&
    to.name === 'varchar' &&
    (to.p === undefined || (from.p !== undefined && from.p <= to.p))
  )
    return { ...value, type: to }
  if (from.name === 'varchar' && to.name === 'varchar') return { sql: `left(${value.sql}, ${to.p})`, type: to }
  const call = (implementation: string) => ({
    sql: `${session.udf(implementation, [from], to, true)}(${value.sql})`,
    type: to,
  })
  return call(safe ? 'try_cast' : 'cast')
}

/** What Trino does unasked. The caller has made sure that it does. */
export function coerce(session: Session, value: Typed, to: TrinoType): Typed {
  if (sameType(value.type, to)) return value
  if (to.name === 'varchar' && value.type.name === 'varchar') return value
  return castTo(session, value, to)
}

export function coerceOrFail(session: Session, value: Typed, to: TrinoType, what: string): Typed {
  if (value.type.name !== 'varchar' || to.name !== 'varchar')
    if (!coercible(value.type, to))
      throw typeMismatch(`${what} must evaluate to a ${typeText(to)} (actual: ${typeText(value.type)})`)
  return coerce(session, value, to)
}
