import { z } from 'zod'

const INSTANT = z.iso.datetime({ offset: true })
const DAY = z.iso.date()
/** Days that every month has, so that nothing has to be counted. */
const PLAIN_DAY = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])$/
const PLAIN_INSTANT =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?Z$/
const TOO_PRECISE = /\.\d{4}/

/**
 * An instant of RFC 3339, to the millisecond: the database keeps no more, and what it would cut off is refused. Only the years
 * 1 to 9999 in UTC, which every reader of the data can write.
 */
export function parseInstant(text: string): Date | undefined {
  return PLAIN_INSTANT.test(text) ? new Date(text) : judgeInstant(text)
}

/** The rules in full, without the short way that most instants take. */
export function judgeInstant(text: string): Date | undefined {
  if (!INSTANT.safeParse(text).success || TOO_PRECISE.test(text)) return undefined
  const instant = new Date(text)
  const year = instant.getUTCFullYear()
  return year >= 1 && year <= 9999 ? instant : undefined
}

/** A day, `YYYY-MM-DD`, of the years 1 to 9999. It stays text: a day has no time zone. */
export function parseDay(text: string): string | undefined {
  return PLAIN_DAY.test(text) ? text : judgeDay(text)
}

/** The rules in full, without the short way that most days take. */
export function judgeDay(text: string): string | undefined {
  return DAY.safeParse(text).success && !text.startsWith('0000') ? text : undefined
}
