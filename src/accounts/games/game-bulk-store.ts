import type { RawClient } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { Game, GameStatus } from './game.ts'
import type { GameLine } from './game-import.ts'
import { gameList } from './game-list.ts'
import type { GamePlatform, Platform } from './game-platform.ts'
import type { StoreApp } from './game-platform-import.ts'

const columns = selectList({
  spec: gameList,
  select: { genres: 't.genres::text[]', release_date: 't.release_date::text' },
})

/**
 * The games that have any of the unique values of the lines, and those with the ids given, as they are now; nobody else changes
 * them or their platforms until the end.
 */
export async function lockGamesOf(
  client: RawClient,
  lines: readonly GameLine[],
  ids: readonly string[],
): Promise<Game[]> {
  const values = (field: 'id' | 'slug' | 'externalRef') =>
    lines.map((line) => line[field]).filter((value) => value !== undefined && value !== null)
  const { rows } = await client.query({
    name: 'bulk lock games',
    text: `SELECT ${columns} FROM game t
      WHERE t.id = ANY($1::uuid[]) OR t.slug = ANY($2::text[]) OR t.external_ref = ANY($3::text[])
      ORDER BY t.id FOR NO KEY UPDATE`,
    values: [[...values('id'), ...ids], values('slug'), values('externalRef')],
  })
  return rows.map(camelRow<Game>)
}

export async function findPlatformsOf(client: RawClient, gameIds: readonly string[]): Promise<GamePlatform[]> {
  if (gameIds.length === 0) return []
  const { rows } = await client.query<GamePlatform>({
    name: 'bulk find platforms',
    text: `SELECT t.game_id AS "gameId", t.platform, t.store, t.store_app_id AS "storeAppId",
        t.released_on::text AS "releasedOn", t.delisted_on::text AS "delistedOn",
        t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt"
      FROM game_platform t WHERE t.game_id = ANY($1::uuid[])`,
    values: [gameIds],
  })
  return rows
}

/** A store's key and the game that has it. */
export interface StoreAppHolder extends StoreApp {
  readonly gameId: string
}

/** Which games have these keys of stores; a platform is compared only where it is given. */
export async function findStoreApps(
  client: RawClient,
  apps: readonly (Omit<StoreApp, 'platform'> & { readonly platform: Platform | null })[],
): Promise<StoreAppHolder[]> {
  if (apps.length === 0) return []
  const { rows } = await client.query<StoreAppHolder>({
    name: 'bulk find store apps',
    text: `SELECT t.game_id AS "gameId", t.platform, t.store, t.store_app_id AS "storeAppId"
      FROM unnest($1::text[], $2::text[], $3::platform[]) AS k (store, store_app_id, platform)
      JOIN game_platform t ON t.store = k.store AND t.store_app_id = k.store_app_id
        AND (k.platform IS NULL OR t.platform = k.platform)`,
    values: [
      apps.map(({ store }) => store),
      apps.map(({ storeAppId }) => storeAppId),
      apps.map(({ platform }) => platform),
    ],
  })
  return rows
}

/** What a reference to a game leads to. */
export interface GameFound {
  readonly id: string
  readonly studioId: string
  readonly slug: string
  readonly externalRef: string | null
  readonly status: GameStatus
}

/** The games that references name. State and platforms stay until the end of the transaction; others may hold them likewise. */
export async function holdGamesBy(
  client: RawClient,
  wanted: Readonly<Record<'id' | 'slug' | 'externalRef', readonly string[]>>,
): Promise<GameFound[]> {
  const { rows } = await client.query<GameFound>({
    name: 'bulk hold games',
    text: `SELECT t.id, t.studio_id AS "studioId", t.slug, t.external_ref AS "externalRef", t.status FROM game t
      WHERE t.id = ANY($1::uuid[]) OR t.slug = ANY($2::text[]) OR t.external_ref = ANY($3::text[])
      ORDER BY t.id FOR SHARE`,
    values: [wanted.id, wanted.slug, wanted.externalRef],
  })
  return rows
}
