import { z } from 'zod'
import { type Expansion, toOne } from '../../http/expansion.ts'
import { present } from '../../http/visibility.ts'
import { PLATFORMS } from './game-platform.ts'
import { gamePlatformSchema } from './game-platform-schema.ts'
import type { GamePlatformService } from './game-platform-service.ts'
import { gameSchema } from './game-schema.ts'
import type { GameService } from './game-service.ts'

/** The game that a row is about, for `expand=game`. */
export function gameOf<Row extends { readonly gameId: string }>(games: GameService): Expansion<Row> {
  return toOne({
    table: 'game',
    scope: 'games:read',
    description: 'the game',
    schema: gameSchema,
    idOf: ({ gameId }: Row) => gameId,
    find: (ids, context) => games.byIds(ids, context),
  })
}

/** Where a game ships, for `expand=platforms`. */
export function platformsOf<Row extends { readonly id: string }>(platforms: GamePlatformService): Expansion<Row> {
  return {
    scope: 'games:read',
    description: 'where it ships',
    schema: z.array(gamePlatformSchema).max(PLATFORMS.length),
    async load(games, context) {
      const ids = games.map(({ id }) => id)
      const byGame = Map.groupBy(await platforms.ofGames(ids, context), ({ gameId }) => gameId)
      const show = (row: object) => present('game_platform', row, context.principal)
      return ({ id }) => (byGame.get(id) ?? []).map(show)
    },
  }
}
