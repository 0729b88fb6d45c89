/** date_format and date_parse (MySQL's patterns), format_datetime and parse_datetime (Joda's). */
import {
  type Civil,
  civil,
  daysOf,
  floorDiv,
  floorMod,
  fromLocal,
  offsetMinutes,
  toLocal,
  zoneName,
} from './instants.ts'
import { badArgument, type Implementation, type Instant } from './values.ts'

type Token = { readonly literal: string } | { readonly letter: string; readonly width: number }

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const DAY = 86400000000n

const MYSQL: Readonly<Record<string, readonly Token[]>> = Object.fromEntries(
  Object.entries({
    a: 'E1',
    b: 'M3',
    c: 'M1',
    d: 'd2',
    e: 'd1',
    f: 'S6',
    H: 'H2',
    h: 'h2',
    I: 'h2',
    i: 'm2',
    j: 'D3',
    k: 'H1',
    l: 'h1',
    M: 'M4',
    m: 'M2',
    p: 'a1',
    r: 'h2 : m2 : s2 _ a1',
    S: 's2',
    s: 's2',
    T: 'H2 : m2 : s2',
    v: 'w2',
    W: 'E4',
    x: 'x4',
    Y: 'y4',
    y: 'y2',
  }).map(([k, v]) => [
    k,
    v
      .split(' ')
      .map(
        (t): Token =>
          t === ':' ? { literal: ':' } : t === '_' ? { literal: ' ' } : { letter: t[0]!, width: Number(t[1]) },
      ),
  ]),
)

function mysqlTokens(pattern: string): Token[] {
  const out: Token[] = []
  if (pattern === '') throw badArgument('Invalid pattern specification: the pattern is empty')
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!
    if (c !== '%') {
      out.push({ literal: c })
      continue
    }
    const e = pattern[++i]
    if (e === undefined) throw badArgument('Invalid pattern: ends with %')
    if (['D', 'U', 'u', 'V', 'w', 'X'].includes(e)) throw badArgument(`%${e} not supported in date format string`)
    out.push(...(MYSQL[e] ?? [{ literal: e }]))
  }
  return out
}

function jodaTokens(pattern: string): Token[] {
  if (pattern === '') throw badArgument('Invalid pattern specification')
  const out: Token[] = []
  for (let i = 0; i < pattern.length; ) {
    const c = pattern[i]!
    if (c === "'") {
      let text = ''
      let end = i + 1
      for (; ; end++) {
        if (end >= pattern.length) break
        if (pattern[end] === "'") {
          if (pattern[end + 1] !== "'") break
          end++
        }
        text += pattern[end]
      }
      out.push({ literal: end === i + 1 ? "'" : text })
      i = end + 1
    } else if (/[A-Za-z]/.test(c)) {
      let end = i
      while (pattern[end] === c) end++
      if (!'GCYxwedEyDMaKhHkmsSzZu'.includes(c)) throw badArgument(`Illegal pattern component: ${c}`)
      out.push({ letter: c, width: end - i })
      i = end
    } else {
      out.push({ literal: c })
      i++
    }
  }
  return out
}

const caches = new Map<string, Token[]>()
function tokens(kind: 'mysql' | 'joda', pattern: string): Token[] {
  const key = kind + pattern
  const known = caches.get(key)
  if (known !== undefined) return known
  const made = kind === 'mysql' ? mysqlTokens(pattern) : jodaTokens(pattern)
  if (caches.size > 500) caches.clear()
  caches.set(key, made)
  return made
}

const pad = (n: number, width: number) =>
  n < 0 ? `-${String(-n).padStart(width, '0')}` : String(n).padStart(width, '0')

function write(list: readonly Token[], micros: bigint, zone: string | undefined, utc: bigint): string {
  const c = civil(micros)
  const days = floorDiv(micros, DAY)
  const weekday = Number(floorMod(days + 3n, 7n))
  const thursday = days - BigInt(weekday) + 3n
  const weekYear = civil(thursday * DAY).year
  const week = Number((thursday - BigInt(daysOf(weekYear, 1, 1)!)) / 7n) + 1
  return list
    .map((t) =>
      'literal' in t
        ? t.literal
        : writeField(t.letter, t.width, c, {
            weekday,
            weekYear,
            week,
            dayOfYear: Number(days) - daysOf(c.year, 1, 1)! + 1,
            zone,
            utc,
          }),
    )
    .join('')
}

interface More {
  readonly weekday: number
  readonly weekYear: number
  readonly week: number
  readonly dayOfYear: number
  readonly zone: string | undefined
  readonly utc: bigint
}

