import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type StudioStats, studioStats } from './studio-stats.ts'
import { countGamesByStatus, findOwnerGroups } from './studio-stats-store.ts'
import { findStudio } from './studio-store.ts'

/** What a studio may know of its games and of the people who own them. */
export class StudioStatsService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `not-found` */
  async stats(ref: IdOrSlug, _context: Context): Promise<StudioStats & { readonly studioId: string }> {
    const db = this.#database.prisma
    const studio = await findStudio(db, ref)
    if (studio === undefined) throw new AppError('not-found', 'There is no such studio')
    const games = await countGamesByStatus(db, studio.id)
    return { studioId: studio.id, ...studioStats(games, await findOwnerGroups(db, studio.id)) }
  }
}
