import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { changesOf } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { changedFields } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import type { EntitlementKey } from './entitlement.ts'
import { clockErrors, type PlaytimeReport, playtimeAfter, playtimeErrors } from './playtime.ts'
import { lockPlayedLines, type PlayedLine, savePlaytimes } from './playtime-store.ts'

/** What a game back end says about one line of a library. */
export type PlaytimeItem = EntitlementKey & PlaytimeReport

export interface PlaytimeOutcome {
  readonly status: 'updated' | 'unchanged'
  /** The line with its totals after this item. */
  readonly line: PlayedLine
}

/** Play time as game back ends report it: many lines at once, as totals. */
export class PlaytimeService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * One outcome or error for each item, in their order; those without error are written together. Items about the same line
   * follow each other. Safe to repeat and to send out of order: totals only grow.
   */
  report(items: readonly PlaytimeItem[], context: Context): Promise<(PlaytimeOutcome | AppError)[]> {
    if (items.length === 0) return Promise.resolve([])
    return write(this.#database, async (tx) => {
      const keys = new Map(items.map((item) => [placeOf(item), item]))
      const before = await lockPlayedLines(tx, [...keys.values()])
      const lines = new Map(before.map((line) => [placeOf(line), line]))
      const time = new Date()
      const outcomes = items.map((item) => {
        const outcome = afterReport(lines.get(placeOf(item)), item, time)
        if (!(outcome instanceof AppError)) lines.set(placeOf(item), outcome.line)
        return outcome
      })
      const changed = before.flatMap((line) => {
        const after = lines.get(placeOf(line))
        return after === undefined || after === line ? [] : [{ line, after }]
      })
      await savePlaytimes(
        tx,
        changed.map(({ after }) => after),
      )
      const events = changed.map(({ line, after }) => {
        const about = { entityType: 'player_game', entityId: line.id, studioId: line.studioId } as const
        return {
          action: 'player_game.report_playtime',
          ...about,
          changes: changesOf('player_game', line, after),
        } as const
      })
      await appendAudit(tx, context, ...events)
      return outcomes
    })
  }
}

function afterReport(line: PlayedLine | undefined, report: PlaytimeItem, time: Date): PlaytimeOutcome | AppError {
  if (line === undefined) return new AppError('not-found', 'The game is not in this library on this platform')
  const totals = playtimeAfter(line, report)
  const errors = [...clockErrors(report, time), ...playtimeErrors(totals)]
  if (errors.length > 0) return invalid(errors)
  const isNews = Object.keys(changedFields(line, totals)).length > 0
  return isNews ? { status: 'updated', line: { ...line, ...totals } } : { status: 'unchanged', line }
}

function placeOf({ playerId, gameId, platform }: EntitlementKey): string {
  return `${playerId}/${gameId}/${platform}`
}
