import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { Platform } from '../games/game-platform.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type Access, accessOf } from './access.ts'
import { findAccessFacts } from './access-store.ts'

/** May this player play this game here, now? */
export class AccessService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `not-found` when there is no such player or game */
  async decide(playerId: string, game: IdOrSlug, platform: Platform, _context: Context): Promise<Access> {
    const facts = await findAccessFacts(this.#database, playerId, game, platform)
    if (typeof facts === 'string') throw new AppError('not-found', `There is no such ${facts}`)
    return accessOf(facts)
  }
}
