import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { changesOf } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { type PutConditions, requirePutNew, requirePutOver } from '../writing/put.ts'
import { refused, write } from '../writing/write-service.ts'
import type { Game, GameReplacement } from './game.ts'
import { requireOpenStudio, saveGame } from './game-service.ts'
import { holdStudioStatus, insertGameUnlessTaken, lockGameByRef } from './game-store.ts'

/** Games by the references that another system has for them. */
export class GameRefService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Creates the game that another system calls by this reference, or replaces its fields. Idempotent: said again, it changes
   * nothing; two at the same moment make one game.
   *
   * @throws AppError `version-mismatch`, `slug-taken`, `conflict` when the game is of another studio, `validation`
   */
  put(
    externalRef: string,
    replacement: GameReplacement,
    conditions: PutConditions,
    context: Context,
  ): Promise<{ readonly created: boolean; readonly game: Game }> {
    return write(this.#database, async (tx) => {
      let before = await lockGameByRef(tx, externalRef)
      if (before === undefined) {
        requirePutNew(conditions)
        requireOpenStudio(await holdStudioStatus(tx, replacement.studioId))
        const game = await insertGameUnlessTaken(tx, newId(), { ...replacement, externalRef })
        if (game !== undefined) {
          const changes = changesOf('game', undefined, game)
          const about = { entityType: 'game', entityId: game.id, studioId: game.studioId } as const
          await appendAudit(tx, context, { action: 'game.create', ...about, changes })
          return { created: true, game }
        }
        // Another request was faster with the reference, and is done; or another game has the slug.
        before = await lockGameByRef(tx, externalRef)
        if (before === undefined) throw refused('game_slug_key')
      }
      requirePutOver(before, conditions)
      if (before.studioId !== replacement.studioId) throw otherStudio(before)
      return { created: false, game: await saveGame(tx, before, replacement, conditions.expected, context) }
    })
  }
}

function otherStudio({ id, studioId }: Game): AppError {
  const detail = `The game belongs to another studio: move it with POST /v1/games/${id}/transfer`
  return new AppError('conflict', detail, {
    extra: { gameId: id, studioId },
    errors: [{ pointer: '/studioId', code: 'needs-transfer' }],
  })
}