function writeField(letter: string, width: number, c: Civil, m: More): string {
  const twoDigits = (n: number) => (width === 2 ? pad(((n % 100) + 100) % 100, 2) : pad(n, width))
  switch (letter) {
    case 'y':
    case 'Y':
      return twoDigits(c.year)
    case 'x':
      return twoDigits(m.weekYear)
    case 'C':
      return pad(Math.floor(c.year / 100), width)
    case 'G':
      return c.year > 0 ? 'AD' : 'BC'
    case 'M':
      return width >= 4 ? MONTHS[c.month - 1]! : width === 3 ? MONTHS[c.month - 1]!.slice(0, 3) : pad(c.month, width)
    case 'd':
      return pad(c.day, width)
    case 'D':
      return pad(m.dayOfYear, width)
    case 'w':
      return pad(m.week, width)
    case 'e':
      return pad(m.weekday + 1, width)
    case 'E':
      return width >= 4 ? DAYS[m.weekday]! : DAYS[m.weekday]!.slice(0, 3)
    case 'a':
      return c.hour < 12 ? 'AM' : 'PM'
    case 'H':
      return pad(c.hour, width)
    case 'k':
      return pad(c.hour === 0 ? 24 : c.hour, width)
    case 'K':
      return pad(c.hour % 12, width)
    case 'h':
      return pad(c.hour % 12 === 0 ? 12 : c.hour % 12, width)
    case 'm':
      return pad(c.minute, width)
    case 's':
      return pad(c.second, width)
    case 'S':
      // both know milliseconds only
      return `${pad(Math.floor(c.fraction / 1000), 3)}000000`.slice(0, width)
    case 'Z': {
      const zone = m.zone ?? 'UTC'
      if (width >= 3) return zone
      const offset = offsetMinutes(zone, m.utc)
      const a = Math.abs(offset)
      return `${offset < 0 ? '-' : '+'}${pad(Math.floor(a / 60), 2)}${width === 2 ? ':' : ''}${pad(a % 60, 2)}`
    }
    default:
      throw badArgument(`the pattern letter ${letter} is not supported by the local engine`)
  }
}

interface Parsed {
  year?: number
  weekYear?: number
  week?: number
  weekday?: number
  month?: number
  day?: number
  dayOfYear?: number
  hour?: number
  halfHour?: number
  pm?: boolean
  minute?: number
  second?: number
  millis?: number
  offset?: number
  zone?: string
}

/** @returns local microseconds and what was said of the zone */
function read(list: readonly Token[], text: string, pivot: 'mysql' | 'joda'): { micros: bigint; zone?: string } {
  const fail = () => badArgument(`Invalid format: "${text.slice(0, 60)}"`)
  const p: Parsed = {}
  let at = 0
  for (const [i, t] of list.entries()) {
    if ('literal' in t) {
      if (!text.startsWith(t.literal, at)) throw fail()
      at += t.literal.length
      continue
    }
    const next = list[i + 1]
    const adjacent = next !== undefined && 'letter' in next && !'EaGZz'.includes(next.letter)
    at = readField(t.letter, t.width, text, at, p, adjacent, pivot) ?? -1
    if (at < 0) throw fail()
  }
  if (at !== text.length) throw fail()
  const micros = assemble(p)
  if (micros === undefined) throw badArgument(`Cannot parse "${text.slice(0, 60)}": a value is out of range`)
  return p.zone === undefined ? { micros } : { micros, zone: p.zone }
}

