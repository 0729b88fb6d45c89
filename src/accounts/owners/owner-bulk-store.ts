import type { RawClient } from '../../database/database.ts'
import { camelRow, selectList } from '../../database/list-sql.ts'
import type { Owner, OwnerStatus } from './owner.ts'
import type { OwnerLine } from './owner-import.ts'
import { ownerList } from './owner-list.ts'

const columns = selectList({ spec: ownerList })

/** The owners who have any of the unique values of the lines, as they are now; nobody else changes them until the end. */
export async function lockOwnersOf(client: RawClient, lines: readonly OwnerLine[]): Promise<Owner[]> {
  const values = (field: 'id' | 'emailKey' | 'externalRef' | 'authSubject') =>
    lines.map((line) => line[field]).filter((value) => value !== undefined && value !== null)
  const { rows } = await client.query({
    name: 'bulk lock owners',
    text: `SELECT ${columns} FROM studio_owner t
      WHERE t.id = ANY($1::uuid[]) OR t.email_key = ANY($2::text[]) OR t.external_ref = ANY($3::text[])
        OR t.auth_subject = ANY($4::text[])
      ORDER BY t.id FOR NO KEY UPDATE`,
    values: [values('id'), values('emailKey'), values('externalRef'), values('authSubject')],
  })
  return rows.map(camelRow<Owner>)
}

/** What a reference to an owner leads to. */
export interface OwnerFound {
  readonly id: string
  readonly status: OwnerStatus
  readonly emailKey: string | null
  readonly externalRef: string | null
}

/** The owners that references name. */
export async function findOwnersBy(
  client: RawClient,
  wanted: Readonly<Record<'id' | 'email' | 'externalRef', readonly string[]>>,
): Promise<OwnerFound[]> {
  const { rows } = await client.query<OwnerFound>({
    name: 'bulk find owners',
    text: `SELECT t.id, t.status, t.email_key AS "emailKey", t.external_ref AS "externalRef" FROM studio_owner t
      WHERE t.id = ANY($1::uuid[]) OR t.email_key = ANY($2::text[]) OR t.external_ref = ANY($3::text[])`,
    values: [wanted.id, wanted.email, wanted.externalRef],
  })
  return rows
}
