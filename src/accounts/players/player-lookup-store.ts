import type { Database } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { Player } from './player.ts'
import { playerList } from './player-list.ts'
import type { PlayerIdentifier } from './player-lookup.ts'

const columns = selectList({ spec: playerList, select: { birth_date: 't.birth_date::text' } })

/** How each kind of identifier leads to players, each by a unique index: the arrays to bind, and the join over them. */
const WAYS = {
  id: {
    arrays: ['uuid[]'],
    join: 'AS k (item, a) JOIN player t ON t.id = k.a',
  },
  username: {
    arrays: ['text[]'],
    join: 'AS k (item, a) JOIN player t ON t.username_key = k.a',
  },
  email: {
    arrays: ['text[]'],
    join: 'AS k (item, a) JOIN player t ON t.email_key = k.a',
  },
  identity: {
    arrays: ['text[]::identity_provider[]', 'text[]', 'text[]'],
    join: `AS k (item, a, b, c)
      JOIN player_identity i ON i.provider = k.a AND i.namespace = k.b AND i.subject = k.c
      JOIN player t ON t.id = i.player_id`,
  },
} as const

type Way = keyof typeof WAYS

function keysOf(identifier: PlayerIdentifier): string[] | undefined {
  switch (identifier.by) {
    case 'id':
      return [identifier.id]
    case 'identity':
      return [identifier.provider, identifier.namespace, identifier.subject]
    default:
      return identifier.key === undefined ? undefined : [identifier.key]
  }
}

/** The players whom identifiers name, by the place of the identifier. One statement, however many there are. */
export async function findPlayersBy(
  database: Database,
  identifiers: readonly PlayerIdentifier[],
): Promise<Map<number, Player>> {
  const given = new Map<Way, { items: number[]; keys: string[][] }>()
  for (const [item, identifier] of identifiers.entries()) {
    const keys = keysOf(identifier)
    if (keys === undefined) continue
    const known = given.get(identifier.by) ?? { items: [], keys: WAYS[identifier.by].arrays.map(() => []) }
    given.set(identifier.by, known)
    known.items.push(item)
    for (const [index, key] of keys.entries()) known.keys[index]?.push(key)
  }
  if (given.size === 0) return new Map()
  const values: unknown[] = []
  // In one order, so that the same kinds of identifiers make the same text, whose plan the database keeps.
  const ways = [...given].sort(([a], [b]) => (a < b ? -1 : 1))
  const selects = ways.map(([way, { items, keys }]) => {
    const { arrays, join } = WAYS[way]
    const bound = [items, ...keys].map((list, index) => `$${values.push(list)}::${['int[]', ...arrays][index]}`)
    return `SELECT k.item, ${columns} FROM unnest(${bound.join(', ')}) ${join}`
  })
  const name = `look players up by ${ways.map(([way]) => way).join(', ')}`
  const rows = await database.query<Record<string, unknown>>({ name, text: selects.join(' UNION ALL '), values })
  return new Map(rows.map(({ item, ...row }) => [Number(item), camelRow<Player>(row)]))
}
