import type { PrismaClient, Transaction } from '../../database/database.ts'
import { readPage } from '../../database/list-page.ts'
import { camelRow, type ListSource, selectList } from '../../database/list-sql.ts'
import type { ListRequest, ListSpec, Page } from '../../list.ts'
import type { Entitlement, EntitlementKey, EntitlementState, RevokeReason } from './entitlement.ts'
import { entitlementList, gamePlayerList, libraryList } from './entitlement-list.ts'

type Reader = Transaction | PrismaClient

const columns = selectList({ spec: libraryList })

const conditions: NonNullable<ListSource['conditions']> = {
  // The database's clock decides, as everywhere.
  active: ({ value }) =>
    value === true
      ? 't.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())'
      : '(t.revoked_at IS NOT NULL OR t.expires_at <= now())',
  studioId: (_filter, bound) => `EXISTS (SELECT 1 FROM game o WHERE o.id = t.game_id AND o.studio_id = ${bound()})`,
}

/** A row as the driver gives it. */
interface EntitlementRow extends Omit<Entitlement, 'playtimeSeconds' | 'revokeReason'> {
  readonly playtimeSeconds: bigint
  readonly revokeReason: string | null
}

/** Seconds as a number: validation lets no total in that a double cannot hold. */
function asEntitlement(row: EntitlementRow): Entitlement {
  const playtimeSeconds = Number(row.playtimeSeconds)
  if (!Number.isSafeInteger(playtimeSeconds)) throw new RangeError('a play time is too large for a JSON number')
  return { ...row, playtimeSeconds, revokeReason: row.revokeReason as RevokeReason | null }
}

/** The new line; undefined when another request has just added it. */
export async function insertEntitlement(
  tx: Transaction,
  id: string,
  key: EntitlementKey,
  state: EntitlementState,
): Promise<Entitlement | undefined> {
  // Not a plain INSERT: its failure would end the transaction, and a grant that comes twice is no error.
  const rows = await tx.playerGame.createManyAndReturn({ data: [{ id, ...key, ...state }], skipDuplicates: true })
  return rows[0] && asEntitlement(rows[0])
}

export function findEntitlement(db: Reader, key: EntitlementKey): Promise<Entitlement | undefined> {
  return selectEntitlement(db, key, '')
}

/** The line as it is now; nobody else changes it until this transaction ends. Lock or hold the game first. */
export function lockEntitlement(tx: Transaction, key: EntitlementKey): Promise<Entitlement | undefined> {
  return selectEntitlement(tx, key, 'FOR NO KEY UPDATE')
}

/** Raw: of one row by its key Prisma's own find answers about half as many a second. */
async function selectEntitlement(
  db: Reader,
  { playerId, gameId, platform }: EntitlementKey,
  lock: '' | 'FOR NO KEY UPDATE',
): Promise<Entitlement | undefined> {
  const sql = `SELECT ${columns} FROM player_game t
    WHERE t.player_id = $1::uuid AND t.game_id = $2::uuid AND t.platform = $3::platform ${lock}`
  const [row] = await db.$queryRawUnsafe<Record<string, unknown>[]>(sql, playerId, gameId, platform)
  return row && asEntitlement(camelRow<EntitlementRow>(row))
}

export async function updateEntitlement(
  tx: Transaction,
  id: string,
  change: Partial<EntitlementState>,
): Promise<Entitlement> {
  return asEntitlement(await tx.playerGame.update({ where: { id }, data: change }))
}

export function listLibrary(db: PrismaClient, playerId: string, request: ListRequest): Promise<Page<Entitlement>> {
  return listEntitlements(db, libraryList, [{ column: 'player_id', value: playerId, sqlType: 'uuid' }], request)
}

export function listEverybodys(db: PrismaClient, request: ListRequest): Promise<Page<Entitlement>> {
  return listEntitlements(db, entitlementList, [], request)
}

export function listGamePlayers(db: PrismaClient, gameId: string, request: ListRequest): Promise<Page<Entitlement>> {
  return listEntitlements(db, gamePlayerList, [{ column: 'game_id', value: gameId, sqlType: 'uuid' }], request)
}

function listEntitlements(
  db: PrismaClient,
  spec: ListSpec,
  fixed: NonNullable<ListSource['fixed']>,
  request: ListRequest,
): Promise<Page<Entitlement>> {
  const source = { spec, fixed, conditions }
  return readPage(db, source, request, (row) => asEntitlement(camelRow<EntitlementRow>(row)))
}
