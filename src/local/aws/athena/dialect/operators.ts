import { notSupported, QueryFailure, typeMismatch } from '../failure.ts'
import { coerce } from './casts.ts'
import { asDecimal, commonType } from './coercion.ts'
import type { Session, Typed } from './scope.ts'
import {
  BIGINT,
  BOOLEAN,
  DAY_TO_SECOND,
  decimal,
  isFloating,
  isInteger,
  isInterval,
  isNumeric,
  physicalType,
  sameType,
  type TrinoType,
  typeText,
  VARCHAR,
} from './trino-type.ts'

type ArithmeticOp = '+' | '-' | '*' | '/' | '%'

const cannotApply = (op: string, a: TrinoType, b: TrinoType) =>
  typeMismatch(`Cannot apply operator: ${typeText(a)} ${op} ${typeText(b)}`)

export function fail(session: Session, message: string, type: TrinoType): string {
  return `CAST(${session.udf('fail', [VARCHAR], BIGINT, true)}('${message.replaceAll("'", "''")}') AS ${physicalType(type)})`
}

/** An untyped NULL could be a number or an interval: Trino does not choose. */
function ambiguousNull(op: ArithmeticOp, other: TrinoType, nullAt: 'left' | 'right'): boolean {
  const instant = other.name.startsWith('timestamp')
  switch (op) {
    case '*':
      return other.name === 'bigint' || other.name === 'double'
    case '/':
      return nullAt === 'left' && other.name === 'double'
    case '+':
      return instant || isInterval(other)
    case '-':
      return nullAt === 'left' ? isInterval(other) : instant || other.name === 'time'
    default:
      return false
  }
}

export function arithmetic(session: Session, op: ArithmeticOp, left: Typed, right: Typed): Typed {
  const { type: a } = left
  const { type: b } = right
  if (a.name === 'unknown' && b.name === 'unknown') throw cannotApply(op, a, b)
  if (a.name === 'unknown' ? ambiguousNull(op, b, 'left') : b.name === 'unknown' && ambiguousNull(op, a, 'right'))
    throw new QueryFailure('AMBIGUOUS_FUNCTION_CALL', 'Could not choose a best candidate operator')
  if (a.name === 'unknown') return arithmetic(session, op, coerce(session, left, b), right)
  if (b.name === 'unknown') return arithmetic(session, op, left, coerce(session, right, a))
  if (isNumeric(a) && isNumeric(b)) return numeric(session, op, left, right)
  return temporal(session, op, left, right)
}

function numeric(session: Session, op: ArithmeticOp, left: Typed, right: Typed): Typed {
  const common = commonType(left.type, right.type)!
  if (common.name === 'decimal') return decimalArithmetic(session, op, left, right)
  const l = coerce(session, left, common)
  const r = coerce(session, right, common)
  if (isFloating(common)) {
    if (op === '/') return { sql: `(${l.sql} / ${r.sql})`, type: common }
    if (op === '%')
      return { sql: `${session.udf('float_mod', [common, common], common)}(${l.sql}, ${r.sql})`, type: common }
    return { sql: `(${l.sql} ${op} ${r.sql})`, type: common }
  }
  if (op !== '/' && op !== '%')
    return { sql: `CAST((${l.sql} ${op} ${r.sql}) AS ${physicalType(common)})`, type: common }
  return {
    sql: `CAST((${l.sql} ${op === '/' ? '//' : '%'} ${nonZero(session, right, r)}) AS ${physicalType(common)})`,
    type: common,
  }
}

/** The divisor, or a failure where it is zero: DuckDB's own answer would be NULL. */
function nonZero(session: Session, written: Typed, divisor: Typed): string {
  if (typeof written.constant === 'bigint' && written.constant !== 0n) return divisor.sql
  if (divisor.sql.length < 200)
    return `CASE WHEN ${divisor.sql} = 0 THEN ${fail(session, 'DIVISION_BY_ZERO: Division by zero', divisor.type)} ELSE ${divisor.sql} END`
  return `${session.udf('non_zero', [divisor.type], divisor.type)}(${divisor.sql})`
}

