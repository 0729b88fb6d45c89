import type { RawClient } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { KnownMembership } from './membership-import.ts'
import { memberList } from './membership-list.ts'
import { GAME_STATUSES_OF_A_CLOSED_STUDIO, type Studio, type StudioStatus } from './studio.ts'
import type { StudioLine } from './studio-import.ts'
import { studioList } from './studio-list.ts'

const columns = selectList({ spec: studioList })
const memberColumns = selectList({ spec: memberList, select: { ownership_percent: 't.ownership_percent::float8' } })

/** The studios that have any of the unique values of the lines, as they are now; nobody else changes them until the end. */
export async function lockStudiosOf(client: RawClient, lines: readonly StudioLine[]): Promise<Studio[]> {
  const values = (field: 'id' | 'slug' | 'externalRef') =>
    lines.map((line) => line[field]).filter((value) => value !== undefined && value !== null)
  const { rows } = await client.query({
    name: 'bulk lock studios',
    text: `SELECT ${columns} FROM studio t
      WHERE t.id = ANY($1::uuid[]) OR t.slug = ANY($2::text[]) OR t.external_ref = ANY($3::text[])
      ORDER BY t.id FOR NO KEY UPDATE`,
    values: [values('id'), values('slug'), values('externalRef')],
  })
  return rows.map(camelRow<Studio>)
}

/** All members of studios, with the state of the owner's own row. */
export async function findMembersOf(client: RawClient, studioIds: readonly string[]): Promise<KnownMembership[]> {
  if (studioIds.length === 0) return []
  const { rows } = await client.query({
    name: 'bulk find members',
    text: `SELECT ${memberColumns}, o.status AS owner_status
      FROM studio_membership t JOIN studio_owner o ON o.id = t.owner_id WHERE t.studio_id = ANY($1::uuid[])`,
    values: [studioIds],
  })
  return rows.map(camelRow<KnownMembership>)
}

/** How many games keep each of these studios from closing. */
export async function countOpenGamesOf(
  client: RawClient,
  studioIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (studioIds.length === 0) return new Map()
  const { rows } = await client.query<{ id: string; n: number }>({
    name: 'bulk count open games',
    text: `SELECT g.studio_id AS id, count(*)::int AS n FROM game g
      WHERE g.studio_id = ANY($1::uuid[]) AND g.status <> ALL($2::game_status[]) GROUP BY g.studio_id`,
    values: [studioIds, GAME_STATUSES_OF_A_CLOSED_STUDIO],
  })
  return new Map(rows.map(({ id, n }) => [id, n]))
}

/** What a reference to a studio leads to. */
export interface StudioFound {
  readonly id: string
  readonly slug: string
  readonly externalRef: string | null
  readonly status: StudioStatus
}

/** The studios that references name. Their state stays until the end of the transaction; others may hold them likewise. */
export async function holdStudiosBy(
  client: RawClient,
  wanted: Readonly<Record<'id' | 'slug' | 'externalRef', readonly string[]>>,
): Promise<StudioFound[]> {
  const { rows } = await client.query<StudioFound>({
    name: 'bulk hold studios',
    text: `SELECT t.id, t.slug, t.external_ref AS "externalRef", t.status FROM studio t
      WHERE t.id = ANY($1::uuid[]) OR t.slug = ANY($2::text[]) OR t.external_ref = ANY($3::text[])
      ORDER BY t.id FOR SHARE`,
    values: [wanted.id, wanted.slug, wanted.externalRef],
  })
  return rows
}
