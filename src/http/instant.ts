import { z } from 'zod'

const INSTANT = z.iso.datetime({ offset: true })
const DAY = z.iso.date()
const TOO_PRECISE = /\.\d{4}/

/**
 * An instant of RFC 3339, to the millisecond: the database keeps no more, and what it would cut off is refused. Only the years
 * 1 to 9999 in UTC, which every reader of the data can write.
 */
export function parseInstant(text: string): Date | undefined {
  if (!INSTANT.safeParse(text).success || TOO_PRECISE.test(text)) return undefined
  const instant = new Date(text)
  const year = instant.getUTCFullYear()
  return year >= 1 && year <= 9999 ? instant : undefined
}

/** A day, `YYYY-MM-DD`, of the years 1 to 9999. It stays text: a day has no time zone. */
export function parseDay(text: string): string | undefined {
  return DAY.safeParse(text).success && !text.startsWith('0000') ? text : undefined
}
