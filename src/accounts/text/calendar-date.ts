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

/** Today in UTC. */
export function today(now = new Date()): string {
  return fromDay(now)
}
