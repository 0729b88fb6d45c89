/** CAST as Trino defines it, for the pairs of types in which DuckDB's differs or might. */
import { INTEGERS, type TrinoType, typeText } from '../dialect/trino-type.ts'
import { castFromJson, castToJson } from './functions-json.ts'
import { civil, daysOf, floorDiv, floorMod, fromLocal, parseInstant, parseTime, toLocal, zoneName } from './instants.ts'
import { castDouble, decimalText, varcharText } from './text-forms.ts'
import {
  badCast,
  type CallTypes,
  FunctionFailure,
  type Implementation,
  type Instant,
  outOfRange,
  type Value,
} from './values.ts'

const DAY = 86400000000n
const LIMITS: Readonly<Record<string, bigint>> = {
  tinyint: 127n,
  smallint: 32767n,
  integer: 2147483647n,
  bigint: 9223372036854775807n,
}

export const CASTS: Readonly<Record<string, Implementation>> = {
  cast: ([v], t) => castValue(v!, t.parameters[0]!, t.returns),
  try_cast: ([v], t: CallTypes) => {
    try {
      return castValue(v!, t.parameters[0]!, t.returns)
    } catch (error) {
      if (error instanceof FunctionFailure && !/^(?:GENERIC_INTERNAL_ERROR|NOT_SUPPORTED):/.test(error.message))
        return null
      throw error
    }
  },
}

export function castValue(v: Value, from: TrinoType, to: TrinoType): Value {
  if (v === null) return from.name === 'json' || to.name !== 'json' ? null : null
  if (to.name === 'json') return castToJson(v, from)
  if (from.name === 'json') return castFromJson(v as string, to, castValue)
  if (to.name === 'varchar') return toVarchar(v, from, to)
  if (to.name === 'char') return [...(v as string)].slice(0, to.p).join('').replace(/ +$/, '')
  if (INTEGERS.includes(to.name)) return toInteger(v, from, to)
  switch (to.name) {
    case 'boolean':
      return toBoolean(v, from)
    case 'double':
      return toDouble(v, from)
    case 'real':
      if (from.name === 'decimal' && from.p! <= 18)
        return Math.fround(Math.fround(Number(v)) / Math.fround(Number(pow10(from.s!))))
      return Math.fround(toDouble(v, from))
    case 'decimal':
      return toDecimal(v, from, to)
    case 'array':
      return (v as Value[]).map((x) => castValue(x, from.args![0]!, to.args![0]!))
    case 'row':
      return (v as Value[]).map((x, i) => castValue(x, from.args![i]!, to.args![i]!))
    case 'map': {
      const pairs = (v as Value[][]).map(([k, x]) => [
        castValue(k!, from.args![0]!, to.args![0]!),
        castValue(x!, from.args![1]!, to.args![1]!),
      ])
      if (
        new Set(pairs.map(([k]) => JSON.stringify(k, (_, b) => (typeof b === 'bigint' ? `${b}n` : b)))).size <
        pairs.length
      )
        throw badCast('duplicate keys')
      return pairs
    }
    default:
      return toTemporal(v, from, to)
  }
}

function toVarchar(v: Value, from: TrinoType, to: TrinoType): string {
  const text = varcharText(v, from)
  if (to.p === undefined || [...text].length <= to.p) return text
  if (from.name === 'varchar' || from.name === 'char') return [...text].slice(0, to.p).join('')
  if (from.name === 'boolean' || from.name.startsWith('time'))
    throw new FunctionFailure('GENERIC_INTERNAL_ERROR', `Value ${text} does not fit into ${typeText(to)}`)
  throw badCast(`Value ${text} cannot be represented as ${typeText(to)}`)
}

/** Half away from zero. */
export const roundHalfUp = (x: number) => (x < 0 ? -Math.round(-x) : Math.round(x))

function toInteger(v: Value, from: TrinoType, to: TrinoType): Value {
  let n: bigint
  const text = (shown: string) => `Cannot cast '${shown}' to ${typeText(to).toUpperCase()}`
  if (typeof v === 'string') {
    if (!/^[+-]?\d{1,30}$/.test(v)) throw badCast(text(v.slice(0, 40)))
    n = BigInt(v.replace('+', ''))
    if (!fits(n, to)) throw badCast(text(v))
  } else if (typeof v === 'boolean') n = v ? 1n : 0n
  else if (from.name === 'decimal') n = rescale(v as bigint, from.s!, 0)
  else if (from.name === 'double' || from.name === 'real') {
    if (!Number.isFinite(v)) throw badCast(text(String(v)))
    n = BigInt(roundHalfUp(v as number))
  } else n = BigInt(v as number | bigint)
  if (!fits(n, to)) {
    if (from.name === 'decimal' || from.name === 'double' || from.name === 'real')
      throw badCast(`Cannot cast ${from.name} to ${to.name}: the value is out of range`)
    throw outOfRange(`Out of range for ${to.name}: ${n}`)
  }
  return to.name === 'bigint' ? n : Number(n)
}

const fits = (n: bigint, to: TrinoType) => n <= LIMITS[to.name]! && n >= -LIMITS[to.name]! - 1n

