/** Dates, times and instants as numbers and texts. Days and microseconds count from 1970-01-01 UTC. */

export interface ParsedInstant {
  /** UTC where a zone is given, else the local time. */
  readonly micros: bigint
  readonly date: string
  readonly precision: number
  readonly zone?: string
}

const pad = (n: number | bigint, width: number) => String(n).padStart(width, '0')

/** Days of a proleptic Gregorian date, or undefined when there is no such day. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const d = new Date(0)
  d.setUTCFullYear(year, month - 1, day)
  return d.getUTCMonth() === month - 1 && d.getUTCDate() === day ? Math.floor(d.getTime() / 86400000) : undefined
}

const floorDiv = (a: bigint, b: bigint) => (a >= 0n ? a / b : -((-a + b - 1n) / b))
export const floorMod = (a: bigint, b: bigint) => a - floorDiv(a, b) * b
export { floorDiv }

export interface Civil {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  /** microseconds of the second */
  fraction: number
}

export function civil(micros: bigint): Civil {
  const seconds = floorDiv(micros, 1000000n)
  const d = new Date(Number(seconds) * 1000)
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    fraction: Number(micros - seconds * 1000000n),
  }
}

export function dateText(days: number): string {
  const d = new Date(days * 86400000)
  const y = d.getUTCFullYear()
  return `${y < 0 ? `-${pad(-y, 4)}` : y > 9999 ? `+${y}` : pad(y, 4)}-${pad(d.getUTCMonth() + 1, 2)}-${pad(d.getUTCDate(), 2)}`
}

export function timeText(microsOfDay: bigint, precision: number): string {
  const s = microsOfDay / 1000000n
  const fraction = precision === 0 ? '' : `.${pad(microsOfDay % 1000000n, 6).slice(0, precision)}`
  return `${pad(s / 3600n, 2)}:${pad((s / 60n) % 60n, 2)}:${pad(s % 60n, 2)}${fraction}`
}

export function timestampText(micros: bigint, precision: number): string {
  const days = floorDiv(micros, 86400000000n)
  return `${dateText(Number(days))} ${timeText(micros - days * 86400000000n, precision)}`
}

const zoneFormats = new Map<string, Intl.DateTimeFormat | undefined>()

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (!zoneFormats.has(zone)) {
    let format: Intl.DateTimeFormat | undefined
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
        era: 'short',
      })
    } catch {
      format = undefined
    }
    zoneFormats.set(zone, format)
  }
  return zoneFormats.get(zone)
}

/** `UTC`, `+05:30`, `Europe/Berlin`: the name as Trino prints it, or undefined for an unknown zone. */
export function zoneName(text: string): string | undefined {
  if (/^(?:UTC|Z|GMT|UCT|Zulu|Etc\/UTC|Etc\/GMT|Etc\/UCT|Etc\/Zulu|GMT0|Etc\/GMT0)$/i.test(text)) return 'UTC'
  const m = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/.exec(text)
  if (m !== null) {
    const [h, min] = [Number(m[2]), Number(m[3] ?? 0)]
    if (h > 14 || min > 59 || (h === 14 && min > 0)) return undefined
    return h === 0 && min === 0 ? 'UTC' : `${m[1]}${pad(h, 2)}:${pad(min, 2)}`
  }
  if (!/^[A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)+$/.test(text) && !/^[A-Z][A-Za-z]+$/.test(text)) return undefined
  return zoneFormat(text) === undefined ? undefined : text
}

/** Offset of the zone from UTC at an instant, in minutes (seconds of old local times are cut). */
export function offsetMinutes(zone: string, micros: bigint): number {
  if (zone === 'UTC') return 0
  const m = /^([+-])(\d\d):(\d\d)$/.exec(zone)
  if (m !== null) return (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3]))
  const seconds = Number(floorDiv(micros, 1000000n))
  const parts = Object.fromEntries(
    zoneFormat(zone)!
      .formatToParts(new Date(seconds * 1000))
      .map((p) => [p.type, p.value]),
  )
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
  const local = new Date(0)
  local.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day))
  local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second))
  return Math.round((local.getTime() / 1000 - seconds) / 60)
}

export const toLocal = (micros: bigint, zone: string) => micros + BigInt(offsetMinutes(zone, micros)) * 60000000n

/** The instant of a local time. In a gap the offset before it holds, in an overlap the earlier instant (java.time). */
export function fromLocal(local: bigint, zone: string): bigint {
  const offset = (at: bigint) => BigInt(offsetMinutes(zone, at)) * 60000000n
  const before = offset(local - 86400000000n)
  const guess = local - before
  if (offset(guess) === before) return guess
  const after = offset(local + 86400000000n)
  const late = local - after
  return offset(late) === after ? late : guess
}

/** `2026-01-04 05:33:18.123 Europe/Berlin`, parts from the right optional; undefined when it is none. */
export function parseInstant(text: string): ParsedInstant | undefined {
  const m =
    /^\s*([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?)?\s*(?:\s([A-Za-z][\w/+-]*(?::\d\d)?)|(Z|[+-]\d{1,2}(?::?\d{2})?))?\s*$/.exec(
      text,
    )
  if (m === null) return undefined
  const days = daysOf(Number(m[1]), Number(m[2]), Number(m[3]))
  const [hour, minute, second] = [Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0)]
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  const digits = m[7] ?? ''
  const local =
    BigInt(days) * 86400000000n +
    BigInt(hour * 3600 + minute * 60 + second) * 1000000n +
    BigInt((digits.slice(0, 6) || '0').padEnd(Math.min(6, 6), '0'))
  const written = m[8] ?? m[9]
  const base = { date: dateText(days), precision: digits.length }
  if (written === undefined) return { ...base, micros: local }
  const zone = zoneName(written)
  return zone === undefined ? undefined : { ...base, micros: fromLocal(local, zone), zone }
}

export function parseTime(text: string): { micros: bigint; text: string; precision: number } | undefined {
  const m = /^\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?\s*$/.exec(text)
  if (m === null) return undefined
  const [h, min, s] = [Number(m[1]), Number(m[2]), Number(m[3] ?? 0)]
  if (h > 23 || min > 59 || s > 59) return undefined
  const digits = m[4] ?? ''
  const micros = BigInt(h * 3600 + min * 60 + s) * 1000000n + BigInt(digits.padEnd(6, '0'))
  return { micros, text: timeText(micros, 6), precision: digits.length }
}
