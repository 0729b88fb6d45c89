import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { type Changes, changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type PutConditions, requirePutNew, requirePutOver } from '../writing/put.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import type { Game } from './game.ts'
import type { GamePlatform, GamePlatformFacts, Platform } from './game-platform.ts'
import {
  deleteGamePlatform,
  findGamePlatform,
  findGamePlatforms,
  findPlatformsOfGames,
  insertGamePlatform,
  updateGamePlatform,
} from './game-platform-store.ts'
import { findGame, lockGame } from './game-store.ts'

/** Where games ship. Every change holds the game's row, and grants of the library hold it as well. */
export class GamePlatformService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `not-found` */
  async list(ref: IdOrSlug, _context: Context): Promise<GamePlatform[]> {
    const game = foundGame(await findGame(this.#database.prisma, ref))
    return findGamePlatforms(this.#database.prisma, game.id)
  }

  /** The platforms of several games, each game's in the order of the enum. */
  ofGames(gameIds: readonly string[], _context: Context): Promise<GamePlatform[]> {
    return findPlatformsOfGames(this.#database.prisma, gameIds)
  }

  /** @throws AppError `not-found` */
  async get(ref: IdOrSlug, platform: Platform, _context: Context): Promise<GamePlatform> {
    const game = foundGame(await findGame(this.#database.prisma, ref))
    return found(await findGamePlatform(this.#database.prisma, game.id, platform))
  }

  /**
   * Adds a platform, or replaces the facts of one that is there.
   *
   * @throws AppError `not-found`, `version-mismatch`, `conflict` when another game has the store's key
   */
  put(
    ref: IdOrSlug,
    platform: Platform,
    facts: GamePlatformFacts,
    conditions: PutConditions,
    context: Context,
  ): Promise<{ readonly created: boolean; readonly gamePlatform: GamePlatform }> {
    return write(this.#database, async (tx) => {
      const game = foundGame(await lockGame(tx, ref))
      const before = await findGamePlatform(tx, game.id, platform)
      if (before === undefined) {
        requirePutNew(conditions)
        const added = await insertGamePlatform(tx, game.id, platform, facts)
        await audit(tx, context, game, 'create', changesOf('game_platform', undefined, added))
        return { created: true, gamePlatform: added }
      }
      requirePutOver(before, conditions)
      const change = changedFields(before, facts)
      if (Object.keys(change).length === 0) return { created: false, gamePlatform: before }
      const after = await updateGamePlatform(tx, before, change)
      const changes = forced({ ...which(before), ...changesOf('game_platform', before, after) }, conditions.expected)
      await audit(tx, context, game, 'update', changes)
      return { created: false, gamePlatform: after }
    })
  }

  /** @throws AppError `not-found`, `version-mismatch`, `in-use` when players own the game on it */
  remove(ref: IdOrSlug, platform: Platform, expected: ExpectedVersion, context: Context): Promise<void> {
    return write(this.#database, async (tx) => {
      const game = foundGame(await lockGame(tx, ref))
      const before = found(await findGamePlatform(tx, game.id, platform))
      requireVersion(before.version, expected)
      await deleteGamePlatform(tx, before)
      const gone = { platform: { from: before.platform, to: null }, store: { from: before.store, to: null } }
      await audit(tx, context, game, 'delete', forced(gone, expected))
    })
  }
}

/** Which platform it was: the event's entity is the game. */
function which({ platform }: GamePlatform): Changes {
  return { platform: { from: platform, to: platform } }
}

function audit(tx: Transaction, context: Context, game: Game, what: string, changes: Changes): Promise<void> {
  const event = { entityType: 'game_platform', entityId: game.id, studioId: game.studioId, changes } as const
  return appendAudit(tx, context, { action: `game_platform.${what}`, ...event })
}

function foundGame(game: Game | undefined): Game {
  if (game === undefined) throw new AppError('not-found', 'There is no such game')
  return game
}

function found(gamePlatform: GamePlatform | undefined): GamePlatform {
  if (gamePlatform === undefined) throw new AppError('not-found', 'The game is not on this platform')
  return gamePlatform
}