function toBoolean(v: Value, from: TrinoType): boolean {
  if (typeof v !== 'string') return from.name === 'decimal' ? v !== 0n : Number(v) !== 0
  const text = v.toLowerCase()
  if (['t', 'true', '1'].includes(text)) return true
  if (['f', 'false', '0'].includes(text)) return false
  throw badCast(`Cannot cast '${v.slice(0, 40)}' to BOOLEAN`)
}

function toDouble(v: Value, from: TrinoType): number {
  if (typeof v === 'string') {
    const text = v.trim()
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?$/.test(text)) return Number(text.replace(/[dDfF]$/, ''))
    const special = /^([+-]?)(NaN|Infinity)$/.exec(text)
    if (special === null) throw badCast(`Cannot cast '${v.slice(0, 40)}' to DOUBLE`)
    return special[2] === 'NaN' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  }
  if (from.name === 'decimal') return Number(decimalText(v as bigint, from.s!))
  return Number(v)
}

export const pow10 = (n: number) => 10n ** BigInt(n)

/** Changes the scale, half away from zero. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * pow10(to - from)
  return divideHalfUp(unscaled, pow10(from - to))
}

export function divideHalfUp(a: bigint, b: bigint): bigint {
  const negative = a < 0n !== b < 0n
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  const q = (2n * x + y) / (2n * y)
  return negative ? -q : q
}

export function toDecimal(v: Value, from: TrinoType, to: TrinoType): bigint {
  let out: bigint
  const shown =
    typeof v === 'string'
      ? `'${v.slice(0, 40)}'`
      : from.name === 'decimal'
        ? decimalText(v as bigint, from.s!)
        : String(v)
  const bad = () => badCast(`Cannot cast ${from.name.toUpperCase()} ${shown} to ${typeText(to).toUpperCase()}`)
  if (from.name === 'decimal') out = rescale(v as bigint, from.s!, to.s!)
  else if (typeof v === 'string' || from.name === 'double' || from.name === 'real') {
    const text = typeof v === 'string' ? v : from.name === 'real' ? castDouble(v as number, true) : String(v)
    const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text)
    if (m === null || (m[2] === '' && !m[3])) throw bad()
    const digits = BigInt(m[2]! + (m[3] ?? ''))
    const scale = (m[3] ?? '').length - Number(m[4] ?? 0)
    if (Math.abs(scale) > 500) throw bad()
    out = rescale(m[1] === '-' ? -digits : digits, Math.max(scale, 0), to.s!)
    if (scale < 0) out *= pow10(-scale)
  } else if (typeof v === 'boolean') out = v ? pow10(to.s!) : 0n
  else out = BigInt(v as number | bigint) * pow10(to.s!)
  if (out >= pow10(to.p!) || out <= -pow10(to.p!)) throw bad()
  return out
}

/** To `to` digits of a second, half up. */
export function roundMicros(micros: bigint, from: number, to: number): bigint {
  if (to >= from || to >= 6) return micros
  const unit = pow10(6 - to)
  return floorDiv(micros + unit / 2n, unit) * unit
}

function toTemporal(v: Value, from: TrinoType, to: TrinoType): Value {
  const bad = () => badCast(`Value cannot be cast to ${to.name}: ${typeof v === 'string' ? v.slice(0, 60) : ''}`)
  if (typeof v === 'string') return textToTemporal(v, to, bad)
  const p = to.p ?? 0
  const zoned = from.name === 'timestamp with time zone'
  if (from.name === 'time') return roundMicros(v as bigint, from.p!, p) % DAY
  const local =
    from.name === 'date'
      ? BigInt(v as number) * DAY
      : zoned
        ? toLocal((v as Instant).t, (v as Instant).z)
        : (v as bigint)
  switch (to.name) {
    case 'date':
      return Number(floorDiv(local, DAY))
    case 'time':
      return roundMicros(floorMod(local, DAY), from.p ?? 0, p) % DAY
    case 'timestamp':
      return roundMicros(local, from.p ?? 0, p)
    case 'timestamp with time zone':
      if (zoned) return { t: roundMicros((v as Instant).t, from.p!, p), z: (v as Instant).z }
      return { t: roundMicros(local, from.p ?? 0, p), z: 'UTC' }
    default:
      throw bad()
  }
}

function textToTemporal(text: string, to: TrinoType, bad: () => Error): Value {
  if (to.name === 'date') {
    const m = /^\s*([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})\s*$/.exec(text)
    const days = m === null ? undefined : daysOf(Number(m[1]), Number(m[2]), Number(m[3]))
    if (days === undefined) throw bad()
    return days
  }
  if (to.name === 'time') {
    const parsed = parseTime(text)
    if (parsed === undefined) throw bad()
    return roundMicros(parsed.micros, parsed.precision, to.p!) % DAY
  }
  const parsed = parseInstant(text)
  if (parsed === undefined) throw bad()
  if (parsed.precision > 6)
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      'a text with more than 6 digits of a second is not supported by the local engine',
    )
  const micros = roundMicros(parsed.micros, parsed.precision, to.p!)
  if (to.name === 'timestamp with time zone') return { t: micros, z: parsed.zone ?? 'UTC' }
  return parsed.zone === undefined ? micros : roundMicros(toLocal(parsed.micros, parsed.zone), parsed.precision, to.p!)
}

export { civil, fromLocal, zoneName }
