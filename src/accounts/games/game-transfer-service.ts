import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import { type Game, missingToMove } from './game.ts'
import { requireOpenStudio } from './game-service.ts'
import { holdStudioStatuses, lockGame, transferGame } from './game-store.ts'

/** Where a game shall go, and why. */
export interface Transfer {
  readonly studioId: string
  readonly reason: string | null
}

/** Games that go from one studio to another. Locks go game first, then the studios in the order of their ids. */
export class GameTransferService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * The trail of either studio tells it: two events. A transfer to the studio that has the game already changes nothing.
   *
   * @throws AppError `not-found`, `version-mismatch`, `validation` when there is no such studio, `conflict` when it has closed,
   *   `transition-blocked` that lists what is missing
   */
  transfer(ref: IdOrSlug, { studioId, reason }: Transfer, expected: ExpectedVersion, context: Context): Promise<Game> {
    return write(this.#database, async (tx) => {
      const before = await lockGame(tx, ref)
      if (before === undefined) throw new AppError('not-found', 'There is no such game')
      requireVersion(before.version, expected)
      // Held to the end: neither studio is suspended or closed while its game goes, nor the other way round.
      const statuses = await holdStudioStatuses(tx, [before.studioId, studioId])
      const [from, to] = [statuses.get(before.studioId), statuses.get(studioId)]
      if (from === undefined) throw new Error('a game without its studio')
      if (studioId === before.studioId) return before
      requireOpenStudio(to)
      const missing = to === undefined ? [] : missingToMove(before, from, to)
      if (missing.length > 0) throw blocked(missing)
      const after = await transferGame(tx, before.id, studioId)
      const changes = forced(changesOf('game', before, after), expected)
      const event = { entityType: 'game', entityId: before.id, reason, changes } as const
      await appendAudit(
        tx,
        context,
        { action: 'game.transfer_out', ...event, studioId: before.studioId },
        { action: 'game.transfer_in', ...event, studioId },
      )
      return after
    })
  }
}

function blocked(missing: readonly string[]): AppError {
  return new AppError('transition-blocked', `The transfer needs: ${missing.join(', ')}`, { extra: { missing } })
}
