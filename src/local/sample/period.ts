/** The sample covers three years that end at a fixed day, so that everyone sees the same numbers. Times are UTC. */
export const DAY_MS = 86_400_000
export const START_MS = Date.UTC(2023, 10, 1)
export const BASE_DAYS = 1096
/** Midnight after the last day of the first load; day 1 of `--advance` begins here. */
export const END_MS = START_MS + BASE_DAYS * DAY_MS

export const iso = (ms: number): string => new Date(ms).toISOString()
export const isoDate = (ms: number): string => iso(ms).slice(0, 10)
