import type { FieldError } from '../../errors.ts'

/** How long and when somebody played a game, as totals. */
export interface Playtime {
  readonly playtimeSeconds: number
  readonly firstPlayedAt: Date | null
  readonly lastPlayedAt: Date | null
}

/** What a game back end reports: totals so far, never a difference. Absent and NULL say nothing. */
export interface PlaytimeReport {
  readonly playtimeSeconds?: number | undefined
  readonly firstPlayedAt?: Date | null | undefined
  readonly lastPlayedAt?: Date | null | undefined
}

export const NEVER_PLAYED: Playtime = { playtimeSeconds: 0, firstPlayedAt: null, lastPlayedAt: null }

/**
 * The totals after a report: the greatest time, the earliest and the latest moment. Reports that come twice or out of order do
 * no harm, and none takes anything away. Exact only on a locked row.
 */
export function playtimeAfter(before: Playtime, report: PlaytimeReport): Playtime {
  return {
    playtimeSeconds: Math.max(before.playtimeSeconds, report.playtimeSeconds ?? 0),
    firstPlayedAt: chosen(before.firstPlayedAt, report.firstPlayedAt, Math.min),
    lastPlayedAt: chosen(before.lastPlayedAt, report.lastPlayedAt, Math.max),
  }
}

/** Moments that contradict each other: the first needs a last, and does not come after it. */
export function playtimeErrors({ firstPlayedAt, lastPlayedAt }: Playtime): FieldError[] {
  if (firstPlayedAt === null) return []
  if (lastPlayedAt === null) {
    return [{ pointer: '/lastPlayedAt', code: 'required', detail: 'firstPlayedAt needs it beside it' }]
  }
  if (firstPlayedAt <= lastPlayedAt) return []
  return [{ pointer: '/firstPlayedAt', code: 'after-last', detail: 'must not be after lastPlayedAt' }]
}

/** No game of ours was played earlier; what an empty date comes out as in many languages is. */
const EARLIEST = new Date('1980-01-01T00:00:00Z')
/** Clocks and time zones of machines elsewhere may be wrong by so much. */
const MOST_AHEAD_MS = 24 * 60 * 60 * 1000

/** Moments that only a wrong clock tells. They have to be kept out: the earliest and the latest ever told are kept for good. */
export function clockErrors({ firstPlayedAt, lastPlayedAt }: PlaytimeReport, now: Date): FieldError[] {
  return Object.entries({ firstPlayedAt, lastPlayedAt }).flatMap(([field, told]): FieldError[] => {
    const pointer = `/${field}`
    if (told === null || told === undefined) return []
    if (told < EARLIEST) return [{ pointer, code: 'too-early', detail: `${EARLIEST.toISOString()} or later` }]
    if (told.getTime() <= now.getTime() + MOST_AHEAD_MS) return []
    return [{ pointer, code: 'too-late', detail: 'must not be in the future' }]
  })
}

function chosen(
  known: Date | null,
  told: Date | null | undefined,
  choose: (a: number, b: number) => number,
): Date | null {
  if (told === null || told === undefined) return known
  return known === null ? told : new Date(choose(known.getTime(), told.getTime()))
}
