export const DAY_MS = 86_400_000
export const BASE_DAYS = 1096

/**
 * The three years that the sample covers, and the days of `--advance` after them. Everything else about the sample is fixed:
 * another end only moves all times by whole days. Times are UTC.
 */
export interface Period {
  /** Midnight at which the three years begin. */
  readonly startMs: number
  /** Midnight after their last day; day 1 of `--advance` begins here. */
  readonly endMs: number
}

/** @param endMs midnight, UTC. */
export function samplePeriod(endMs: number): Period {
  return { startMs: endMs - BASE_DAYS * DAY_MS, endMs }
}

export const iso = (ms: number): string => new Date(ms).toISOString()
export const isoDate = (ms: number): string => iso(ms).slice(0, 10)

/** The last day of the quarter that the instant lies in. */
export function quarterEnd(ms: number): string {
  const date = new Date(ms)
  return isoDate(Date.UTC(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / 3) * 3 + 3, 0))
}
