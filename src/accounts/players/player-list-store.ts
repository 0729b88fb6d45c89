import type { PrismaClient } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { escapeLike, type ListSource } from '../../database/list-sql.ts'
import type { Filter, ListRequest, Page } from '../../list.ts'
import { fold } from '../text/fold.ts'
import type { Player } from './player.ts'
import { playerList } from './player-list.ts'

/** Up to so many rows a list begins with them and sorts. */
const FEW_ROWS = 5_000

const LIVE = 'g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > now())'

/**
 * Filters that ask for a row of another table. Either the list walks the players in its order and looks for such a row of each
 * (`exists`), or it begins with these rows and sorts (`start`): right where they are few, since a walk would come by everybody else.
 *
 * `start` reads one row more than `FEW_ROWS` at most, of each parent, by the index that its ORDER BY names. Left to itself the planner reads
 * the whole table for a parent of which it does not know that its rows are few.
 */
interface RelatedFilter {
  readonly sqlType: string
  /** A sub-select over the player `t`: do they have such a row? */
  readonly exists: (filter: Filter, placeholder: string) => string
  /** Ids of players, of rows that satisfy `condition`. */
  readonly start: (filter: Filter, placeholder: string, condition: string) => string
  /** What counts; without it there may be more rows. */
  readonly condition: string
}

const libraryOf = (games: string, condition: string) => `
  SELECT owned.player_id FROM (${games}) AS o CROSS JOIN LATERAL (
    SELECT g.player_id FROM player_game g WHERE g.game_id = o.id AND ${condition}
    ORDER BY g.game_id, g.acquired_at LIMIT ${FEW_ROWS + 1}) AS owned`

const RELATED: Readonly<Record<string, RelatedFilter>> = {
  gameId: {
    sqlType: 'uuid',
    exists: (_, game) => `SELECT 1 FROM player_game g WHERE g.player_id = t.id AND g.game_id = ${game} AND ${LIVE}`,
    start: (_, game, condition) => libraryOf(`SELECT ${game} AS id`, condition),
    condition: LIVE,
  },
  studioId: {
    sqlType: 'uuid',
    exists: (_, studio) => `
      SELECT 1 FROM player_game g JOIN game o ON o.id = g.game_id
      WHERE g.player_id = t.id AND o.studio_id = ${studio} AND ${LIVE}`,
    start: (_, studio, condition) => libraryOf(`SELECT id FROM game WHERE studio_id = ${studio}`, condition),
    condition: LIVE,
  },
  provider: {
    sqlType: 'identity_provider',
    exists: ({ operator }, provider) => `
      SELECT 1 FROM player_identity i WHERE i.player_id = t.id AND i.subject IS NOT NULL
        AND i.provider = ${operator === 'in' ? `ANY(${provider})` : provider}`,
    start: ({ operator }, provider, condition) => `
      SELECT linked.player_id FROM unnest(${operator === 'in' ? provider : `ARRAY[${provider}]`}) AS p(provider)
      CROSS JOIN LATERAL (
        SELECT i.player_id FROM player_identity i WHERE i.provider = p.provider AND i.subject IS NOT NULL AND ${condition}
        ORDER BY i.provider, i.namespace, i.subject LIMIT ${FEW_ROWS + 1}) AS linked`,
    condition: 'true',
  },
}

function relatedConditions(
  condition: (related: RelatedFilter, filter: Filter, placeholder: string) => string,
): NonNullable<ListSource['conditions']> {
  return Object.fromEntries(
    Object.entries(RELATED).map(([name, related]) => [
      name,
      (filter: Filter, bound: () => string) => condition(related, filter, bound()),
    ]),
  )
}

const source: ListSource = {
  spec: playerList,
  select: { birth_date: 't.birth_date::text' },
  conditions: {
    hasEmail: ({ value }) => `t.email_key IS ${value === true ? 'NOT ' : ''}NULL`,
  },
  wholeConditions: relatedConditions(({ exists }, filter, placeholder) => `EXISTS (${exists(filter, placeholder)})`),
  // Both have a trigram index. The pattern of a key is folded as keys are; a display name is as it was typed.
  search: [
    { sql: (placeholder) => `t.username_key LIKE ${placeholder}`, value: (text) => `%${escapeLike(fold(text))}%` },
    { sql: (placeholder) => `t.display_name ILIKE ${placeholder}`, value: (text) => `%${escapeLike(text)}%` },
  ],
}

export async function listPlayers(db: PrismaClient, request: ListRequest): Promise<Page<Player>> {
  // By filter and not by field: a studio's players can be asked for another studio besides.
  const few = new Set<Filter>()
  for (const filter of request.whole ? [] : request.filters) {
    const related = RELATED[filter.field]
    if (related !== undefined && (await hasFewRows(db, related, filter))) few.add(filter)
  }
  const conditions = relatedConditions(({ exists, start, condition }, filter, placeholder) =>
    few.has(filter)
      ? // As an array, so that the planner cannot turn it back into a walk along all players.
        `t.id = ANY(ARRAY(${start(filter, placeholder, condition)}))`
      : // OFFSET 0 keeps it from turning the walk into a join that reads all rows of a parent whose share it does not know.
        `EXISTS (${exists(filter, placeholder)} OFFSET 0)`,
  )
  return readPage<Player>(db, { ...source, conditions: { ...source.conditions, ...conditions } }, request)
}

async function hasFewRows(db: PrismaClient, { start, sqlType }: RelatedFilter, filter: Filter): Promise<boolean> {
  const placeholder = `$1::${sqlType}${filter.operator === 'in' ? '[]' : ''}`
  const sql = `SELECT count(*)::int AS n FROM (${start(filter, placeholder, 'true')} LIMIT ${FEW_ROWS + 1}) AS few`
  const [count] = await db.$queryRawUnsafe<{ n: number }[]>(sql, filter.value)
  return (count?.n ?? 0) <= FEW_ROWS
}
