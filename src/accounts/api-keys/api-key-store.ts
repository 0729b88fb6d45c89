import type { Scope } from '../../caller.ts'
import type { Database, PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import type { ListRequest, Page } from '../../list.ts'
import { type ApiKey, ROTATION_OVERLAP_HOURS } from './api-key.ts'
import { apiKeyList } from './api-key-list.ts'

type Reader = Transaction | PrismaClient

/** Everything but the hash. */
const shown = {
  id: true,
  name: true,
  scopes: true,
  createdBy: true,
  createdAt: true,
  expiresAt: true,
  lastUsedAt: true,
  revokedAt: true,
  replacedBy: true,
} as const

/** A key with what a check needs. `isLive` and `isStale` are judged by the database's clock. */
export interface KeyForCheck {
  readonly key: ApiKey
  readonly secretHash: Uint8Array
  /** Neither expired nor revoked. */
  readonly isLive: boolean
  /** Its last use was noted more than a minute ago, or never. */
  readonly isStale: boolean
}

interface CheckRow {
  readonly id: string
  readonly name: string
  readonly scopes: string[]
  readonly created_by: string
  readonly created_at: Date
  readonly expires_at: Date
  readonly last_used_at: Date | null
  readonly revoked_at: Date | null
  readonly replaced_by: string | null
  readonly secret_hash: Uint8Array
  readonly is_live: boolean
  readonly is_stale: boolean
}

const CHECK = {
  name: 'check key',
  text: `
    SELECT id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, replaced_by, secret_hash,
           revoked_at IS NULL AND expires_at > now() AS is_live,
           last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS is_stale
    FROM api_key WHERE id = $1`,
}

/** Each request asks it, so it takes the shortest way. */
export async function findKeyForCheck(database: Database, id: string): Promise<KeyForCheck | undefined> {
  const [row] = await database.query<CheckRow>({ ...CHECK, values: [id] })
  if (row === undefined) return undefined
  const key = {
    id: row.id,
    name: row.name,
    scopes: row.scopes as Scope[],
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    replacedBy: row.replaced_by,
  }
  return { key, secretHash: row.secret_hash, isLive: row.is_live, isStale: row.is_stale }
}

/** Notes a use, at most once a minute whoever else notes one. */
export async function noteKeyUse(db: Reader, id: string): Promise<void> {
  await db.$executeRaw`
    UPDATE api_key SET last_used_at = now()
    WHERE id = ${id} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`
}

/** Stores another hash of the same secret. @returns whether it was this call that did */
export async function rehashKey(
  db: Reader,
  id: string,
  { from, to }: { readonly from: Uint8Array; readonly to: Buffer },
): Promise<boolean> {
  const changed =
    await db.$executeRaw`UPDATE api_key SET secret_hash = ${to} WHERE id = ${id} AND secret_hash = ${from}`
  return changed > 0
}

export interface NewKeyRow {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly secretHash: Buffer
  readonly createdBy: string
  readonly validDays: number
}

export async function insertKey(tx: Transaction, row: NewKeyRow): Promise<ApiKey> {
  await tx.$executeRaw`
    INSERT INTO api_key (id, name, scopes, secret_hash, created_by, expires_at)
    VALUES (${row.id}, ${row.name}, ${[...row.scopes]}::text[], ${row.secretHash}, ${row.createdBy},
            now() + ${row.validDays}::integer * interval '1 day')`
  return asKey(await tx.apiKey.findUniqueOrThrow({ where: { id: row.id }, select: shown }))
}

export async function listKeys(db: Reader): Promise<ApiKey[]> {
  const rows = await db.apiKey.findMany({ select: shown, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
  return rows.map(asKey)
}

export async function findKey(db: Reader, id: string): Promise<ApiKey | undefined> {
  const row = await db.apiKey.findUnique({ where: { id }, select: shown })
  return row === null ? undefined : asKey(row)
}

export function listKeyPage(db: PrismaClient, request: ListRequest): Promise<Page<ApiKey>> {
  return readPage<ApiKey>(db, { spec: apiKeyList }, request)
}

/** The key as it is now, and nobody else revokes or rotates it until this transaction ends. */
export async function lockKey(tx: Transaction, id: string): Promise<{ key: ApiKey; isLive: boolean } | undefined> {
  const [state] = await tx.$queryRaw<{ is_live: boolean }[]>`
    SELECT revoked_at IS NULL AND expires_at > now() AS is_live FROM api_key WHERE id = ${id} FOR NO KEY UPDATE`
  if (state === undefined) return undefined
  return { key: asKey(await tx.apiKey.findUniqueOrThrow({ where: { id }, select: shown })), isLive: state.is_live }
}

/** A key like another one, valid for as long as that one was made for. */
export async function insertSuccessor(
  tx: Transaction,
  of: string,
  row: Pick<NewKeyRow, 'id' | 'secretHash' | 'createdBy'>,
): Promise<ApiKey> {
  await tx.$executeRaw`
    INSERT INTO api_key (id, name, scopes, secret_hash, created_by, expires_at)
    SELECT ${row.id}, name, scopes, ${row.secretHash}, ${row.createdBy}, now() + (expires_at - created_at)
    FROM api_key WHERE id = ${of}`
  return asKey(await tx.apiKey.findUniqueOrThrow({ where: { id: row.id }, select: shown }))
}

/** Ends a locked key after the overlap, or earlier where it would have ended earlier. */
export async function replaceKey(tx: Transaction, id: string, successor: string): Promise<ApiKey> {
  await tx.$executeRaw`
    UPDATE api_key
    SET replaced_by = ${successor}, expires_at = least(expires_at, now() + ${ROTATION_OVERLAP_HOURS} * interval '1 hour')
    WHERE id = ${id}`
  return asKey(await tx.apiKey.findUniqueOrThrow({ where: { id }, select: shown }))
}

/** Undefined when there is no such key. `revoked` is false when it was revoked before. */
export async function revokeKey(tx: Transaction, id: string): Promise<{ key: ApiKey; revoked: boolean } | undefined> {
  const count = await tx.$executeRaw`UPDATE api_key SET revoked_at = now() WHERE id = ${id} AND revoked_at IS NULL`
  const row = await tx.apiKey.findUnique({ where: { id }, select: shown })
  return row === null ? undefined : { key: asKey(row), revoked: count === 1 }
}

function asKey(row: Omit<ApiKey, 'scopes'> & { scopes: string[] }): ApiKey {
  return { ...row, scopes: row.scopes as Scope[] }
}
