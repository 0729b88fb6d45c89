import type { TrinoType } from '../dialect/trino-type.ts'
import { roundHalfUp, roundMicros } from './functions-casts.ts'
import { range } from './functions-collections.ts'
import { PATTERNS } from './functions-date-patterns.ts'
import {
  civil,
  dateText,
  daysOf,
  floorDiv,
  floorMod,
  fromLocal,
  offsetMinutes,
  parseInstant,
  timeText,
  toLocal,
  zoneName,
} from './instants.ts'
import { badArgument, type Implementation, type Instant, outOfRange, type Value } from './values.ts'

const DAY = 86400000000n
const UNIT: Readonly<Record<string, bigint>> = {
  millisecond: 1000n,
  second: 1000000n,
  minute: 60000000n,
  hour: 3600000000n,
  day: DAY,
  week: 7n * DAY,
}
const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 }

/** Local microseconds of a date, timestamp or instant, and the way back. */
function local(v: Value, t: TrinoType): bigint {
  if (t.name === 'date') return BigInt(v as number) * DAY
  if (t.name === 'timestamp with time zone') return toLocal((v as Instant).t, (v as Instant).z)
  return v as bigint
}

function back(micros: bigint, like: Value, t: TrinoType): Value {
  if (t.name === 'date') return Number(floorDiv(micros, DAY))
  if (t.name === 'timestamp with time zone')
    return { t: fromLocal(micros, (like as Instant).z), z: (like as Instant).z }
  return micros
}

function addMonths(micros: bigint, months: number): bigint {
  const days = floorDiv(micros, DAY)
  const c = civil(micros)
  const total = c.year * 12 + c.month - 1 + months
  const [year, month] = [Math.floor(total / 12), ((total % 12) + 12) % 12]
  const first = daysOf(year, month + 1, 1)
  const after = daysOf(month === 11 ? year + 1 : year, month === 11 ? 1 : month + 2, 1)
  if (first === undefined || after === undefined || Math.abs(year) > 200000)
    throw outOfRange('the date is out of range')
  return BigInt(first + Math.min(c.day, after - first) - 1) * DAY + (micros - days * DAY)
}

function unitOf(text: Value, allowed: readonly string[], what: string): string {
  const unit = (text as string).toLowerCase()
  if (!allowed.includes(unit)) throw badArgument(`'${unit.slice(0, 20)}' is not a valid ${what} field`)
  return unit
}

const DATE_UNITS = ['day', 'week', 'month', 'quarter', 'year']
const TIME_UNITS = ['millisecond', 'second', 'minute', 'hour']
const unitsFor = (t: TrinoType) =>
  t.name === 'date' ? DATE_UNITS : t.name === 'time' ? TIME_UNITS : [...TIME_UNITS, ...DATE_UNITS]

function truncate(micros: bigint, unit: string): bigint {
  if (unit === 'week') {
    const days = floorDiv(micros, DAY)
    return (days - floorMod(days + 3n, 7n)) * DAY
  }
  if (UNIT[unit] !== undefined) return floorDiv(micros, UNIT[unit]!) * UNIT[unit]!
  const c = civil(micros)
  const month = unit === 'year' ? 1 : unit === 'quarter' ? Math.floor((c.month - 1) / 3) * 3 + 1 : c.month
  return BigInt(daysOf(c.year, month, 1)!) * DAY
}

/** Whole months between two local times, towards zero. */
function monthsBetween(a: bigint, b: bigint): bigint {
  if (b < a) return -monthsBetween(b, a)
  const [x, y] = [civil(a), civil(b)]
  let n = (y.year - x.year) * 12 + y.month - x.month
  if (n > 0 && addMonths(a, n) > b) n--
  return BigInt(n)
}

const isoWeek = (micros: bigint): { year: number; week: number } => {
  const days = floorDiv(micros, DAY)
  const thursday = days - floorMod(days + 3n, 7n) + 3n
  const year = civil(thursday * DAY).year
  return { year, week: Number((thursday - BigInt(daysOf(year, 1, 1)!)) / 7n) + 1 }
}

const field =
  (read: (micros: bigint) => number): Implementation =>
  ([v], { parameters: [t] }) =>
    BigInt(read(local(v!, t!)))

function zone(text: Value): string {
  const name = zoneName(text as string)
  if (name === undefined) throw badArgument(`'${(text as string).slice(0, 40)}' is not a valid time zone`)
  return name
}

function steps(a: Value, b: Value, by: Value | undefined, unitMonths: boolean, unit: bigint): bigint[] {
  const [from, to] = [BigInt(a as number | bigint) * unit, BigInt(b as number | bigint) * unit]
  if (!unitMonths) return range(from, to, by === undefined ? (to >= from ? DAY : -DAY) : (by as bigint) * 1000n)
  const months = Number(by)
  if (months === 0) throw badArgument('interval must not be zero')
  if (from !== to && months > 0 !== to > from)
    throw badArgument(
      'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
    )
  const out: bigint[] = []
  for (let i = 0; ; i++) {
    const x = addMonths(from, months * i)
    if (months > 0 ? x > to : x < to) return out
    if (out.length >= 10_000) throw badArgument('result of sequence function must not have more than 10000 entries')
    out.push(x)
  }
}

