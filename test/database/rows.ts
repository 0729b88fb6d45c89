import { randomUUID } from 'node:crypto'
import type pg from 'pg'

/**
 * Builders for tests of the database's own rules: one valid row each, its parents included where asked for. They write SQL and
 * bypass the services on purpose.
 */

type Values = Readonly<Record<string, unknown>>

let counter = 0
const unique = (prefix: string) => `${prefix}${process.pid.toString(36)}${(counter++).toString(36)}`

/** Inserts a row and returns it. Column names come from the tests, never from input. */
export async function insert(client: pg.ClientBase, table: string, values: Values): Promise<Record<string, unknown>> {
  const columns = Object.keys(values)
  const places = columns.map((_, index) => `$${index + 1}`)
  const { rows } = await client.query(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')}) RETURNING *`,
    Object.values(values),
  )
  return rows[0]
}

const idOf = async (row: Promise<Record<string, unknown>>): Promise<string> => (await row).id as string

export function insertStudio(client: pg.ClientBase, values: Values = {}): Promise<string> {
  return idOf(insert(client, 'studio', { id: randomUUID(), slug: unique('studio-'), name: 'Acme', ...values }))
}

export function insertOwner(client: pg.ClientBase, values: Values = {}): Promise<string> {
  const email = `${unique('ann')}@x.io`
  return idOf(
    insert(client, 'studio_owner', { id: randomUUID(), full_name: 'Ann', email, email_key: email, ...values }),
  )
}

export async function insertMembership(
  client: pg.ClientBase,
  studioId: string,
  ownerId: string,
  values: Values = {},
): Promise<void> {
  await insert(client, 'studio_membership', {
    studio_id: studioId,
    owner_id: ownerId,
    role: 'owner',
    status: 'active',
    ...values,
  })
}

/** An active studio with that many active owners. */
export async function insertActiveStudio(
  client: pg.ClientBase,
  owners = 1,
): Promise<{ studioId: string; ownerIds: string[] }> {
  await client.query('BEGIN')
  const studioId = await insertStudio(client, { status: 'active' })
  const ownerIds: string[] = []
  for (let n = 0; n < owners; n++) {
    const ownerId = await insertOwner(client)
    await insertMembership(client, studioId, ownerId)
    ownerIds.push(ownerId)
  }
  await client.query('COMMIT')
  return { studioId, ownerIds }
}

export async function insertGame(client: pg.ClientBase, values: Values = {}): Promise<string> {
  const studioId = values.studio_id ?? (await insertStudio(client))
  return idOf(
    insert(client, 'game', { id: randomUUID(), studio_id: studioId, slug: unique('game-'), title: 'Game', ...values }),
  )
}

/** What a game needs to be seen by the public. */
export const PUBLIC_FACTS: Values = {
  release_date: '2026-11-01',
  release_precision: 'day',
  min_age: 12,
  genres: '{rpg}',
}

export function insertPlayer(client: pg.ClientBase, values: Values = {}): Promise<string> {
  const username = unique('player')
  return idOf(insert(client, 'player', { id: randomUUID(), username, username_key: username, ...values }))
}

export async function insertIdentity(client: pg.ClientBase, values: Values = {}): Promise<string> {
  const playerId = values.player_id ?? (await insertPlayer(client))
  const subject = `76561198${String(counter++).padStart(9, '0')}`
  return idOf(
    insert(client, 'player_identity', { id: randomUUID(), player_id: playerId, provider: 'steam', subject, ...values }),
  )
}

/** A library row on a new game that ships for Windows. */
export async function insertPlayerGame(client: pg.ClientBase, values: Values = {}): Promise<string> {
  const playerId = values.player_id ?? (await insertPlayer(client))
  const gameId = values.game_id ?? (await insertGame(client))
  if (values.game_id === undefined) await insert(client, 'game_platform', { game_id: gameId, platform: 'windows' })
  return idOf(
    insert(client, 'player_game', {
      id: randomUUID(),
      player_id: playerId,
      game_id: gameId,
      platform: 'windows',
      source: 'purchase',
      acquired_at: '2026-01-01T00:00:00Z',
      ...values,
    }),
  )
}