function decimalArithmetic(session: Session, op: ArithmeticOp, left: Typed, right: Typed): Typed {
  const a = asDecimal(left.type)
  const b = asDecimal(right.type)
  const [p1, s1, p2, s2] = [a.p!, a.s!, b.p!, b.s!]
  const l = coerce(session, left, a)
  const r = coerce(session, right, b)
  const udf = (implementation: string, type: TrinoType): Typed => ({
    sql: `${session.udf(implementation, [a, b], type)}(${l.sql}, ${r.sql})`,
    type,
  })
  const s = Math.max(s1, s2)
  switch (op) {
    case '+':
    case '-': {
      const type = decimal(Math.min(38, s + Math.max(p1 - s1, p2 - s2) + 1), s)
      if (type.p === 38) return udf(op === '+' ? 'decimal_add' : 'decimal_subtract', type)
      return { sql: `CAST((${l.sql} ${op} ${r.sql}) AS ${physicalType(type)})`, type }
    }
    case '*': {
      if (s1 + s2 > 38) throw typeMismatch(`DECIMAL scale must be in range [0, 38]: ${s1 + s2}`)
      const type = decimal(Math.min(38, p1 + p2), s1 + s2)
      if (p1 + p2 > 38) return udf('decimal_multiply', type)
      return { sql: `CAST((${l.sql} * ${r.sql}) AS ${physicalType(type)})`, type }
    }
    case '/':
      return udf('decimal_divide', decimal(Math.min(38, p1 + s2 + Math.max(0, s2 - s1)), s))
    default:
      return udf('decimal_modulo', decimal(Math.max(1, Math.min(p2 - s2, p1 - s1) + s), s))
  }
}

const toInterval = (sql: string, type: TrinoType) =>
  type.name === DAY_TO_SECOND.name ? `to_milliseconds(${sql})` : `to_months(CAST(${sql} AS INTEGER))`

/** Adds an interval to a value of a temporal type, keeping the type as Trino does. */
export function addInterval(session: Session, value: Typed, interval: string, kind: TrinoType): Typed {
  const { type } = value
  if (type.name === 'date') {
    if (kind.name === DAY_TO_SECOND.name)
      return { sql: `${session.udf('date_plus_millis', [type, BIGINT], type)}(${value.sql}, ${interval})`, type }
    return { sql: `CAST((${value.sql} + ${toInterval(interval, kind)}) AS DATE)`, type }
  }
  if (type.name === 'timestamp') {
    const p = kind.name === DAY_TO_SECOND.name ? Math.max(3, type.p!) : type.p!
    return { sql: `(${value.sql} + ${toInterval(interval, kind)})`, type: { ...type, p } }
  }
  if (type.name === 'time' && kind.name === DAY_TO_SECOND.name)
    return {
      sql: `${session.udf('time_plus_millis', [type, BIGINT], { ...type, p: Math.max(3, type.p!) })}(${value.sql}, ${interval})`,
      type: { ...type, p: Math.max(3, type.p!) },
    }
  if (type.name === 'timestamp with time zone') {
    const p = kind.name === DAY_TO_SECOND.name ? Math.max(3, type.p!) : type.p!
    const name = kind.name === DAY_TO_SECOND.name ? 'instant_plus_millis' : 'instant_plus_months'
    return {
      sql: `${session.udf(name, [type, BIGINT], { ...type, p })}(${value.sql}, ${interval})`,
      type: { ...type, p },
    }
  }
  throw cannotApply('+', type, kind)
}

function temporal(session: Session, op: ArithmeticOp, left: Typed, right: Typed): Typed {
  const { type: a } = left
  const { type: b } = right
  if (isInterval(a) && isInterval(b) && sameType(a, b) && (op === '+' || op === '-'))
    return { sql: `(${left.sql} ${op} ${right.sql})`, type: a }
  if (isInterval(a) && isNumeric(b) && b.name !== 'decimal' && (op === '*' || op === '/')) {
    if (isFloating(b)) return { sql: `CAST(trunc(${left.sql} ${op} ${right.sql}) AS BIGINT)`, type: a }
    return op === '*'
      ? { sql: `(${left.sql} * CAST(${right.sql} AS BIGINT))`, type: a }
      : { sql: `(${left.sql} // ${nonZero(session, right, coerce(session, right, BIGINT))})`, type: a }
  }
  if (isNumeric(a) && a.name !== 'decimal' && isInterval(b) && op === '*') return temporal(session, op, right, left)
  if (op === '+' && isInterval(a)) return temporal(session, op, right, left)
  if ((op === '+' || op === '-') && isInterval(b))
    return addInterval(session, left, op === '+' ? right.sql : `(-${right.sql})`, b)
  if (op === '-') {
    const common = commonType(a, b)
    if (common?.name === 'date')
      return { sql: `(CAST(${left.sql} - ${right.sql} AS BIGINT) * 86400000)`, type: DAY_TO_SECOND }
    if (common?.name === 'timestamp' || common?.name === 'timestamp with time zone') {
      const micros = (v: Typed) => `epoch_us(${instantOf(coerce(session, v, common))})`
      return { sql: `((${micros(left)} - ${micros(right)}) // 1000)`, type: DAY_TO_SECOND }
    }
    if (common?.name === 'time')
      return { sql: `((epoch_us(${left.sql}) - epoch_us(${right.sql})) // 1000)`, type: DAY_TO_SECOND }
  }
  throw cannotApply(op, a, b)
}

