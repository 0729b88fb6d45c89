/** Values as texts: as Athena prints them in results, and as CAST to varchar writes them. */
import type { TrinoType } from '../dialect/trino-type.ts'
import { dateText, offsetMinutes, timestampText, timeText } from './instants.ts'
import type { Instant, Value } from './values.ts'

/** As Java prints a double: `1.0`, `1.2475E7`, `1.0E-4`. `single`: as it prints a float. */
export function javaDouble(x: number, single = false): string {
  if (Number.isNaN(x)) return 'NaN'
  if (!Number.isFinite(x)) return x > 0 ? 'Infinity' : '-Infinity'
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0'
  const { sign, digits, exponent } = digitsOf(x, single)
  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
    const padded = digits.padEnd(exponent + 2, '0')
    return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1)}`
  }
  return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`
}

/** The shortest digits that give the number back; value = d.ddd × 10^exponent. */
export function digitsOf(x: number, single: boolean): { sign: string; digits: string; exponent: number } {
  const text = single ? shortestSingle(Math.abs(x)) : Math.abs(x).toExponential()
  const [mantissa, e] = text.split('e') as [string, string]
  return { sign: x < 0 || Object.is(x, -0) ? '-' : '', digits: mantissa.replace('.', ''), exponent: Number(e) }
}

function shortestSingle(x: number): string {
  for (let p = 0; p < 9; p++) {
    const text = x.toExponential(p)
    if (Math.fround(Number(text)) === x) return text.replace(/\.?0+e/, 'e')
  }
  return x.toExponential(9)
}

/** CAST(double AS varchar): always with an exponent, `1.0E-3`, `-0E0`. */
export function castDouble(x: number, single: boolean): string {
  if (Number.isNaN(x)) return 'NaN'
  if (!Number.isFinite(x)) return x > 0 ? 'Infinity' : '-Infinity'
  if (x === 0) return Object.is(x, -0) ? '-0E0' : '0E0'
  const { sign, digits, exponent } = digitsOf(x, single)
  const cut = single ? digits : roundDigits(digits, exponent)
  const d = typeof cut === 'string' ? { digits: cut, exponent } : cut
  return `${sign}${d.digits[0]}.${d.digits.slice(1) || '0'}E${d.exponent}`
}

/** Trino writes at most 16 significant digits here. */
function roundDigits(digits: string, exponent: number): { digits: string; exponent: number } {
  if (digits.length <= 16) return { digits, exponent }
  const kept = BigInt(digits.slice(0, 16)) + (digits[16]! >= '5' ? 1n : 0n)
  const text = String(kept)
  return { digits: text.slice(0, 16).replace(/0+$/, '') || '0', exponent: exponent + (text.length > 16 ? 1 : 0) }
}

export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

export function dayToSecondText(millis: bigint): string {
  const sign = millis < 0n ? '-' : ''
  const m = millis < 0n ? -millis : millis
  const pad = (n: bigint, w: number) => String(n).padStart(w, '0')
  return `${sign}${m / 86400000n} ${pad((m / 3600000n) % 24n, 2)}:${pad((m / 60000n) % 60n, 2)}:${pad((m / 1000n) % 60n, 2)}.${pad(m % 1000n, 3)}`
}

export const yearToMonthText = (months: bigint) =>
  `${months < 0n ? '-' : ''}${(months < 0n ? -months : months) / 12n}-${(months < 0n ? -months : months) % 12n}`

export function instantText(v: Instant, precision: number): string {
  return `${timestampText(v.t + BigInt(offsetMinutes(v.z, v.t)) * 60000000n, precision)} ${v.z}`
}

/** A value of a result, or null. `nested`: inside of an array, map or row. */
export function resultText(v: Value, t: TrinoType): string | null {
  if (v === null) return null
  switch (t.name) {
    case 'boolean':
      return v ? 'true' : 'false'
    case 'double':
      return javaDouble(v as number)
    case 'real':
      return javaDouble(v as number, true)
    case 'decimal':
      return decimalText(v as bigint, t.s!)
    case 'char':
      return (v as string).padEnd(t.p! + ((v as string).length - [...(v as string)].length))
    case 'varbinary':
      return [...(v as Uint8Array)].map((b) => b.toString(16).padStart(2, '0')).join(' ')
    case 'date':
      return dateText(v as number)
    case 'time':
      return timeText(v as bigint, t.p!)
    case 'timestamp':
      return timestampText(v as bigint, t.p!)
    case 'timestamp with time zone':
      return instantText(v as Instant, t.p!)
    case 'interval day to second':
      return dayToSecondText(v as bigint)
    case 'interval year to month':
      return yearToMonthText(v as bigint)
    case 'array':
      return `[${(v as Value[]).map((x) => resultText(x, t.args![0]!) ?? 'null').join(', ')}]`
    case 'map':
      return `{${(v as Value[][]).map(([k, x]) => `${resultText(k!, t.args![0]!) ?? 'null'}=${resultText(x!, t.args![1]!) ?? 'null'}`).join(', ')}}`
    case 'row':
      return `{${(v as Value[]).map((x, i) => `${t.fields?.[i] ?? `field${i}`}=${resultText(x, t.args![i]!) ?? 'null'}`).join(', ')}}`
    default:
      return String(v)
  }
}

/** CAST to varchar, before its length is looked at. */
export function varcharText(v: Value, from: TrinoType): string {
  switch (from.name) {
    case 'double':
      return castDouble(v as number, false)
    case 'real':
      return castDouble(v as number, true)
    case 'decimal':
      return decimalText(v as bigint, from.s!)
    case 'date':
      return dateText(v as number)
    case 'time':
      return timeText(v as bigint, from.p!)
    case 'timestamp':
      return timestampText(v as bigint, from.p!)
    case 'timestamp with time zone':
      return instantText(v as Instant, from.p!)
    case 'interval day to second':
      return dayToSecondText(v as bigint)
    case 'interval year to month':
      return yearToMonthText(v as bigint)
    case 'char':
      return (v as string).padEnd(from.p!)
    default:
      return String(v)
  }
}