function readField(
  letter: string,
  width: number,
  text: string,
  at: number,
  p: Parsed,
  adjacent: boolean,
  pivot: 'mysql' | 'joda',
): number | undefined {
  const rest = text.slice(at)
  const number = (max: number, set: (n: number, digits: number) => void, signed = false): number | undefined => {
    const m = new RegExp(`^${signed ? '[+-]?' : ''}\\d{1,${adjacent ? Math.min(width, max) : max}}`).exec(rest)
    if (m === null) return undefined
    set(Number(m[0]), m[0].replace(/^[+-]/, '').length)
    return at + m[0].length
  }
  const word = (list: readonly string[], set: (n: number) => void): number | undefined => {
    const n = list.findIndex((w) => rest.toLowerCase().startsWith(w.toLowerCase()))
    const short = n >= 0 ? n : list.findIndex((w) => rest.toLowerCase().startsWith(w.slice(0, 3).toLowerCase()))
    if (short < 0) return undefined
    set(short)
    return at + (n >= 0 ? list[n]!.length : 3)
  }
  switch (letter) {
    case 'y':
    case 'Y':
    case 'x': {
      const set = (n: number, digits: number) => {
        const y =
          width === 2 && digits === 2
            ? pivot === 'mysql'
              ? n < 70
                ? 2000 + n
                : 1900 + n
              : n + (n < new Date().getUTCFullYear() - 1950 ? 2000 : 1900)
            : n
        if (letter === 'x') p.weekYear = y
        else p.year = y
      }
      return number(width === 2 ? 2 : 9, set, width !== 2)
    }
    case 'M':
      if (width >= 3)
        return word(MONTHS, (n) => {
          p.month = n + 1
        })
      return number(2, (n) => {
        p.month = n
      })
    case 'd':
      return number(2, (n) => {
        p.day = n
      })
    case 'D':
      return number(3, (n) => {
        p.dayOfYear = n
      })
    case 'w':
      return number(2, (n) => {
        p.week = n
      })
    case 'e':
      return number(1, (n) => {
        p.weekday = n
      })
    case 'E':
      return word(DAYS, (n) => {
        p.weekday = n + 1
      })
    case 'a':
      return word(['AM', 'PM'], (n) => {
        p.pm = n === 1
      }) === undefined
        ? undefined
        : at + 2
    case 'H':
      return number(2, (n) => {
        p.hour = n
      })
    case 'k':
      return number(2, (n) => {
        p.hour = n === 24 ? 0 : n < 1 ? 99 : n
      })
    case 'K':
      return number(2, (n) => {
        p.halfHour = n < 12 ? n : 99
      })
    case 'h':
      return number(2, (n) => {
        p.halfHour = n >= 1 && n <= 12 ? n % 12 : 99
      })
    case 'm':
      return number(2, (n) => {
        p.minute = n
      })
    case 's':
      return number(2, (n) => {
        p.second = n
      })
    case 'S': {
      const m = new RegExp(`^\\d{1,${Math.max(width, 9)}}`).exec(rest)
      if (m === null) return undefined
      p.millis = Number(m[0].slice(0, 3).padEnd(3, '0'))
      return at + m[0].length
    }
    case 'Z': {
      const m = /^(?:Z|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+(?:\/[A-Za-z_]+)*)/.exec(rest)
      const zone = m === null ? undefined : zoneName(m[0])
      if (zone === undefined) return undefined
      p.zone = zone
      return at + m![0].length
    }
    default:
      throw badArgument(`the pattern letter ${letter} is not supported by the local engine`)
  }
}

function assemble(p: Parsed): bigint | undefined {
  let days: number | undefined
  if (p.weekYear !== undefined || p.week !== undefined) {
    const fourth = daysOf(p.weekYear ?? 1970, 1, 4)!
    const [w, d] = [p.week ?? 1, p.weekday ?? 1]
    if (w < 1 || w > 53) return undefined
    days = fourth - ((((fourth + 3) % 7) + 7) % 7) + (w - 1) * 7 + d - 1
  } else if (p.dayOfYear !== undefined) {
    const first = daysOf(p.year ?? 1970, 1, 1)!
    days = first + p.dayOfYear - 1
    if (p.dayOfYear < 1 || civil(BigInt(days) * DAY).year !== (p.year ?? 1970)) return undefined
  } else days = daysOf(p.year ?? 1970, p.month ?? 1, p.day ?? 1)
  const hour = p.hour ?? (p.halfHour === undefined ? 0 : p.halfHour + (p.pm ? 12 : 0))
  const [minute, second] = [p.minute ?? 0, p.second ?? 0]
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  return BigInt(days) * DAY + BigInt(hour * 3600 + minute * 60 + second) * 1000000n + BigInt(p.millis ?? 0) * 1000n
}

const format =
  (kind: 'mysql' | 'joda'): Implementation =>
  ([v, pattern], { parameters: [t] }) => {
    const zoned = t!.name === 'timestamp with time zone'
    const utc = zoned ? (v as Instant).t : (v as bigint)
    const zone = zoned ? (v as Instant).z : undefined
    return write(tokens(kind, pattern as string), zone === undefined ? utc : toLocal(utc, zone), zone, utc)
  }

export const PATTERNS: Readonly<Record<string, Implementation>> = {
  date_format: format('mysql'),
  format_datetime: format('joda'),
  date_parse: ([text, pattern]) => read(tokens('mysql', pattern as string), text as string, 'mysql').micros,
  parse_datetime: ([text, pattern]) => {
    const { micros, zone } = read(tokens('joda', pattern as string), text as string, 'joda')
    const z = zone ?? 'UTC'
    return { t: fromLocal(micros, z), z }
  },
}
