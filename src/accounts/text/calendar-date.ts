/**
 * Days without a time or zone: `YYYY-MM-DD` text everywhere in the program, so that no time zone can move them. Only the edge to
 * the database knows `Date`, and there it means midnight in UTC.
 */

/** The day as the database driver wants it. */
export function toDay(date: string): Date {
  return new Date(`${date}T00:00:00.000Z`)
}

/** A `date` column as text. */
export function fromDay(day: Date): string {
  return day.toISOString().slice(0, 10)
}

const DAY_MS = 86_400_000
/** Every birth date is compared with it, and telling the day anew costs more than all else that is checked of a date. */
let latest = { day: Number.NaN, text: '' }

/** Today in UTC. */
export function today(now = new Date()): string {
  const day = Math.floor(now.getTime() / DAY_MS)
  if (day !== latest.day) latest = { day, text: fromDay(now) }
  return latest.text
}
