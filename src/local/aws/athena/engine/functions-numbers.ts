import { INTEGERS, type TrinoType } from '../dialect/trino-type.ts'
import { divideHalfUp, pow10, rescale, roundHalfUp } from './functions-casts.ts'
import { badArgument, divisionByZero, FunctionFailure, type Implementation, outOfRange, type Value } from './values.ts'

const unary =
  (f: (x: number) => number): Implementation =>
  ([x]) =>
    f(x as number)
const LIMITS: Readonly<Record<string, [bigint, bigint]>> = {
  tinyint: [-128n, 127n],
  smallint: [-32768n, 32767n],
  integer: [-2147483648n, 2147483647n],
  bigint: [-9223372036854775808n, 9223372036854775807n],
}
const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, integer: 32, bigint: 64 }

function inRange(n: bigint, t: TrinoType): Value {
  if (INTEGERS.includes(t.name)) {
    const [low, high] = LIMITS[t.name]!
    if (n < low || n > high) throw outOfRange(`Out of range for ${t.name}: ${n}`)
    return t.name === 'bigint' ? n : Number(n)
  }
  if (n >= pow10(t.p!) || n <= -pow10(t.p!)) throw outOfRange('Decimal overflow')
  return n
}

/** Both operands at one scale, then the operation. */
const tooWide = (n: bigint) => n >= pow10(38) || n <= -pow10(38)

const decimals =
  (f: (a: bigint, b: bigint, scale: number) => bigint): Implementation =>
  ([a, b], { parameters: [x, y], returns }) => {
    const s = Math.max(x!.s!, y!.s!)
    const [l, r] = [rescale(a as bigint, x!.s!, s), rescale(b as bigint, y!.s!, s)]
    return inRange(f(l, r, s), returns)
  }

/** Half up on the decimal digits of the number, as Trino's round(double, n) does. */
function roundDouble(x: number, digits: number): number {
  if (!Number.isFinite(x) || digits > 300) return x
  if (digits === 0) return roundHalfUp(x)
  if (digits < -308) return 0
  const factor = 10 ** digits
  const scaled = x * factor
  if (!Number.isFinite(scaled)) return x
  const rounded = roundHalfUp(scaled) / factor
  return Number.isFinite(rounded) ? rounded : x
}

function shift(value: Value, by: Value, type: TrinoType, f: (v: bigint, n: bigint, bits: number) => bigint): Value {
  const n = by as bigint
  const bits = BITS[type.name]!
  if (n < 0n) throw badArgument('Shift count must not be negative')
  const out = BigInt.asIntN(bits, f(BigInt(value as number | bigint), n, bits))
  return type.name === 'bigint' ? out : Number(out)
}

function base(radix: bigint): number {
  if (radix < 2n || radix > 36n) throw badArgument('Radix must be between 2 and 36')
  return Number(radix)
}

function fromBase(text: string, radix: number): bigint {
  const m = /^([+-]?)([0-9a-z]+)$/i.exec(text)
  const digits = m === null ? [] : [...m[2]!.toLowerCase()].map((c) => Number.parseInt(c, 36))
  if (m === null || digits.some((d) => d >= radix))
    throw badArgument(`Not a valid base-${radix} number: ${text.slice(0, 40)}`)
  const n = digits.reduce((sum, d) => sum * BigInt(radix) + BigInt(d), 0n) * (m[1] === '-' ? -1n : 1n)
  if (n > LIMITS.bigint![1] || n < LIMITS.bigint![0])
    throw badArgument(`Not a valid base-${radix} number: ${text.slice(0, 40)}`)
  return n
}

function erf(x: number): number {
  // Kummer's series below 3, the continued fraction above; both to the last digits of a double
  const a = Math.abs(x)
  if (a < 3) {
    let term = a
    let sum = a
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (2 * a * a) / (2 * n + 1)
      sum += term
    }
    return Math.sign(x) * ((2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum)
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)))
}

