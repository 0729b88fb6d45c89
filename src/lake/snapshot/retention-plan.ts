/** A published snapshot as retention sees it. */
export interface Retainable {
  readonly id: string
  readonly sequence: number
  /** Older than its publication, which may have been held up for days: what is in it is as old as this. */
  readonly startedAt: Date
  /** `2026-11-22`, UTC: the partition's date. */
  readonly date: string
}

export interface RetentionRules {
  readonly now: Date
  /** Every snapshot is kept this long. */
  readonly keepAllMs: number
  /** Of this many days, today included, the last snapshot is kept. */
  readonly dailyDays: number
  /** Named by `CURRENT.json` or held by a reader. */
  readonly kept: ReadonlySet<string>
}

const DAY_MS = 86_400_000

/** Which snapshots are to go, oldest first: none that is young, held, current, or the last of a retained day. */
export function expiredSnapshots(published: readonly Retainable[], rules: RetentionRules): Retainable[] {
  const oldestDay = new Date(rules.now.getTime() - (rules.dailyDays - 1) * DAY_MS).toISOString().slice(0, 10)
  const bySequence = [...published].sort((a, b) => a.sequence - b.sequence)
  const lastOfDay = new Map(bySequence.map((snapshot) => [snapshot.date, snapshot.id]))
  const newest = bySequence.at(-1)?.id
  return bySequence.filter(
    ({ date, id, startedAt }) =>
      id !== newest &&
      !rules.kept.has(id) &&
      rules.now.getTime() - startedAt.getTime() > rules.keepAllMs &&
      !(date >= oldestDay && lastOfDay.get(date) === id),
  )
}
