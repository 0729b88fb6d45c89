import { z } from 'zod'
import { type Expansion, toOne } from '../../http/expansion.ts'
import { present } from '../../http/visibility.ts'
import { identitySchema } from './identity-schema.ts'
import type { IdentityService } from './identity-service.ts'
import { playerSchema } from './player-schema.ts'
import type { PlayerService } from './player-service.ts'

/** The player that a row is about, for `expand=player`. */
export function playerOf<Row extends { readonly playerId: string }>(players: PlayerService): Expansion<Row> {
  return toOne({
    table: 'player',
    scope: 'players:read',
    description: 'the player, without personal fields unless the scope players:read.personal is there',
    schema: playerSchema,
    idOf: ({ playerId }: Row) => playerId,
    find: (ids, context) => players.byIds(ids, context),
  })
}

/** More than a player has; who has more reads them at `/v1/players/{id}/identities`. */
const MAX_EMBEDDED = 50

const embeddedSchema = z.object({
  data: z.array(identitySchema).max(MAX_EMBEDDED),
  hasMore: z.boolean().meta({ description: 'True: the others are read at /v1/players/{id}/identities' }),
})

/** The linked accounts of a player, for `expand=identities`. */
export function identitiesOf<Row extends { readonly id: string }>(identities: IdentityService): Expansion<Row> {
  return {
    scope: 'players:read',
    description: `the accounts elsewhere that are linked now, the first ${MAX_EMBEDDED}`,
    schema: embeddedSchema,
    async load(players, context) {
      const ids = players.map(({ id }) => id)
      const rows = await identities.linked(ids, MAX_EMBEDDED + 1, context)
      const byPlayer = Map.groupBy(rows, ({ playerId }) => playerId)
      const show = (row: object) => present('player_identity', row, context.principal)
      return ({ id }) => {
        const linked = byPlayer.get(id) ?? []
        return { data: linked.slice(0, MAX_EMBEDDED).map(show), hasMore: linked.length > MAX_EMBEDDED }
      }
    },
  }
}