export const DATES: Readonly<Record<string, Implementation>> = {
  ...PATTERNS,
  date_trunc: ([u, v], { parameters: [, t] }) => {
    const unit = unitOf(
      u!,
      t!.name === 'time' ? TIME_UNITS : t!.name === 'date' ? DATE_UNITS : [...TIME_UNITS, ...DATE_UNITS],
      t!.name.toUpperCase(),
    )
    if (t!.name === 'timestamp with time zone' && TIME_UNITS.includes(unit) && unit !== 'hour')
      return { t: truncate((v as Instant).t, unit), z: (v as Instant).z }
    return back(truncate(local(v!, t!), unit), v!, t!)
  },
  date_add: ([u, n, v], { parameters: [, , t] }) => {
    const unit = unitOf(u!, unitsFor(t!), t!.name.toUpperCase())
    const by = n as bigint
    if (MONTHS[unit] !== undefined) return back(addMonths(local(v!, t!), Number(by) * MONTHS[unit]!), v!, t!)
    const micros = by * UNIT[unit]!
    if (t!.name === 'time') return floorMod((v as bigint) + micros, DAY)
    if (t!.name === 'timestamp with time zone' && TIME_UNITS.includes(unit))
      return { t: roundMicros((v as Instant).t + micros, 6, t!.p!), z: (v as Instant).z }
    return back(roundMicros(local(v!, t!) + micros, 6, t!.p ?? 6), v!, t!)
  },
  date_diff: ([u, a, b], { parameters: [, t] }) => {
    const unit = unitOf(u!, unitsFor(t!), t!.name.toUpperCase())
    let [x, y] = [local(a!, t!), local(b!, t!)]
    if (t!.name === 'timestamp with time zone') {
      // both in the first one's zone; hours and less are counted on the clock of UTC
      if (TIME_UNITS.includes(unit)) [x, y] = [(a as Instant).t, (b as Instant).t]
      else y = toLocal((b as Instant).t, (a as Instant).z)
    }
    if (MONTHS[unit] !== undefined) return monthsBetween(x, y) / BigInt(MONTHS[unit]!)
    if (t!.name === 'timestamp' || t!.name === 'timestamp with time zone')
      [x, y] = [floorDiv(x, 1000n) * 1000n, floorDiv(y, 1000n) * 1000n]
    return (y - x) / UNIT[unit]!
  },
  extract_year: field((m) => civil(m).year),
  extract_quarter: field((m) => Math.floor((civil(m).month + 2) / 3)),
  extract_month: field((m) => civil(m).month),
  extract_week: field((m) => isoWeek(m).week),
  extract_day: field((m) => civil(m).day),
  extract_day_of_week: field((m) => Number(floorMod(floorDiv(m, DAY) + 3n, 7n)) + 1),
  extract_day_of_year: field((m) => Number(floorDiv(m, DAY)) - daysOf(civil(m).year, 1, 1)! + 1),
  extract_year_of_week: field((m) => isoWeek(m).year),
  extract_hour: field((m) => civil(m).hour),
  extract_minute: field((m) => civil(m).minute),
  timezone_hour: ([v]) => BigInt(Math.trunc(offsetMinutes((v as Instant).z, (v as Instant).t) / 60)),
  timezone_minute: ([v]) => BigInt(offsetMinutes((v as Instant).z, (v as Instant).t) % 60),
  last_day_of_month: ([v], { parameters: [t] }) => {
    const c = civil(local(v!, t!))
    return daysOf(c.month === 12 ? c.year + 1 : c.year, c.month === 12 ? 1 : c.month + 1, 1)! - 1
  },
  date_plus_millis: ([d, ms]) => {
    if ((ms as bigint) % 86400000n !== 0n) throw badArgument('Cannot add hour, minutes or seconds to a date')
    return (d as number) + Number((ms as bigint) / 86400000n)
  },
  time_plus_millis: ([v, ms]) => floorMod((v as bigint) + (ms as bigint) * 1000n, DAY),
  instant_plus_millis: ([v, ms]) => ({ t: (v as Instant).t + (ms as bigint) * 1000n, z: (v as Instant).z }),
  instant_plus_months: ([v, n], { parameters: [t] }) => back(addMonths(local(v!, t!), Number(n)), v!, t!),
  at_timezone: ([v, z]) => ({ t: (v as Instant).t, z: zone(z!) }),
  at_offset: ([v, ms]) => {
    const minutes = (ms as bigint) / 60000n
    if ((ms as bigint) % 60000n !== 0n)
      throw badArgument('Invalid time zone offset interval: interval contains seconds')
    const m = minutes < 0n ? -minutes : minutes
    return {
      t: (v as Instant).t,
      z: zone(`${minutes < 0n ? '-' : '+'}${String(m / 60n).padStart(2, '0')}:${String(m % 60n).padStart(2, '0')}`),
    }
  },
  with_timezone: ([v, z]) => {
    const name = zone(z!)
    return { t: fromLocal(v as bigint, name), z: name }
  },
  from_unixtime: ([x, z]) => {
    const ms = Math.floor((x as number) * 1000 + 0.5)
    if (!Number.isFinite(ms) || Math.abs(ms) > 2 ** 51) throw badArgument('Invalid Unix time')
    return { t: BigInt(ms) * 1000n, z: z === undefined ? 'UTC' : zone(z) }
  },
  to_iso8601: ([v], { parameters: [t] }) => {
    const micros = local(v!, t!)
    const days = floorDiv(micros, DAY)
    const text = `${dateText(Number(days))}T${timeText(micros - days * DAY, t!.p!)}`
    if (t!.name !== 'timestamp with time zone') return text
    const offset = offsetMinutes((v as Instant).z, (v as Instant).t)
    const m = Math.abs(offset)
    return (
      text +
      (offset === 0
        ? 'Z'
        : `${offset < 0 ? '-' : '+'}${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`)
    )
  },
  from_iso8601_date: ([s]) => {
    const text = s as string
    const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
    const days = day === null ? isoForms(text) : daysOf(Number(day[1]), Number(day[2]), Number(day[3]))
    if (days === undefined) throw badArgument(`Invalid format: "${text.slice(0, 40)}"`)
    return days
  },
  from_iso8601_timestamp: ([s]) => {
    const m =
      /^(\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}-\d|\d{4}-\d{3})(?:T(\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(
        s as string,
      )
    const date =
      m === null
        ? undefined
        : /^\d{4}-\d{2}-\d{2}$/.test(m[1]!)
          ? m[1]!
          : isoForms(m[1]!) === undefined
            ? undefined
            : dateText(isoForms(m[1]!)!)
    const clock = (m?.[2] ?? '00').replace(',', '.')
    const full = clock.length === 2 ? `${clock}:00` : clock
    const parsed = date === undefined ? undefined : parseInstant(`${date} ${full.replace(/(\.\d{3})\d+$/, '$1')}`)
    if (m === null || parsed === undefined) throw badArgument(`Invalid format: "${(s as string).slice(0, 40)}"`)
    const z = m[3] === undefined || m[3] === 'Z' ? 'UTC' : zone(m[3])
    return { t: fromLocal(parsed.micros, z), z }
  },
  sequence_date: ([a, b, by], { parameters }) =>
    steps(a!, b!, by, parameters[2]?.name === 'interval year to month', DAY).map((m) => {
      if (m % DAY !== 0n) throw badArgument('sequence step must be a day interval if start and end values are dates')
      return Number(m / DAY)
    }),
  sequence_timestamp: ([a, b, by], { parameters }) =>
    steps(a!, b!, by, parameters[2]!.name === 'interval year to month', 1n),
  human_readable_seconds: ([x]) => {
    let s = roundHalfUp(x as number)
    if (!Number.isFinite(s)) throw badArgument('Invalid argument found')
    const parts: string[] = []
    for (const [name, size] of [
      ['week', 604800],
      ['day', 86400],
      ['hour', 3600],
      ['minute', 60],
      ['second', 1],
    ] as const) {
      const n = Math.floor(Math.abs(s) / size)
      s = Math.abs(s) - n * size
      if (n > 0 || (name === 'second' && parts.length === 0)) parts.push(`${n} ${name}${n === 1 ? '' : 's'}`)
    }
    return parts.join(', ')
  },
  parse_duration: ([s]) => {
    const m = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)\s*$/.exec(s as string)
    if (m === null) throw badArgument(`duration is not a valid data duration string: ${(s as string).slice(0, 30)}`)
    const millis = Number(m[1]) * { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60000, h: 3600000, d: 86400000 }[m[2] as 'd']
    return BigInt(roundHalfUp(millis))
  },
}

/** Week dates and ordinal dates. */
function isoForms(text: string): number | undefined {
  const week = /^(\d{4})-W(\d{2})(?:-(\d))?$/.exec(text)
  if (week !== null) {
    const [w, d] = [Number(week[2]), Number(week[3] ?? 1)]
    const fourth = daysOf(Number(week[1]), 1, 4)!
    return w < 1 || w > 53 || d < 1 || d > 7 ? undefined : fourth - ((((fourth + 3) % 7) + 7) % 7) + (w - 1) * 7 + d - 1
  }
  const ordinal = /^(\d{4})-(\d{3})$/.exec(text)
  if (ordinal === null) return undefined
  const days = daysOf(Number(ordinal[1]), 1, 1)! + Number(ordinal[2]) - 1
  return Number(ordinal[2]) >= 1 && civil(BigInt(days) * DAY).year === Number(ordinal[1]) ? days : undefined
}
