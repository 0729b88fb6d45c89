import type { RawClient } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { type BulkFacts, type BulkItem, duplicateOf, judged } from '../bulk/bulk-item.ts'
import type { Plan } from '../bulk/bulk-plan.ts'
import { type Reference, ReferenceIndex, requireMayName, textsBy } from '../bulk/bulk-reference.ts'
import type { ApplyBatch } from '../bulk/bulk-service.ts'
import { auditPlans, type BulkTable, writePlans } from '../bulk/bulk-write-service.ts'
import { findPlatformsOf, findStoreApps, type GameFound, holdGamesBy } from '../games/game-bulk-store.ts'
import type { Platform } from '../games/game-platform.ts'
import { storeAppText } from '../games/game-platform-import.ts'
import type { IdentityProvider } from '../players/identity.ts'
import { identityText } from '../players/identity-import.ts'
import { findPlayersBy, findPlayersByIdentity, type PlayerFound } from '../players/player-bulk-store.ts'
import type { Entitlement } from './entitlement.ts'
import { lockEntitlementsBy } from './entitlement-bulk-store.ts'
import {
  type EntitlementLine,
  type EntitlementPlace,
  placeText,
  planEntitlementChange,
  planNewEntitlement,
} from './entitlement-import.ts'

const grant = ['source', 'sourceRef', 'acquiredAt', 'expiresAt', 'revokedAt', 'revokeReason']
const fields = [...grant, 'playtimeSeconds', 'firstPlayedAt', 'lastPlayedAt']

const table: BulkTable = {
  table: 'player_game',
  inserted: ['id', 'playerId', 'gameId', 'platform', ...fields, 'createdAt'],
  updated: fields,
  order: 'playerId',
}

const PERSONAL = {
  keys: ['username', 'email', 'identity'],
  scopes: ['players:read.personal', 'players:write'],
} as const

/** Brings lines of libraries in. Games are held first: their states and platforms stay while grants are judged. */
export const applyEntitlements: ApplyBatch<EntitlementLine> = async (client, items, facts) => {
  const lines = items.map(({ line }) => line)
  const games = await gamesOf(client, lines)
  const players = await playersOf(
    client,
    lines.map(({ player }) => player),
  )
  const places = lines.map((line) => judged(() => placeOf(line, players, games, facts)))
  const found = places.filter((place): place is EntitlementPlace => !(place instanceof AppError))
  const rows = new Map((await lockEntitlementsBy(client, found)).map((row) => [placeText(row), row]))
  const claimed = new Map<string, number>()
  const plans = items.map((item, index) => {
    const place = places[index] as EntitlementPlace | AppError
    return place instanceof AppError ? place : judged(() => planAt(item, place, rows, claimed, facts))
  })
  const outcomes = await writePlans(client, table, plans)
  await auditPlans(client, facts, plans)
  return outcomes
}

function planAt(
  { line, number }: BulkItem<EntitlementLine>,
  place: EntitlementPlace,
  rows: ReadonlyMap<string, Entitlement>,
  claimed: Map<string, number>,
  facts: BulkFacts,
): Plan<Entitlement> {
  const key = placeText(place)
  const before = rows.get(key)
  const first = claimed.get(key) ?? (before && facts.firstLineOf(before.id))
  if (first !== undefined && first !== number) throw duplicateOf(first)
  claimed.set(key, number)
  if (before === undefined && facts.mode === 'update') {
    throw new AppError('not-found', 'The game is not in this library on this platform', {
      errors: [{ pointer: '', code: 'not-found' }],
    })
  }
  if (before !== undefined && facts.mode === 'create') {
    throw new AppError('conflict', 'The game is in this library already', {
      errors: [{ pointer: '', code: 'conflict' }],
    })
  }
  if (before !== undefined) return planEntitlementChange(line, place, before, facts)
  return planNewEntitlement(line, place, newId(), facts)
}

/** @throws AppError `validation` or `forbidden`, pointing to the reference */
function placeOf(
  line: EntitlementLine,
  players: ReferenceIndex<PlayerFound>,
  games: GamesOfBatch,
  { context }: BulkFacts,
): EntitlementPlace {
  const { platform } = line
  const game = games.index.resolve(line.game, 'game')
  requireMayName(line.player, context, PERSONAL)
  const player = players.resolve(line.player, 'player')
  if (!games.platforms.has(`${game.id}/${platform}`)) {
    throw invalid([{ pointer: '/platform', code: 'not-found', detail: 'the game is not on this platform' }])
  }
  const { id: gameId, status: gameStatus, studioId } = game
  return { playerId: player.id, playerStatus: player.status, gameId, gameStatus, studioId, platform }
}

interface GamesOfBatch {
  readonly index: ReferenceIndex<GameFound>
  /** `id/platform` */
  readonly platforms: ReadonlySet<string>
}

async function gamesOf(client: RawClient, lines: readonly EntitlementLine[]): Promise<GamesOfBatch> {
  const references = lines.map(({ game }) => game)
  const holders = await findStoreApps(client, textsBy(references, 'storeApp').map(storeAppOf))
  const games = await holdGamesBy(client, {
    id: [...new Set([...textsBy(references, 'id'), ...holders.map(({ gameId }) => gameId)])],
    slug: textsBy(references, 'slug'),
    externalRef: textsBy(references, 'externalRef'),
  })
  const byId = new Map(games.map((game) => [game.id, game]))
  const index = new ReferenceIndex<GameFound>()
  for (const game of games) {
    index.add('id', game.id, game)
    index.add('slug', game.slug, game)
    index.add('externalRef', game.externalRef, game)
  }
  for (const holder of holders) {
    const game = byId.get(holder.gameId)
    if (game !== undefined) index.add('storeApp', storeAppText(holder), game)
  }
  const platforms = await findPlatformsOf(client, [...byId.keys()])
  return { index, platforms: new Set(platforms.map(({ gameId, platform }) => `${gameId}/${platform}`)) }
}

/** `storeAppText`, read back: neither platform nor store has a slash. */
function storeAppOf(text: string) {
  const [platform, store, ...rest] = text.split('/')
  return { platform: platform as Platform, store: store ?? '', storeAppId: rest.join('/') }
}

async function playersOf(client: RawClient, references: readonly Reference[]): Promise<ReferenceIndex<PlayerFound>> {
  const index = new ReferenceIndex<PlayerFound>()
  const own = await findPlayersBy(client, {
    id: textsBy(references, 'id'),
    username: textsBy(references, 'username'),
    email: textsBy(references, 'email'),
  })
  for (const player of own) {
    index.add('id', player.id, player)
    index.add('username', player.usernameKey, player)
    index.add('email', player.emailKey, player)
  }
  const elsewhere = await findPlayersByIdentity(client, textsBy(references, 'identity').map(identityKeyOf))
  for (const player of elsewhere) index.add('identity', identityText(player), player)
  return index
}

/** `identityText`, read back: neither provider nor namespace has a slash. */
function identityKeyOf(text: string) {
  const [provider, namespace, ...rest] = text.split('/')
  return { provider: provider as IdentityProvider, namespace: namespace ?? '', subject: rest.join('/') }
}
