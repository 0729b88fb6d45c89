import type { RawClient } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { Identity } from './identity.ts'
import type { IdentityKey } from './identity-import.ts'
import type { Player, PlayerStatus } from './player.ts'
import type { PlayerLine } from './player-import.ts'
import { identityList, playerList } from './player-list.ts'

const columns = selectList({ spec: playerList, select: { birth_date: 't.birth_date::text' } })
const identityColumns = selectList({ spec: identityList })

/** Three arrays that `unnest` joins to keys again. */
const KEYS = (first: number) =>
  `unnest($${first}::identity_provider[], $${first + 1}::text[], $${first + 2}::text[]) AS k (provider, namespace, subject)`
const SAME_KEY = 'i.provider = k.provider AND i.namespace = k.namespace AND i.subject = k.subject'

function keyArrays(keys: readonly IdentityKey[]): string[][] {
  return [keys.map((key) => key.provider), keys.map((key) => key.namespace), keys.map((key) => key.subject)]
}

/**
 * The players who have any of the unique values of the lines, as they are now; nobody else changes them or their identities
 * until the end.
 */
export async function lockPlayersOf(
  client: RawClient,
  lines: readonly PlayerLine[],
  keys: readonly IdentityKey[],
): Promise<Player[]> {
  const values = (field: 'id' | 'usernameKey' | 'emailKey') =>
    lines.map((line) => line[field]).filter((value) => value !== undefined && value !== null)
  const { rows } = await client.query({
    name: 'bulk lock players',
    text: `SELECT ${columns} FROM player t
      WHERE t.id = ANY($1::uuid[]) OR t.username_key = ANY($2::text[]) OR t.email_key = ANY($3::text[])
        OR t.id = ANY(ARRAY(SELECT i.player_id FROM ${KEYS(4)} JOIN player_identity i ON ${SAME_KEY}))
      ORDER BY t.id FOR NO KEY UPDATE`,
    values: [values('id'), values('usernameKey'), values('emailKey'), ...keyArrays(keys)],
  })
  return rows.map(camelRow<Player>)
}

/** The identities that are linked under these keys. */
export async function findIdentitiesBy(client: RawClient, keys: readonly IdentityKey[]): Promise<Identity[]> {
  if (keys.length === 0) return []
  const { rows } = await client.query({
    name: 'bulk find identities',
    text: `SELECT ${identityColumns} FROM (SELECT i.* FROM ${KEYS(1)} JOIN player_identity i ON ${SAME_KEY}) AS t`,
    values: keyArrays(keys),
  })
  return rows.map(camelRow<Identity>)
}

/** The ids of studios by their slugs, which stay until the end: a rename meanwhile waits and then sees the accounts. */
export async function holdStudioIds(client: RawClient, slugs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (slugs.length === 0) return new Map()
  const { rows } = await client.query<{ id: string; slug: string }>({
    name: 'bulk hold studio ids',
    text: 'SELECT t.id, t.slug FROM studio t WHERE t.slug = ANY($1::text[]) ORDER BY t.id FOR SHARE',
    values: [slugs],
  })
  return new Map(rows.map(({ id, slug }) => [slug, id]))
}

/** What a reference to a player leads to. */
export interface PlayerFound {
  readonly id: string
  readonly status: PlayerStatus
  readonly usernameKey: string
  readonly emailKey: string | null
}

/** The players that references by an own key name. */
export async function findPlayersBy(
  client: RawClient,
  wanted: Readonly<Record<'id' | 'username' | 'email', readonly string[]>>,
): Promise<PlayerFound[]> {
  if (wanted.id.length + wanted.username.length + wanted.email.length === 0) return []
  const { rows } = await client.query<PlayerFound>({
    name: 'bulk find players',
    text: `SELECT t.id, t.status, t.username_key AS "usernameKey", t.email_key AS "emailKey" FROM player t
      WHERE t.id = ANY($1::uuid[]) OR t.username_key = ANY($2::text[]) OR t.email_key = ANY($3::text[])`,
    values: [wanted.id, wanted.username, wanted.email],
  })
  return rows
}

/** The players to whom these accounts elsewhere are linked, each with the account. */
export async function findPlayersByIdentity(
  client: RawClient,
  keys: readonly IdentityKey[],
): Promise<(PlayerFound & IdentityKey)[]> {
  if (keys.length === 0) return []
  const { rows } = await client.query<PlayerFound & IdentityKey>({
    name: 'bulk find players by identity',
    text: `SELECT p.id, p.status, p.username_key AS "usernameKey", p.email_key AS "emailKey",
        i.provider, i.namespace, i.subject
      FROM ${KEYS(1)} JOIN player_identity i ON ${SAME_KEY} JOIN player p ON p.id = i.player_id`,
    values: keyArrays(keys),
  })
  return rows
}
