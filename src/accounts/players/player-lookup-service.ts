import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { Player } from './player.ts'
import { LOOKUP_SCOPE, type PlayerIdentifier } from './player-lookup.ts'
import { findPlayersBy } from './player-lookup-store.ts'

/** Finds players by what callers know of them. Never logs or repeats what was asked. */
export class PlayerLookupService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * One answer for each identifier, in their order; undefined: nobody.
   *
   * @throws AppError `forbidden` for anything but ids without the scope that shows names and addresses: an answer tells as much
   */
  async find(identifiers: readonly PlayerIdentifier[], { principal }: Context): Promise<(Player | undefined)[]> {
    const personal = identifiers.findIndex(({ by }) => by !== 'id')
    if (personal >= 0 && !principal.scopes.has(LOOKUP_SCOPE)) {
      throw new AppError('forbidden', `Everything but ids needs the scope ${LOOKUP_SCOPE}`, {
        extra: { scope: LOOKUP_SCOPE },
        errors: [{ pointer: `/identifiers/${personal}`, code: 'personal' }],
      })
    }
    const found = await findPlayersBy(this.#database, identifiers)
    return identifiers.map((_, item) => found.get(item))
  }
}