export const NUMBERS: Readonly<Record<string, Implementation>> = {
  decimal_add: decimals((a, b) => a + b),
  decimal_subtract: decimals((a, b) => a - b),
  decimal_multiply: ([a, b], { returns }) => inRange((a as bigint) * (b as bigint), returns),
  decimal_divide: ([a, b], { parameters: [x, y], returns }) => {
    if (b === 0n) throw divisionByZero()
    const up = returns.s! + y!.s! - x!.s!
    const numerator = up >= 0 ? (a as bigint) * pow10(up) : (a as bigint)
    return inRange(divideHalfUp(numerator, up >= 0 ? (b as bigint) : (b as bigint) * pow10(-up)), returns)
  },
  decimal_modulo: decimals((a, b) => {
    if (b === 0n) throw divisionByZero()
    // unlike sums and products, the operands themselves must fit once they have one scale
    if (tooWide(a) || tooWide(b)) throw outOfRange('Decimal overflow')
    return a % b
  }),
  decimal_average: ([sum, count], { returns }) =>
    (count as bigint) === 0n ? null : inRange(divideHalfUp(sum as bigint, count as bigint), returns),
  decimal_ceil: ([v], { parameters: [t] }) => {
    const unit = pow10(t!.s!)
    const q = (v as bigint) / unit
    return q + ((v as bigint) > 0n && (v as bigint) % unit !== 0n ? 1n : 0n)
  },
  decimal_floor: ([v], { parameters: [t] }) => {
    const unit = pow10(t!.s!)
    const q = (v as bigint) / unit
    return q - ((v as bigint) < 0n && (v as bigint) % unit !== 0n ? 1n : 0n)
  },
  decimal_round: ([v, n], { parameters: [t], returns }) => {
    const s = t!.s!
    if (n === undefined) return inRange(rescale(v as bigint, s, 0), returns)
    const digits = Number(n)
    if (digits >= s) return v!
    if (s - digits > 60) return 0n
    return inRange(divideHalfUp(v as bigint, pow10(s - digits)) * pow10(s - digits), returns)
  },
  decimal_truncate: ([v, n], { parameters: [t] }) => {
    const s = t!.s!
    if (n === undefined) return (v as bigint) / pow10(s)
    const digits = Number(n)
    if (digits >= s) return v!
    if (s - digits > 60) return 0n
    return ((v as bigint) / pow10(s - digits)) * pow10(s - digits)
  },
  non_zero: ([v]) => {
    if (Number(v) === 0) throw divisionByZero()
    return v!
  },
  float_mod: ([a, b]) => (a as number) % (b as number),
  integer_mod: ([a, b]) => {
    if (Number(b) === 0) throw divisionByZero()
    return typeof a === 'bigint' ? a % (b as bigint) : ((a as number) % (b as number)) + 0
  },
  round_integer: ([v, n], { returns }) => {
    const digits = Number(n)
    if (digits >= 0) return v!
    if (digits < -25) return returns.name === 'bigint' ? 0n : 0
    const unit = pow10(-digits)
    return inRange(divideHalfUp(BigInt(v as number | bigint), unit) * unit, returns)
  },
  round_double: ([x, n]) => roundDouble(x as number, Number(n ?? 0)),
  round_real: ([x, n]) => {
    const digits = Number(n ?? 0)
    const factor = 10 ** digits
    const out = roundHalfUp((x as number) * factor) / factor
    return Number.isFinite(out) ? Math.fround(out) : x!
  },
  sign_double: unary((x) => (Number.isNaN(x) ? x : Math.sign(x))),
  sqrt: unary(Math.sqrt),
  cbrt: unary(Math.cbrt),
  ln: unary(Math.log),
  log2: unary(Math.log2),
  log10: unary(Math.log10),
  log: ([b, x]) => Math.log(x as number) / Math.log(b as number),
  power: ([x, y]) => (x as number) ** (y as number),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tan: unary(Math.tan),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  atan2: ([y, x]) => Math.atan2(y as number, x as number),
  sinh: unary(Math.sinh),
  cosh: unary(Math.cosh),
  tanh: unary(Math.tanh),
  width_bucket: ([v, low, high, count]) => {
    const [x, a, b, n] = [v as number, low as number, high as number, count as bigint]
    if (n <= 0n) throw badArgument('bucketCount must be greater than 0')
    if (Number.isNaN(x)) throw badArgument('operand must not be NaN')
    if (!Number.isFinite(a) || !Number.isFinite(b)) throw badArgument('bounds must be finite')
    if (a === b) throw badArgument('bounds cannot equal each other')
    const inside = (p: number) => BigInt(Math.trunc((Number(n) * Math.abs(p)) / Math.abs(b - a))) + 1n
    if (a < b) return x < a ? 0n : x >= b ? n + 1n : inside(x - a)
    return x > a ? 0n : x <= b ? n + 1n : inside(x - a)
  },
  width_bucket_bins: ([v, bins]) => {
    const list = bins as number[]
    if (list.length === 0) throw badArgument('Bins cannot be an empty array')
    if (Number.isNaN(v)) throw badArgument('Operand cannot be NaN')
    for (const [i, b] of list.entries()) {
      if (b === null || !Number.isFinite(b)) throw badArgument(`Bin value must be finite, got ${b}`)
      if (i > 0 && list[i - 1]! >= b) throw badArgument('Bin values are not sorted in ascending order')
    }
    const x = v as number
    const at = list.findIndex((b) => x < b)
    return BigInt(at < 0 ? list.length : at)
  },
  from_base: ([s, r]) => fromBase(s as string, base(r as bigint)),
  to_base: ([n, r]) => (n as bigint).toString(base(r as bigint)),
  shift_left: ([v, n], { returns }) => shift(v!, n!, returns, (x, by, bits) => (by >= BigInt(bits) ? 0n : x << by)),
  shift_right: ([v, n], { returns }) =>
    shift(v!, n!, returns, (x, by, bits) => (by >= BigInt(bits) ? 0n : BigInt.asUintN(bits, x) >> by)),
  shift_right_arithmetic: ([v, n], { returns }) =>
    shift(v!, n!, returns, (x, by, bits) => x >> (by >= BigInt(bits) ? BigInt(bits) : by)),
  bit_count: ([v, bits]) => {
    const n = bits as bigint
    if (n < 2n || n > 64n) throw badArgument('Bits specified in bit_count must be between 2 and 64')
    if ((v as bigint) >= 1n << (n - 1n) || (v as bigint) < -(1n << (n - 1n)))
      throw badArgument(
        `Number must be representable with the bits specified. ${v} cannot be represented with ${n} bits`,
      )
    return BigInt([...BigInt.asUintN(Number(n), v as bigint).toString(2)].filter((c) => c === '1').length)
  },
  cosine_similarity: ([a, b]) => {
    const [x, y] = [new Map(a as [string, number][]), new Map(b as [string, number][])]
    const norm = (m: Map<string, number>) => Math.sqrt([...m.values()].reduce((s, v) => s + v * v, 0))
    if ([...x.values(), ...y.values()].some((v) => v === null) || norm(x) === 0 || norm(y) === 0) return null
    return [...x].reduce((s, [k, v]) => s + v * (y.get(k) ?? 0), 0) / (norm(x) * norm(y))
  },
  normal_cdf: ([mean, sd, v]) => {
    if ((sd as number) <= 0) throw badArgument('standardDeviation must be > 0')
    return 0.5 * (1 + erf(((v as number) - (mean as number)) / ((sd as number) * Math.SQRT2)))
  },
  greatest: (args, { returns }) => extreme(args, returns, 1),
  least: (args, { returns }) => extreme(args, returns, -1),
}

function extreme(args: Value[], t: TrinoType, sign: number): Value {
  if (t.name === 'double' || t.name === 'real') {
    const ns = args as number[]
    if (ns.some(Number.isNaN))
      throw new FunctionFailure('NOT_SUPPORTED', 'greatest and least over NaN are not supported by the local engine')
    return ns.reduce((a, b) => (sign * (b - a) > 0 ? b : a))
  }
  if (t.name === 'timestamp with time zone')
    return (args as { t: bigint; z: string }[]).reduce((a, b) => ((sign > 0 ? b.t > a.t : b.t < a.t) ? b : a))
  throw badArgument(`${t.name} is not supported here`)
}