/** The UTC time of an instant with a zone: what comparing, ordering and grouping look at. */
export const instantOf = (value: Typed) =>
  value.type.name === 'timestamp with time zone' ? `${value.sql}.t` : value.sql

export function negate(_session: Session, value: Typed): Typed {
  const { type } = value
  if (isFloating(type)) return { sql: `(-${value.sql})`, type, ...(value.finite ? { finite: true } : {}) }
  if (isInteger(type)) {
    const constant = typeof value.constant === 'bigint' ? { constant: -value.constant } : {}
    return { sql: `CAST((-${value.sql}) AS ${physicalType(type)})`, type, ...constant }
  }
  if (type.name === 'decimal' || isInterval(type)) return { sql: `(-${value.sql})`, type }
  throw typeMismatch(`Cannot negate ${typeText(type)}`)
}

export const isComparable = (t: TrinoType): boolean => t.name !== 'function' && (t.args ?? []).every(isComparable)
const isOrderable = (t: TrinoType): boolean =>
  !['map', 'json', 'function'].includes(t.name) && (t.args ?? []).every(isOrderable)
export function requireOrderable(t: TrinoType, what: string): void {
  if (!isOrderable(t))
    throw typeMismatch(`Type ${typeText(t)} is not orderable, and therefore cannot be used in ${what}`)
}
/** Nested types whose parts DuckDB compares otherwise than Trino does. */
const hasInstant = (t: TrinoType): boolean => t.name === 'timestamp with time zone' || (t.args ?? []).some(hasInstant)

/** What DuckDB sorts and groups by, so that it agrees with Trino. */
export function orderingKey(value: Typed, what: string): string {
  requireOrderable(value.type, what)
  return instantOf(value)
}

export function compare(session: Session, op: string, left: Typed, right: Typed): Typed {
  const common = commonType(left.type, right.type)
  if (common === undefined || !isComparable(common) || (op !== '=' && op !== '<>' && !isOrderable(common)))
    throw cannotApply(op, left.type, right.type)
  if (common.name === 'unknown') return { sql: 'CAST(NULL AS BOOLEAN)', type: BOOLEAN }
  const l = coerce(session, left, common)
  const r = coerce(session, right, common)
  if (common.args !== undefined || common.name === 'map')
    return {
      sql: `${session.udf(`compare_${{ '=': 'eq', '<>': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }[op]}`, [common, common], BOOLEAN, true)}(${l.sql}, ${r.sql})`,
      type: BOOLEAN,
    }
  const [x, y] = [instantOf(l), instantOf(r)]
  if (isFloating(common)) {
    // DuckDB takes NaN for equal to itself and larger than all else; in Trino only <> is true of it
    const guards = [left, right].flatMap((v, i) => (v.finite || isExact(v.type) ? [] : [`isnan(${i === 0 ? x : y})`]))
    if (guards.length > 0)
      return {
        sql: `CASE WHEN ${guards.join(' OR ')} THEN ${nanAnswer(op, guards.length, x, y)} ELSE ${x} ${op} ${y} END`,
        type: BOOLEAN,
      }
  }
  return { sql: `(${x} ${op} ${y})`, type: BOOLEAN }
}

const isExact = (t: TrinoType) => isInteger(t) || t.name === 'decimal'
const nanAnswer = (op: string, _guards: number, x: string, y: string) =>
  `(CASE WHEN ${x} IS NULL OR ${y} IS NULL THEN NULL ELSE ${op === '<>'} END)`

export function distinctFrom(session: Session, left: Typed, right: Typed): Typed {
  const common = commonType(left.type, right.type)
  if (common === undefined || !isComparable(common)) throw cannotApply('IS DISTINCT FROM', left.type, right.type)
  const l = coerce(session, left, common)
  const r = coerce(session, right, common)
  if (common.args !== undefined && hasInstant(common))
    throw typeMismatch('IS DISTINCT FROM over nested time zones is not supported by the local engine')
  return { sql: `(${instantOf(l)} IS DISTINCT FROM ${instantOf(r)})`, type: BOOLEAN }
}

export function concatenate(_session: Session, left: Typed, right: Typed): Typed | undefined {
  const { type: a } = left
  const { type: b } = right
  if (a.name === 'varchar' && b.name === 'varchar') {
    return { sql: `(${left.sql} || ${right.sql})`, type: VARCHAR }
  }
  return undefined
}

/** Two instants with different zones are equal in Trino and different pairs here. */
export function refuseInstants(types: readonly TrinoType[], what: string): void {
  const has = (t: TrinoType): boolean => t.name === 'timestamp with time zone' || (t.args ?? []).some(has)
  if (types.some(has)) throw notSupported(`${what} over timestamp with time zone`)
}
