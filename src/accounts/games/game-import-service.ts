import type { RawClient } from '../../database/database.ts'
import type { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { type BulkFacts, judged } from '../bulk/bulk-item.ts'
import { type KeysOf, Matcher, type PartKeys, RowIndex } from '../bulk/bulk-match.ts'
import { ReferenceIndex, textsBy } from '../bulk/bulk-reference.ts'
import { insertRows, updateRows } from '../bulk/bulk-row-store.ts'
import type { ApplyBatch } from '../bulk/bulk-service.ts'
import { auditPlans, type BulkTable, writePlans } from '../bulk/bulk-write-service.ts'
import { holdStudiosBy, type StudioFound } from '../studios/studio-bulk-store.ts'
import type { Game } from './game.ts'
import { findPlatformsOf, findStoreApps, lockGamesOf, type StoreAppHolder } from './game-bulk-store.ts'
import { type GameLine, type GamePlan, type GameSurroundings, planGame } from './game-import.ts'
import { storeAppsOf, storeAppText } from './game-platform-import.ts'

const release = ['releaseDate', 'releasePrecision']
const fields = ['slug', 'title', 'summary', 'genres', 'minAge', ...release, 'status', 'externalRef']

const table: BulkTable = {
  table: 'game',
  inserted: ['id', 'studioId', ...fields, 'createdAt'],
  updated: fields,
  order: 'slug',
}

const PLATFORM_KEY = ['gameId', 'platform']
const PLATFORM_FIELDS = ['store', 'storeAppId', 'releasedOn', 'delistedOn']

/** Brings games and their platforms in. Locks go games first, then studios. */
export const applyGames: ApplyBatch<GameLine> = async (client, items, facts) => {
  const lines = items.map(({ line }) => line)
  const { games, holders } = await lockWithStoreApps(client, lines)
  const around = await surroundings(client, lines, games, holders, facts)
  const matcher = new Matcher(indexGames(games, holders), facts, gameKeys)
  const plans = items.map((item) =>
    judged(() => {
      const plan = planGame(item, matcher, around, newId, facts)
      return matcher.settle(item, plan, around.settlePlatforms(plan.platforms))
    }),
  )
  const outcomes = await writePlans(client, table, plans)
  await writePlatforms(client, plans)
  await auditPlans(client, facts, plans)
  return outcomes
}

/** Both as of one moment: an import of the same games may commit between the two statements. */
async function lockWithStoreApps(client: RawClient, lines: readonly GameLine[]) {
  const apps = lines.flatMap(({ platforms }) => storeAppsOf(platforms))
  let holders = await findStoreApps(client, apps)
  for (;;) {
    const ids = new Set(holders.map(({ gameId }) => gameId))
    const games = await lockGamesOf(client, lines, [...ids])
    const locked = new Set(games.map(({ id }) => id))
    holders = apps.length === 0 ? [] : await findStoreApps(client, apps)
    if (holders.every(({ gameId }) => locked.has(gameId))) return { games, holders }
  }
}

function indexGames(games: readonly Game[], holders: readonly StoreAppHolder[]): RowIndex<Game> {
  const index = new RowIndex<Game>()
  for (const game of games) {
    index.add('id', game.id, game)
    for (const [name, text] of gameKeys(game)) index.add(name, text, game)
  }
  for (const holder of holders) {
    const game = index.get('id', holder.gameId)
    if (game !== undefined) index.add('storeApp', storeAppText(holder), game)
  }
  return index
}

async function surroundings(
  client: RawClient,
  lines: readonly GameLine[],
  games: readonly Game[],
  holders: readonly StoreAppHolder[],
  { rehearsed }: BulkFacts,
): Promise<GameSurroundings & SettledPlatforms> {
  const references = lines.flatMap(({ studio }) => studio ?? [])
  const found = await holdStudiosBy(client, {
    id: [...new Set([...textsBy(references, 'id'), ...games.map(({ studioId }) => studioId)])],
    slug: textsBy(references, 'slug'),
    externalRef: textsBy(references, 'externalRef'),
  })
  const studios = indexStudios(found)
  const platforms = Map.groupBy(
    await findPlatformsOf(
      client,
      games.map(({ id }) => id),
    ),
    ({ gameId }) => gameId,
  )
  const holderByApp = new Map(holders.map((holder) => [storeAppText(holder), holder.gameId]))
  return {
    studioOf: (reference) => studios.resolve(reference, 'studio'),
    studioById: (id) => studios.resolve({ by: 'id', text: id, pointer: '/studio' }, 'studio'),
    platformsOf: (id) => platforms.get(id) ?? [],
    holderOf(app) {
      const text = storeAppText(app)
      const line = rehearsed?.lineOf(`storeApp:${text}`)
      return holderByApp.get(text) ?? (line === undefined ? undefined : `line ${line}`)
    },
    settlePlatforms({ added, changed }) {
      const known = changed.flatMap(({ gameId, platform }) =>
        (platforms.get(gameId) ?? []).filter((before) => before.platform === platform),
      )
      const gaveUp = storeAppsOf(known).map(storeAppText)
      for (const text of gaveUp) holderByApp.delete(text)
      const took = [...added, ...changed].flatMap((after) => {
        const texts = storeAppsOf([after]).map(storeAppText)
        for (const text of texts) holderByApp.set(text, after.gameId)
        return texts
      })
      const key = (text: string) => `storeApp:${text}`
      return { took: took.map(key), gaveUp: gaveUp.map(key) }
    },
  }
}

/** What later lines of the batch see of the platforms that a line has changed. */
interface SettledPlatforms {
  readonly settlePlatforms: (plan: GamePlan['platforms']) => PartKeys
}

const gameKeys: KeysOf<Game> = ({ externalRef, slug }) => [
  ['externalRef', externalRef],
  ['slug', slug],
]

function indexStudios(studios: readonly StudioFound[]): ReferenceIndex<StudioFound> {
  const index = new ReferenceIndex<StudioFound>()
  for (const studio of studios) {
    index.add('id', studio.id, studio)
    index.add('slug', studio.slug, studio)
    index.add('externalRef', studio.externalRef, studio)
  }
  return index
}

async function writePlatforms(client: RawClient, plans: readonly (GamePlan | AppError)[]): Promise<void> {
  const platforms = plans.flatMap((plan) => ('platforms' in plan ? [plan.platforms] : []))
  const added = platforms.flatMap((plan) => plan.added)
  const changed = platforms.flatMap((plan) => plan.changed)
  await insertRows(client, 'game_platform', [...PLATFORM_KEY, ...PLATFORM_FIELDS], added)
  await updateRows(client, 'game_platform', PLATFORM_KEY, PLATFORM_FIELDS, changed)
}
